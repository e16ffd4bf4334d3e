using MLNetLinearize.Onnx;
using MLNetLinearize.Tests.Rules;
using static MLNetLinearize.Tests.Canonicalization.ControlFlowTests;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Tests.Canonicalization;

/// <summary>SequenceMap: its map is that of the network in which each member's graph is written out by hand, and its score ONNX Runtime's own.</summary>
public class SequenceMapTests
{
    /// <summary>Two sequences go member by member, a tensor goes whole to each; the body reads the outer network as well. The second map reads what the first made.</summary>
    [Fact]
    public void A_map_over_sequences_is_written_out_member_by_member()
    {
        var net = new Net(17, 9);
        var x = net.Input("x", "N", 4);
        var weights = net.Weights(2, 2);
        var parts = net.Op("SplitToSequence", [x, net.Ints([2], [])], ("axis", 1L));
        var others = net.Op("SequenceConstruct", [net.Op("Slice", [x, net.Ints(1), net.Ints(3), net.Ints(1)]), net.Op("Slice", [x, net.Ints(0), net.Ints(2), net.Ints(1)])]);
        var tensor = net.Op("Slice", [x, net.Ints(2), net.Ints(4), net.Ints(1)]);
        var first = net.Ops("SequenceMap", 2, [parts, others, tensor]);
        var second = net.Op("SequenceMap", [first[0]]);
        var model = net.Build(net.Op("Concat", [net.Op("ConcatFromSequence", [second], ("axis", 1L)), net.Op("ConcatFromSequence", [first[1]], ("axis", 1L))], ("axis", 1L)));
        var maps = model.Graph.Node.Where(n => n.OpType == "SequenceMap").ToList();
        maps[0].Attribute.Add(Inner("body",
            [
                Nodes.Create("MatMul", ["part", weights], ["product"], ""), Nodes.Create("Relu", ["product"], ["bent"], ""), Nodes.Create("Add", ["bent", "other"], ["sum"], ""),
                Nodes.Create("Add", ["sum", "whole"], ["one"], ""), Nodes.Create("Mul", ["part", "other"], ["two"], ""),
            ], [("part", DataType.Float), ("other", DataType.Float), ("whole", DataType.Float)], ["one", "two"]));
        maps[1].Attribute.Add(Inner("body", [Nodes.Create("Abs", ["one"], ["size"], ""), Nodes.Create("Sub", ["size", tensor], ["less"], "")], [("one", DataType.Float)], ["less"]));
        AssertSame((n, input) =>
        {
            var w = n.Weights(2, 2);
            string Slice(long from) => n.Op("Slice", [input, n.Ints(from), n.Ints(from + 2), n.Ints(1)]);
            string First(string part, string other) => n.Op("Sub", [n.Op("Abs", [n.Op("Sum", [n.Op("Relu", [n.Op("MatMul", [part, w])]), other, Slice(2)])]), Slice(2)]);
            return n.Op("Concat", [First(Slice(0), Slice(1)), First(Slice(2), Slice(0)), n.Op("Mul", [Slice(0), Slice(1)]), n.Op("Mul", [Slice(2), Slice(0)])], ("axis", 1L));
        }, model, seed: 9);
    }

    /// <summary>However a sequence came to be, its makers tell its length.</summary>
    [Theory]
    [InlineData("SplitToSequence")]
    [InlineData("SplitToSequence by sizes")]
    [InlineData("SplitToSequence by one size")]
    [InlineData("SequenceInsert")]
    [InlineData("SequenceErase")]
    [InlineData("Optional")]
    public void A_map_runs_as_often_as_its_sequence_is_long(string maker)
    {
        var net = new Net(17, 10);
        var x = net.Input("x", "N", 4);
        string Parts(params string[] sizes) => net.Op("SplitToSequence", [x, .. sizes], ("axis", 1L));
        var sequence = maker switch
        {
            "SplitToSequence" => Parts(),
            "SplitToSequence by sizes" => Parts(net.Ints(1, 3)),
            "SplitToSequence by one size" => Parts(net.Ints([3], [])),
            "SequenceInsert" => net.Op("SequenceInsert", [net.Op("SequenceInsert", [net.Op("SequenceEmpty", []), net.Op("Slice", [x, net.Ints(1), net.Ints(4), net.Ints(1)])]), net.Op("Slice", [x, net.Ints(0), net.Ints(1), net.Ints(1)]), net.Ints([0], [])]),
            "SequenceErase" => net.Op("SequenceErase", [Parts(net.Ints(1, 3)), net.Ints([-1], [])]),
            _ => net.Op("OptionalGetElement", [net.Op("Optional", [Parts(net.Ints(2, 2))])]),
        };
        var axis = net.Ints(1);
        var model = net.Build(net.Op("ConcatFromSequence", [net.Op("SequenceMap", [net.Op("Identity", [sequence])])], ("axis", 1L)));
        model.Graph.Node.Single(n => n.OpType == "SequenceMap").Attribute.Add(Inner("body",
            [Nodes.Create("ReduceSum", ["part", axis], ["sum"], ""), Nodes.Create("Mul", ["part", "sum"], ["product"], "")], [("part", DataType.Float)], ["product"]));
        long[] sizes = maker switch { "SplitToSequence" => [1, 1, 1, 1], "SplitToSequence by one size" => [3, 1], "SequenceErase" => [1], "Optional" => [2, 2], _ => [1, 3] };
        AssertSame((n, input) =>
        {
            var (from, products) = (0L, new List<string>());
            foreach (var size in sizes)
            {
                var part = n.Op("Slice", [input, n.Ints(from), n.Ints(from += size), n.Ints(1)]);
                products.Add(n.Op("Mul", [part, n.Op("ReduceSum", [part, n.Ints(1)])]));
            }
            return n.Op("Concat", [.. products], ("axis", 1L));
        }, model, seed: 10);
    }

    [Fact]
    public void A_map_inside_a_loop_is_written_out_with_it()
    {
        var net = new Net(17, 11);
        var x = net.Input("x", "N", 4);
        var state = net.Ops("Loop", 1, [net.Ints([2], []), "", x])[0];
        var model = net.Build(state);
        var map = Nodes.Create("SequenceMap", ["parts"], ["bent"], "");
        map.Attribute.Add(Inner("body", [Nodes.Create("Relu", ["part"], ["positive"], ""), Nodes.Create("Sub", ["positive", "state"], ["less"], "")], [("part", DataType.Float)], ["less"]));
        var body = Inner("body",
            [
                Nodes.Create("Identity", ["more"], ["still"], ""), Nodes.Create("Neg", ["state"], ["minus"], ""), Nodes.Create("SequenceConstruct", ["state", "minus"], ["parts"], ""), map,
                Nodes.Create("SequenceAt", ["bent", "last"], ["second"], ""),
            ], [("round", DataType.Int64), ("more", DataType.Bool), ("state", DataType.Float)], ["still", "second"]);
        body.G.Initializer.Add(Tensors.Of("last", [-1L]));
        body.G.Output[0].Type.TensorType.ElemType = (int)DataType.Bool;
        model.Graph.Node.Single(n => n.OpType == "Loop").Attribute.Add(body);
        AssertSame((n, input) =>
        {
            for (var i = 0; i < 2; i++) input = n.Op("Sub", [n.Op("Relu", [n.Op("Neg", [input])]), input]);
            return input;
        }, model, seed: 11);
    }

    [Theory]
    [InlineData(false, "the length of its sequence", "depends on the row")]
    [InlineData(true, "it runs 4 rounds", "at most 3 are unrolled")]
    public void A_sequence_whose_length_the_row_decides_or_that_is_too_long_is_refused(bool isLong, params string[] reasons)
    {
        var net = new Net(17, 12);
        var x = net.Input("x", "N", 4);
        var size = net.Op("Cast", [net.Op("Add", [net.Op("Abs", [net.Op("ReduceSum", [x], ("keepdims", 0L))]), net.Scalar(1)])], ("to", (long)DataType.Int64));
        var parts = net.Op("SplitToSequence", isLong ? [x] : [x, size], ("axis", 1L));
        var model = net.Build(net.Op("ConcatFromSequence", [net.Op("SequenceMap", [parts])], ("axis", 1L)));
        model.Graph.Node.Single(n => n.OpType == "SequenceMap").Attribute.Add(Inner("body", [Nodes.Create("Abs", ["part"], ["size"], "")], [("part", DataType.Float)], ["size"]));
        var refused = Assert.Throws<UnsupportedOperatorException>(() => LinearizationGraph.Compile(CaseRun.Stream(model), new() { MaxUnrolledSteps = 3 })).Nodes;
        var map = Assert.Single(refused, n => n.Operator == "SequenceMap");
        Assert.All(reasons, reason => Assert.Contains(reason, map.Reason, StringComparison.Ordinal));
    }
}
