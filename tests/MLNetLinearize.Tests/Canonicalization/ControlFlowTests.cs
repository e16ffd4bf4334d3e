using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Tests.Rules;
using AttributeType = MLNetLinearize.Onnx.AttributeProto.Types.AttributeType;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Tests.Canonicalization;

/// <summary>
/// If, Loop and Scan: where one run tells how they go, their map is that of the network written out by hand; where the row
/// decides, they are refused in words.
/// </summary>
public class ControlFlowTests
{
    private static readonly float[] Row = [0.5f, -1, 2, 0.25f];

    [Theory]
    [InlineData(4, true)]
    [InlineData(5, false)]
    public void The_branch_that_a_shape_names_is_linearized(long size, bool taken)
    {
        // As PyTorch writes squeeze: if the axis has one element (here: four), take it away.
        var net = new Net(17, 5);
        var x = net.Input("x", "N", 4);
        var condition = net.Op("Equal", [net.Op("Gather", [net.Op("Shape", [x]), net.Ints([1], [])]), net.Ints([size], [])]);
        var chosen = net.Op("If", [condition]);
        var model = net.Build(net.Op("Neg", [chosen]));
        var node = model.Graph.Node.Single(n => n.OpType == "If");
        node.Attribute.Add(Inner("then_branch", [Nodes.Create("Relu", [x], ["then"], "")], [], ["then"]));
        node.Attribute.Add(Inner("else_branch", [Nodes.Create("Abs", [x], ["else"], "")], [], ["else"]));
        AssertSame((n, input) => n.Op("Neg", [n.Op(taken ? "Relu" : "Abs", [input])]), model);
    }

    [Theory]
    [InlineData(17)]
    [InlineData(12)]
    [InlineData(25)]
    public void A_loop_of_a_stored_number_of_rounds_is_unrolled(long opset)
    {
        // x ← relu(x·W) + round, three times, every x·W collected.
        var net = new Net(opset, 6);
        var x = net.Input("x", "N", 4);
        var weights = net.Weights(4, 4);
        var outputs = net.Ops("Loop", 2, [net.Ints([3], []), net.Booleans([true]), x]);
        var collected = net.Op("Transpose", [outputs[1]], ("perm", Net.L(1, 0, 2)));
        var model = net.Build(net.Op("Concat", [net.Op("Flatten", [collected]), outputs[0]], ("axis", 1L)));
        model.Graph.Node.Single(n => n.OpType == "Loop").Attribute.Add(Inner("body",
            [
                Nodes.Create("Identity", ["more"], ["still"], ""), Nodes.Create("MatMul", ["state", weights], ["product"], ""), Nodes.Create("Relu", ["product"], ["bent"], ""),
                Nodes.Create("Cast", ["round"], ["count"], "", ("to", 1L)), Nodes.Create("Add", ["bent", "count"], ["next"], ""),
            ], [("round", DataType.Int64), ("more", DataType.Bool), ("state", DataType.Float)], ["still", "next", "product"]));
        model.Graph.Node.Single(n => n.OpType == "Loop").Attribute[^1].G.Output[0].Type.TensorType.ElemType = (int)DataType.Bool;
        AssertSame((n, input) =>
        {
            var (state, w, products) = (input, n.Weights(4, 4), new List<string>());
            for (var i = 0; i < 3; i++)
            {
                products.Add(n.Op("MatMul", [state, w]));
                state = n.Op("Add", [n.Op("Relu", [products[^1]]), n.Scalar(i)]);
            }
            return n.Op("Concat", [.. products, state], ("axis", 1L));
        }, model, seed: 6);
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(1, 1)]
    public void A_scan_over_positions_is_unrolled(long direction, long outputDirection)
    {
        // Running sums of relu(x) over the positions of a row, which are an axis of their own.
        var net = new Net(17, 7);
        var x = net.Input("x", "N", 4);
        var start = net.Op("Mul", [net.Op("Slice", [x, net.Ints(0), net.Ints(1), net.Ints(1)]), net.Scalar(0)]);
        var positions = net.Op("Unsqueeze", [x, net.Ints(2)]);
        var outputs = net.Ops("Scan", 2, [start, positions], ("num_scan_inputs", 1L), ("scan_input_axes", Net.L(1)), ("scan_output_axes", Net.L(1)), ("scan_input_directions", Net.L(direction)), ("scan_output_directions", Net.L(outputDirection)));
        var model = net.Build(net.Op("Concat", [net.Op("Flatten", [outputs[1]]), outputs[0]], ("axis", 1L)));
        model.Graph.Node.Single(n => n.OpType == "Scan").Attribute.Add(Inner("body",
            [Nodes.Create("Relu", ["one"], ["bent"], ""), Nodes.Create("Add", ["sum", "bent"], ["next"], ""), Nodes.Create("Neg", ["next"], ["collected"], "")],
            [("sum", DataType.Float), ("one", DataType.Float)], ["next", "collected"]));
        AssertSame((n, input) =>
        {
            var bent = n.Op("Relu", [input]);
            var sums = n.Op("CumSum", [bent, n.Ints([1], [])], ("reverse", direction));
            // Collected in the order of the rounds, or turned round: with both directions reversed, in the order of the positions.
            return n.Op("Concat", [n.Op("Neg", [sums]), n.Op("ReduceSum", [bent, n.Ints(1)])], ("axis", 1L));
        }, model, seed: 7);
    }

    /// <summary>Version 8 has a batch axis in front, lengths first, and directions of another name; 9 and 10 are spelled as 11.</summary>
    [Theory]
    [InlineData(8, 0)]
    [InlineData(8, 1)]
    [InlineData(9, 1)]
    [InlineData(10, 0)]
    public void A_scan_of_an_older_version_is_unrolled(long opset, long direction)
    {
        var net = new Net(opset, 7);
        var x = net.Input("x", 1, 4);
        var start = net.Op("Mul", [net.Op("Slice", [x, .. opset < 10 ? Array.Empty<string>() : [net.Ints(0), net.Ints(1), net.Ints(1)]], opset < 10 ? [("starts", Net.L(0)), ("ends", Net.L(1)), ("axes", Net.L(1))] : []), net.Scalar(0)]);
        var isBatched = opset == 8;
        var positions = net.Op("Unsqueeze", [isBatched ? x : net.Op("Transpose", [x], ("perm", Net.L(1, 0)))], ("axes", Net.L(2)));
        var outputs = isBatched
            ? net.Ops("Scan", 2, ["", start, positions], ("num_scan_inputs", 1L), ("directions", Net.L(direction)))
            : net.Ops("Scan", 2, [start, positions], ("num_scan_inputs", 1L), ("scan_input_directions", Net.L(direction)));
        var model = net.Build(net.Op("Concat", [net.Op("Reshape", [outputs[1], net.Ints(1, 4)]), outputs[0]], ("axis", 1L)));
        model.Graph.Node.Single(n => n.OpType == "Scan").Attribute.Add(Inner("body",
            [Nodes.Create("Relu", ["one"], ["bent"], ""), Nodes.Create("Add", ["sum", "bent"], ["next"], ""), Nodes.Create("Neg", ["next"], ["collected"], "")],
            [("sum", DataType.Float), ("one", DataType.Float)], ["next", "collected"]));
        AssertSame((n, input) =>
        {
            var bent = n.Op("Relu", [input]);
            var sums = n.Op("CumSum", [direction == 0 ? bent : Reversed(n, bent), n.Ints([1], [])]);
            return n.Op("Concat", [n.Op("Neg", [sums]), n.Op("ReduceSum", [bent, n.Ints(1)])], ("axis", 1L));
        }, model, seed: 7, inBatches: false);
    }

    [Fact]
    public void What_the_row_decides_is_refused_in_words()
    {
        var net = new Net(17, 5);
        var x = net.Input("x", "N", 4);
        var sum = net.Op("ReduceSum", [x], ("keepdims", 0L));
        var model = net.Build(net.Op("Neg", [net.Op("If", [net.Op("Greater", [sum, net.Scalar(0)])])]));
        var node = model.Graph.Node.Single(n => n.OpType == "If");
        node.Attribute.Add(Inner("then_branch", [Nodes.Create("Relu", [x], ["then"], "")], [], ["then"]));
        node.Attribute.Add(Inner("else_branch", [Nodes.Create("Abs", [x], ["else"], "")], [], ["else"]));
        var refused = Assert.Single(Refused(model));
        Assert.Equal("If", refused.Operator);
        Assert.Contains("is computed from the row", refused.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(1_001, true)]
    [InlineData(3, false)]
    public void A_loop_that_is_too_long_or_may_end_early_is_refused(long rounds, bool lasts)
    {
        var net = new Net(17, 5);
        var x = net.Input("x", "N", 4);
        var model = net.Build(net.Ops("Loop", 1, [net.Ints([rounds], []), net.Booleans([true]), x])[0]);
        var body = Inner("body",
            [
                .. lasts ? [Nodes.Create("Identity", ["more"], ["still"], "")] : new[] { Nodes.Create("ReduceSum", ["state"], ["sum"], "", ("keepdims", 0L)), Nodes.Create("Less", ["sum", net.Scalar(9)], ["small"], ""), Nodes.Create("Squeeze", ["small"], ["still"], "") },
                Nodes.Create("Neg", ["state"], ["next"], ""),
            ], [("round", DataType.Int64), ("more", DataType.Bool), ("state", DataType.Float)], ["still", "next"]);
        body.G.Output[0].Type.TensorType.ElemType = (int)DataType.Bool;
        model.Graph.Node.Single(n => n.OpType == "Loop").Attribute.Add(body);
        Assert.Contains(lasts ? "at most 1,000 are unrolled (MaxUnrolledSteps)" : "when it ends is computed from the row", Assert.Single(Refused(model)).Reason, StringComparison.Ordinal);
    }

    /// <summary>While a counter of its own is small, while the round is, or while a flag that it turns lasts; with a bound, with a first condition, and without either.</summary>
    [Theory]
    [InlineData("counter", null, true, 4)]
    [InlineData("counter", 3L, true, 3)]
    [InlineData("counter", 9L, null, 4)]
    [InlineData("round", null, null, 4)]
    [InlineData("round", 10L, true, 4)]
    [InlineData("flag", null, true, 2)]
    [InlineData("flag", 1L, null, 1)]
    [InlineData("counter", null, false, 0)]
    public void A_loop_that_ends_by_a_condition_no_row_changes_is_unrolled(string by, long? bound, bool? first, int rounds)
    {
        var net = new Net(17, 6);
        var x = net.Input("x", "N", 4);
        var weights = net.Weights(4, 4);
        var (limit, step) = (net.Ints([8], []), net.Ints([2], []));
        string[] inputs = [bound is { } most ? net.Ints([most], []) : "", first is { } begins ? net.Booleans([begins]) : "", net.Ints([0], []), net.Booleans([true]), x];
        var model = net.Build(net.Op("Neg", [net.Ops("Loop", 3, inputs)[2]]));
        NodeProto condition = by switch
        {
            "counter" => Nodes.Create("Less", ["higher", limit], ["still"], ""),
            "round" => Nodes.Create("Less", ["rounds", limit], ["still"], ""),
            _ => Nodes.Create("Identity", ["flag"], ["still"], ""),
        };
        var body = Inner("body",
            [
                Nodes.Create("Add", ["counter", step], ["higher"], ""), Nodes.Create("Add", ["round", "round"], ["twice"], ""), Nodes.Create("Add", ["twice", step], ["rounds"], ""),
                condition, Nodes.Create("Not", ["flag"], ["turned"], ""), Nodes.Create("MatMul", ["state", weights], ["product"], ""), Nodes.Create("Relu", ["product"], ["next"], ""),
            ], [("round", DataType.Int64), ("more", DataType.Bool), ("counter", DataType.Int64), ("flag", DataType.Bool), ("state", DataType.Float)], ["still", "higher", "turned", "next"]);
        foreach (var (i, type) in new[] { (0, DataType.Bool), (1, DataType.Int64), (2, DataType.Bool) }) body.G.Output[i] = Typed(body.G.Output[i].Name, type);
        model.Graph.Node.Single(n => n.OpType == "Loop").Attribute.Add(body);
        AssertSame((n, state) =>
        {
            var w = n.Weights(4, 4);
            for (var i = 0; i < rounds; i++) state = n.Op("Relu", [n.Op("MatMul", [state, w])]);
            return n.Op("Neg", [state]);
        }, model, seed: 6);
    }

    /// <summary>What a loop of weights alone comes to is a weight; the bound of another.</summary>
    [Fact]
    public void A_loop_bounded_by_what_another_comes_to_is_unrolled()
    {
        var net = new Net(17, 6);
        var x = net.Input("x", "N", 4);
        var two = net.Ints([2], []);
        var bound = net.Ops("Loop", 1, [two, "", net.Ints([1], [])])[0];
        var model = net.Build(net.Ops("Loop", 1, [bound, "", x])[0]);
        foreach (var (node, type, operation) in model.Graph.Node.Zip([DataType.Int64, DataType.Float], [Nodes.Create("Mul", ["state", two], ["next"], ""), Nodes.Create("Add", ["state", "state"], ["next"], "")]))
        {
            node.Attribute.Add(Inner("body", [Nodes.Create("Identity", ["more"], ["still"], ""), operation], [("round", DataType.Int64), ("more", DataType.Bool), ("state", type)], ["still", "next"]));
            foreach (var (i, result) in new[] { (0, DataType.Bool), (1, type) }) node.Attribute[^1].G.Output[i] = Typed(node.Attribute[^1].G.Output[i].Name, result);
        }
        AssertSame((n, input) => n.Op("Mul", [input, n.Scalar(16)]), model);
    }

    /// <summary>ONNX Runtime ends a loop by the condition of its body also where none is given to begin with: the row decides.</summary>
    [Fact]
    public void A_bounded_loop_whose_body_ends_it_by_the_row_is_refused()
    {
        var net = new Net(17, 5);
        var x = net.Input("x", "N", 4);
        var model = net.Build(net.Ops("Loop", 1, [net.Ints([3], []), "", x])[0]);
        var body = Inner("body",
            [
                Nodes.Create("ReduceSum", ["state"], ["sum"], "", ("keepdims", 0L)), Nodes.Create("Less", ["sum", net.Scalar(0)], ["still"], ""), Nodes.Create("Neg", ["state"], ["next"], ""),
            ], [("round", DataType.Int64), ("more", DataType.Bool), ("state", DataType.Float)], ["still", "next"]);
        body.G.Output[0] = Typed("still", DataType.Bool);
        model.Graph.Node.Single(n => n.OpType == "Loop").Attribute.Add(body);
        Assert.Contains("when it ends is computed from the row", Assert.Single(Refused(model)).Reason, StringComparison.Ordinal);
    }

    internal static IReadOnlyList<UnsupportedNode> Refused(ModelProto model) => UnsupportedTests.Refused(model).Nodes;

    internal static AttributeProto Inner(string name, IEnumerable<NodeProto> nodes, (string Name, DataType Type)[] inputs, string[] outputs)
    {
        var graph = new GraphProto { Name = name };
        graph.Node.AddRange(nodes);
        foreach (var (input, type) in inputs) graph.Input.Add(Typed(input, type));
        foreach (var output in outputs) graph.Output.Add(Typed(output, DataType.Float));
        return new AttributeProto { Name = name, Type = AttributeType.Graph, G = graph };
    }

    /// <summary>Rounds and conditions are scalars, and ONNX Runtime wants to read so; other shapes it finds.</summary>
    private static ValueInfoProto Typed(string name, DataType type) =>
        new() { Name = name, Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)type, Shape = type == DataType.Float ? null : new TensorShapeProto() } } };

    private static string Reversed(Net n, string x) => n.Op("Slice", [x, n.Ints(-1), n.Ints(-5), n.Ints(1), n.Ints(-1)]);

    internal static void AssertSame(Func<Net, string, string> flat, ModelProto model, int seed = 5, bool inBatches = true)
    {
        var net = new Net(17, seed);
        var expected = Explain(net.Build(flat(net, net.Input("x", "N", 4))), inBatches);
        using var original = new OriginalModel(model, model.Graph.Output[0].Name);
        var actual = Explain(model, inBatches);
        Agreement.AssertClose(original.Run("x", Row, [1, 4]).Widened(), actual.Scores.Widened(), "score", 2e-6);
        Agreement.AssertClose(expected.Weights.ToRowMajorArray().Widened(), actual.Weights.ToRowMajorArray().Widened(), "W", 1e-6);
        Agreement.AssertClose(expected.Bias.Widened(), actual.Bias.Widened(), "b", 1e-6);
        for (var k = 0; k < actual.Targets.Count; k++) Agreement.AssertExact(actual, k, $"target {k}");
    }

    /// <summary>The map of the row, in a batch of others where the network has one; alone it is the same.</summary>
    private static LinearMap Explain(ModelProto model, bool inBatches = true)
    {
        var graph = LinearizationGraph.Compile(CaseRun.Stream(model), new() { Targets = Targets.All });
        using var linearizer = new Linearizer(graph);
        var alone = linearizer.Explain(Row);
        if (!inBatches) return alone;
        Assert.Null(graph.Report.RowByRowReason);
        var batch = linearizer.ExplainBatch([-2, 0.75f, 1, -0.5f, .. Row, 3, 2, -1, 0.125f], 3)[1];
        Agreement.AssertClose(alone.Weights.ToRowMajorArray().Widened(), batch.Weights.ToRowMajorArray().Widened(), "W in a batch", 1e-6);
        Agreement.AssertClose(alone.Bias.Widened(), batch.Bias.Widened(), "b in a batch", 1e-6);
        return batch;
    }
}
