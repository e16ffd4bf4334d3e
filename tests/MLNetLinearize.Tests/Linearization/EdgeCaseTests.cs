using MLNetLinearize.Onnx;
using MLNetLinearize.Runtime;
using MLNetLinearize.Tests.Rules;

namespace MLNetLinearize.Tests.Linearization;

/// <summary>Models at the edge of what can be linearized: infinities, unused rules, shapes from data, malformed files.</summary>
public class EdgeCaseTests
{
    public static TheoryData<string> NeverValues => ["pad", "max", "where", "softmax mask", "softmax where"];

    [Theory]
    [MemberData(nameof(NeverValues))]
    public void Minus_infinity_as_never_leaves_the_bias_finite(string kind)
    {
        var net = new Net(17, 41);
        var x = net.Input("x", "N", 6);
        var (low, mask) = (float.NegativeInfinity, net.Booleans([true, false, true, true, false, true], 6));
        var y = kind switch
        {
            "pad" => net.Op("Reshape", [net.Op("MaxPool", [net.Op("Pad", [net.Op("Reshape", [x, net.Ints(-1, 1, 6)]), net.Ints(0, 0, 1, 0, 0, 1), net.Scalar(low)])], ("kernel_shape", Net.L(2)), ("strides", Net.L(2))), net.Ints(-1, 4)]),
            "max" => net.Op("Max", [x, net.Floats([low, 0, low, low, 0.5f, low], 6)]),
            "where" => net.Op("ReduceMax", [net.Op("Where", [mask, x, net.Scalar(low)])], ("axes", Net.L(1))),
            "softmax mask" => net.Op("Softmax", [net.Op("Add", [x, net.Floats([0, low, 0, 0, low, 0], 6)])]),
            _ => net.Op("Softmax", [net.Op("Where", [mask, x, net.Scalar(low)])]),
        };
        var width = kind switch { "pad" => 4, "where" => 1, _ => 6 };
        var model = net.Build(net.Op("Gemm", [y, net.Weights(width, 2)]));
        using var linearizer = new Linearizer(LinearizationGraph.Compile(CaseRun.Stream(model), new LinearizeOptions { Targets = Targets.All }));
        var map = linearizer.Explain(new float[] { 0.3f, -1, 2, 0.7f, -0.2f, 1.1f });
        Assert.All(map.Bias, b => Assert.True(float.IsFinite(b), $"bias {b}"));
        Assert.All(map.Error, e => Assert.True(e < 1e-6f, $"error {e}"));
    }

    [Fact]
    public void A_map_from_an_inner_tensor_is_a_map_of_that_tensor()
    {
        var net = new Net(17, 42);
        var inner = net.Op("Relu", [net.Op("Gemm", [net.Input("x", "N", 4), net.Weights(4, 7), net.Weights(7)])]);
        var model = net.Build(net.Op("Gemm", [inner, net.Weights(7, 2), net.Weights(2)]));
        using var linearizer = new Linearizer(LinearizationGraph.Compile(CaseRun.Stream(model), new LinearizeOptions { Targets = Targets.All, ExplainedInputs = [inner] }));
        using var original = new OriginalModel(model, inner);
        foreach (var map in linearizer.ExplainBatch([1, -2, 0.5f, 3, 0, 1, 2, -1], 2))
        {
            Assert.Equal(7, map.Input.Count);
            Assert.True((map.Apply(map.Input) - map.ExplainedScores).AbsoluteMaximum() < 1e-5f);
            Assert.True((map.Attribution.RowSums() + map.Bias - map.Scores).AbsoluteMaximum() < 1e-5f);
        }
        Agreement.AssertClose(original.Run("x", [1, -2, 0.5f, 3], [1, 4]).Widened(), linearizer.Explain([1, -2, 0.5f, 3]).Input.Widened(), "inner tensor");
    }

    [Fact]
    public void A_shape_computed_from_the_row_is_refused_also_where_no_slope_passes()
    {
        var net = new Net(17, 43);
        var x = net.Input("x", "N", 4);
        var k = net.Op("Reshape", [net.Op("ReduceMax", [net.Op("ArgMax", [x], ("axis", 1))], ("keepdims", 0)), net.Ints(1)]);
        var model = net.Build(net.Op("ReduceSum", [net.Ops("TopK", 2, [x, k])[0], net.Ints(1)]));
        var node = Assert.Single(UnsupportedTests.Refused(model).Nodes);
        Assert.Equal("TopK", node.Operator);
        Assert.Contains("computed from the row", node.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_statistic_that_a_normalization_gives_besides_is_explained()
    {
        var net = new Net(17, 44);
        var outputs = net.Ops("LayerNormalization", 2, [net.Input("x", "N", 4), net.Positive(4), net.Weights(4)]);
        using var linearizer = new Linearizer(LinearizationGraph.Compile(CaseRun.Stream(net.Build(outputs[1]))));
        var map = linearizer.Explain([1, 2, 3, 6]);
        Assert.Equal([0.25f, 0.25f, 0.25f, 0.25f], map.Weights.Row(0));
        Assert.Equal((3f, 0f), (map.ExplainedScores[0], map.Bias[0]));
    }

    [Fact]
    public void Frozen_lists_the_nodes_that_it_reads_by_their_tangent()
    {
        var net = new Net(17, 45);
        var log = net.Op("Log", [net.Op("Exp", [net.Input("x", "N", 3)])]);
        var model = net.Build(net.Op("Gemm", [log, net.Weights(3, 2)]));
        var note = Assert.Single(LinearizationGraph.Compile(CaseRun.Stream(model), new LinearizeOptions { Nonlinearity = Nonlinearity.Frozen }).Report.Notes);
        Assert.Contains("Log", note, StringComparison.Ordinal);
        Assert.DoesNotContain("Exp ", note, StringComparison.Ordinal);
        Assert.Empty(LinearizationGraph.Compile(CaseRun.Stream(model)).Report.Notes);
    }

    [Fact]
    public void Malformed_models_are_one_clear_error()
    {
        var missing = Small();
        missing.Graph.Node[0].Input.Clear();
        var twice = Small();
        twice.Graph.Initializer.Add(twice.Graph.Initializer[0].Clone());
        var cycle = Small();
        cycle.Graph.Node[0].Input[0] = cycle.Graph.Node[0].Output[0];
        foreach (var model in new[] { missing, twice, cycle })
            Assert.NotEmpty(Assert.Throws<InvalidModelException>(() => LinearizationGraph.Compile(CaseRun.Stream(model))).Message);
    }

    [Theory]
    [InlineData("y", 4, "InputShapes names 'y'")]
    [InlineData("x", 5, "fixes it at 4")]
    public void Input_shapes_that_do_not_fit_the_model_are_refused(string input, int size, string expected)
    {
        var options = new LinearizeOptions { InputShapes = new Dictionary<string, IReadOnlyList<int>> { [input] = [1, size] } };
        Assert.Contains(expected, Assert.Throws<InvalidModelException>(() => LinearizationGraph.Compile(CaseRun.Stream(Small()), options)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Options_that_cannot_be_are_refused()
    {
        foreach (var options in new LinearizeOptions[] { new() { Targets = null! }, new() { Threads = 0 }, new() { MaxBytesPerRow = 0 }, new() { ExplainedInputs = ["x", "x"] } })
            Assert.Contains("LinearizeOptions.", Assert.Throws<ArgumentException>(() => LinearizationGraph.Compile(CaseRun.Stream(Small()), options)).Message, StringComparison.Ordinal);
    }

    private static ModelProto Small()
    {
        var net = new Net(17, 46);
        return net.Build(net.Op("Gemm", [net.Input("x", "N", 4), net.Weights(4, 3)]));
    }
}
