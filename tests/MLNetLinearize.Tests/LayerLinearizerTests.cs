using MathNet.Numerics.LinearAlgebra;
using MLNetLinearize.Onnx;
using MLNetLinearize.Tests.Rules;
using static MLNetLinearize.Tests.Rules.Net;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Tests;

public class LayerLinearizerTests
{
    private static readonly float[] Row = [.. Enumerable.Range(0, 25).Select(i => MathF.Sin(3 * i + 1))];

    /// <summary>
    /// h = x·[[1, −1], [2, 1]] + (1, −3) = (9, −2) at x = (2, 3); Relu gives (9, 0); y = 2·9 − 5·0 + 4 = 22.
    /// Behind h only the 4 is added; h's own offset (1, −3) counts 2·1 through the unit that is on.
    /// </summary>
    [Fact]
    public void A_small_network_is_as_worked_by_hand()
    {
        var model = new ModelProto { IrVersion = 8, Graph = new GraphProto { Name = "hand" }, OpsetImport = { new OperatorSetIdProto { Domain = "", Version = 17 } } };
        model.Graph.Node.AddRange([Nodes.Create("Gemm", ["x", "v", "c"], ["h"], "first"), Nodes.Create("Relu", ["h"], ["r"], "gate"), Nodes.Create("Gemm", ["r", "w", "d"], ["y"], "second")]);
        model.Graph.Initializer.AddRange([Tensors.Of("v", [1f, -1, 2, 1], 2, 2), Tensors.Of("c", [1f, -3], 2), Tensors.Of("w", [2f, -5], 2, 1), Tensors.Of("d", [4f], 1)]);
        model.Graph.Input.Add(Graph.Value("x", DataType.Float, ["N", 2]));
        model.Graph.Output.Add(Graph.Value("y", DataType.Float, ["N", 1]));
        using var linearizer = new LayerLinearizer(CaseRun.Stream(model));
        var layers = linearizer.Explain([2f, 3]).Layers;
        Assert.Equal([("x", "Input"), ("h", "Gemm"), ("r", "Relu"), ("y", "Gemm")], layers.Select(l => (l.Layer.Tensor, l.Layer.Operator)));
        Assert.Equal<float[]>([[4, 12], [18, 0], [18, 0], [22]], layers.Select(l => l.Attribution.Row(0).ToArray()));
        Assert.Equal([6f, 4, 4, 0], layers.Select(l => l.Bias[0]));
        Assert.Equal([16f, 18, 18, 22], layers.Select(l => l.Sum[0]));
        Assert.Equal([0f, 0, 0, 0], layers.Select(l => l.Error[0]));
    }

    [Theory]
    [InlineData(false, Nonlinearity.Tangent)]
    [InlineData(true, Nonlinearity.Tangent)]
    [InlineData(true, Nonlinearity.Frozen)]
    public void Every_layer_makes_up_the_same_score_and_is_what_its_tensor_explains(bool smooth, Nonlinearity nonlinearity)
    {
        var model = Residual(smooth);
        using var linearizer = new LayerLinearizer(CaseRun.Stream(model), new() { Targets = Targets.All, Nonlinearity = nonlinearity });
        var explained = linearizer.Explain(Row);
        Assert.Equal(linearizer.Layers, explained.Layers.Select(l => l.Layer));
        Assert.True(explained.ExplainedScores.AbsoluteMaximum() > 0.1);
        foreach (var layer in explained.Layers)
        {
            Near(explained.ExplainedScores, layer.Sum + layer.Bias);
            Assert.All(layer.Error, e => Assert.InRange(e, 0, 1e-5));
            if (layer.Layer.Tensor == model.Graph.Output[0].Name) continue;
            using var alone = new Linearizer(LinearizationGraph.Compile(CaseRun.Stream(model), new() { Targets = Targets.All, Nonlinearity = nonlinearity, ExplainedInputs = [layer.Layer.Tensor] }));
            var map = alone.Explain(Row);
            Near(map.Bias, layer.Bias);
            for (var k = 0; k < 3; k++) Near(map.Attribution.Row(k), layer.Attribution.Row(k));
        }
    }

    [Fact]
    public void Between_the_ends_of_a_residual_block_no_tensor_is_a_layer()
    {
        var model = Residual(smooth: false);
        using var linearizer = new LayerLinearizer(CaseRun.Stream(model));
        var inside = model.Graph.Node.SkipWhile(n => n.OpType != "Relu").Skip(1).TakeWhile(n => n.OpType != "Add").Select(n => n.Output[0]).ToList();
        Assert.Equal(3, inside.Count);
        var expected = model.Graph.Node.Select(n => n.Output[0]).Except(inside).Prepend("x");
        Assert.Equal(expected, linearizer.Layers.Select(l => l.Tensor));
        Assert.Equal([2, 5, 5], linearizer.Layers[2].RowShape);
        Assert.Equal(50, linearizer.Layers[2].RowLength);
    }

    [Fact]
    public void The_way_between_two_inner_tensors_has_the_layers_between_them()
    {
        var model = Residual(smooth: false);
        var (from, to) = (model.Graph.Node[1].Output[0], model.Graph.Node.Single(n => n.OpType == "Flatten").Output[0]);
        using var linearizer = new LayerLinearizer(CaseRun.Stream(model), new() { ExplainedInputs = [from], ExplainedOutput = to, Targets = Targets.Classes(7) });
        Assert.Equal([from, .. model.Graph.Node.SkipWhile(n => n.OpType != "Add").TakeWhile(n => n.OpType != "Gemm").Select(n => n.Output[0])], linearizer.Layers.Select(l => l.Tensor));
        var explained = linearizer.Explain(Row);
        Assert.All(explained.Layers, l => Near(explained.ExplainedScores, l.Sum + l.Bias));
        Assert.Equal([7L], explained.Targets);
    }

    [Fact]
    public void Of_a_piecewise_constant_score_the_input_contributes_nothing()
    {
        var net = new Net(17, 3);
        var x = net.Input("x", "N", 2);
        var model = net.Build(net.Op("Floor", [net.Op("Gemm", [x, net.Weights(2, 2)])]), "N", 2);
        using var linearizer = new LayerLinearizer(CaseRun.Stream(model), new() { Targets = Targets.All });
        Assert.Equal(["x", model.Graph.Output[0].Name], linearizer.Layers.Select(l => l.Tensor));
        var explained = linearizer.Explain([13f, -7]);
        Assert.True(explained.ExplainedScores.AbsoluteMaximum() >= 1);
        Assert.Equal(new float[2, 2], explained.Layers[0].Attribution.ToArray());
        Assert.Equal(explained.ExplainedScores, explained.Layers[0].Bias);
        Assert.Equal(explained.ExplainedScores, explained.Layers[1].Sum);
        Assert.Equal([0f, 0], explained.Layers[1].Bias);
    }

    [Fact]
    public void Rows_of_a_batch_are_explained_as_alone()
    {
        using var linearizer = new LayerLinearizer(CaseRun.Stream(Residual(smooth: true)), new() { Targets = Targets.Top(2) });
        float[] second = [.. Row.Select(v => 0.5f - v)];
        var together = linearizer.ExplainBatch([.. Row, .. second], 2);
        foreach (var (row, batched) in new[] { Row, second }.Zip(together))
        {
            var alone = linearizer.Explain(row);
            Assert.Equal(alone.Targets, batched.Targets);
            Near(alone.Scores, batched.Scores);
            foreach (var (a, b) in alone.Layers.Zip(batched.Layers))
            {
                Near(a.Bias, b.Bias);
                for (var k = 0; k < 2; k++) Near(a.Attribution.Row(k), b.Attribution.Row(k));
            }
        }
    }

    [Fact]
    public void Wrong_use_is_told_with_what_was_expected()
    {
        var model = Residual(smooth: false);
        using var linearizer = new LayerLinearizer(CaseRun.Stream(model));
        Assert.Contains("takes 25 values", Assert.Throws<ArgumentException>(() => linearizer.Explain(new float[24])).Message, StringComparison.Ordinal);
        var budget = Assert.Throws<InvalidModelException>(() => new LayerLinearizer(CaseRun.Stream(model), new() { MaxBytesPerRow = 700 }));
        Assert.Contains("above the budget of 700 bytes", budget.Message, StringComparison.Ordinal);
        Assert.Contains("takes [x, ExplainedLabel]", Assert.Throws<InvalidOperationException>(() => new LayerLinearizer(CaseRun.Stream(model), new() { Targets = Targets.FromColumn("label") })).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("relu3_0", "Nearest: 'Relu3_0'", true)]
    [InlineData("Reul3_0", "Nearest: 'Relu3_0'", false)]
    [InlineData("somewhere else", null, false)]
    public void A_tensor_that_is_not_there_is_told_with_the_nearest_names(string name, string? hint, bool output)
    {
        var net = new Net(17, 3);
        var x = net.Input("x", "N", 4);
        var model = net.Build(net.Op("Gemm", [net.Op("Relu", [net.Op("Gemm", [x, net.Weights(4, 4)])]), net.Weights(4, 2)]), "N", 2);
        model.Graph.Node[1].Output[0] = model.Graph.Node[2].Input[0] = "Relu3_0";
        var error = Assert.Throws<InvalidModelException>(() => LinearizationGraph.Compile(CaseRun.Stream(model), output ? new() { ExplainedOutput = name } : new() { ExplainedInputs = [name] }));
        Assert.Contains($"'{name}'", error.Message, StringComparison.Ordinal);
        if (hint is null) Assert.DoesNotContain("Nearest", error.Message, StringComparison.Ordinal);
        else Assert.Contains(hint, error.Message, StringComparison.Ordinal);
    }

    /// <summary>A convolution, a residual block, pooling and a dense layer; with a sigmoid gate where smooth.</summary>
    private static ModelProto Residual(bool smooth)
    {
        var net = new Net(17, 33);
        var x = net.Input("x", "N", 1, 5, 5);
        var first = net.Op("Relu", [net.Op("Conv", [x, net.Weights(2, 1, 3, 3), net.Weights(2)], ("pads", L(1, 1, 1, 1)))]);
        var inner = net.Op("Conv", [first, net.Weights(2, 2, 3, 3), net.Weights(2)], ("pads", L(1, 1, 1, 1)));
        var gated = smooth ? net.Op("Mul", [inner, net.Op("Sigmoid", [inner])]) : net.Op("Relu", [inner]);
        var sum = net.Op("Add", [first, net.Op("Conv", [gated, net.Weights(2, 2, 1, 1), net.Weights(2)])]);
        var pooled = net.Op("Flatten", [net.Op("MaxPool", [sum], ("kernel_shape", L(2, 2)), ("strides", L(2, 2)))]);
        return net.Build(net.Op("Gemm", [pooled, net.Weights(8, 3), net.Weights(3)]), "N", 3);
    }

    private static void Near(Vector<float> expected, Vector<float> actual) => Assert.True((expected - actual).AbsoluteMaximum() < 1e-5f, $"{expected} {actual}");
}
