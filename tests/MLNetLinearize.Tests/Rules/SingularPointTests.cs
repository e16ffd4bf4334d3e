using MLNetLinearize.Onnx;

namespace MLNetLinearize.Tests.Rules;

/// <summary>
/// Where a number of the forward pass, or a slope, is not finite and the score is: what is left out adds nothing, what does not vary adds
/// nothing, and only what truly has no finite slope has none.
/// </summary>
public class SingularPointTests
{
    private static readonly float[] Row = [0, -2, 3, 120];

    /// <summary>Functions of one number: how they are written, and their value and slope at each element of <see cref="Row"/>.</summary>
    private static readonly Dictionary<string, (Func<Net, string, string> Write, double[] Values, double[] Slopes)> Cases = new()
    {
        ["Max of a constant and Log"] = ((n, x) => n.Op("Max", [n.Op("Log", [n.Op("Abs", [x])]), n.Scalar(-1)]), [-1, Math.Log(2), Math.Log(3), Math.Log(120)], [0, -0.5, 1 / 3.0, 1 / 120.0]),
        ["Min of Exp and a constant"] = ((n, x) => n.Op("Min", [n.Op("Exp", [x]), n.Scalar(10)]), [1, Math.Exp(-2), 10, 10], [1, Math.Exp(-2), 0, 0]),
        ["Where of Clip of Log"] = (
            (n, x) => n.Op("Where", [n.Op("Greater", [x, n.Scalar(0)]), n.Op("Clip", [n.Op("Log", [x]), n.Scalar(-3), n.Scalar(2)]), x]), [0, -2, Math.Log(3), 2], [1, 1, 1 / 3.0, 0]),
        ["HardSigmoid of Log"] = ((n, x) => n.Op("HardSigmoid", [n.Op("Log", [n.Op("Abs", [x])])]), [0, 0.2 * Math.Log(2) + 0.5, 0.2 * Math.Log(3) + 0.5, 1], [0, -0.1, 0.2 / 3, 0]),
        ["Sigmoid of Log"] = ((n, x) => n.Op("Neg", [n.Op("Sigmoid", [n.Op("Log", [n.Op("Abs", [x])])])]), [0, -2 / 3.0, -0.75, -120 / 121.0], [0, 1 / 9.0, -1 / 16.0, -1 / (121.0 * 121)]),
        ["ThresholdedRelu of Log"] = ((n, x) => n.Op("ThresholdedRelu", [n.Op("Log", [n.Op("Abs", [x])])]), [0, 0, Math.Log(3), Math.Log(120)], [0, 0, 1 / 3.0, 1 / 120.0]),
        ["Relu of Log"] = ((n, x) => n.Op("Relu", [n.Op("Log", [n.Op("Abs", [x])])]), [0, Math.Log(2), Math.Log(3), Math.Log(120)], [0, -0.5, 1 / 3.0, 1 / 120.0]),
        ["Softplus by hand"] = (
            (n, x) => n.Op("Where", [n.Op("Greater", [x, n.Scalar(20)]), x, n.Op("Log", [n.Op("Add", [n.Op("Exp", [x]), n.Scalar(1)])])]),
            [Math.Log(2), Math.Log(1 + Math.Exp(-2)), Math.Log(1 + Math.Exp(3)), 120], [0.5, 1 / (1 + Math.Exp(2)), 1 / (1 + Math.Exp(-3)), 1]),
        ["a logarithm times another, chosen"] = (
            (n, x) => n.Op("Where", [n.Op("Greater", [x, n.Scalar(0)]), n.Op("Mul", [n.Op("Log", [x]), n.Op("Log", [x])]), n.Scalar(7)]),
            [7, 7, Math.Log(3) * Math.Log(3), Math.Log(120) * Math.Log(120)], [0, 0, 2 * Math.Log(3) / 3, 2 * Math.Log(120) / 120]),
        ["a power below 1, chosen"] = (
            (n, x) => n.Op("Where", [n.Op("Greater", [x, n.Scalar(0)]), n.Op("Pow", [x, n.Scalar(0.3f)]), n.Op("Neg", [x])]),
            [0, 2, Math.Pow(3, 0.3), Math.Pow(120, 0.3)], [-1, -1, 0.3 * Math.Pow(3, -0.7), 0.3 * Math.Pow(120, -0.7)]),
        ["a root of what Relu cuts off"] = ((n, x) => n.Op("Sqrt", [n.Op("Relu", [x])]), [0, 0, Math.Sqrt(3), Math.Sqrt(120)], [0, 0, 0.5 / Math.Sqrt(3), 0.5 / Math.Sqrt(120)]),
        ["a root of a square"] = ((n, x) => n.Op("Sqrt", [n.Op("Mul", [x, x])]), [0, 2, 3, 120], [0, -1, 1, 1]),
        ["a root of Clip"] = ((n, x) => n.Op("Sqrt", [n.Op("Clip", [x, n.Scalar(0), n.Scalar(9)])]), [0, 0, Math.Sqrt(3), 3], [0, 0, 0.5 / Math.Sqrt(3), 0]),
        ["a root times 0"] = ((n, x) => n.Op("Mul", [n.Op("Sqrt", [n.Op("Abs", [x])]), n.Floats([0, 1, 1, 1], 4)]), [0, Math.Sqrt(2), Math.Sqrt(3), Math.Sqrt(120)], [0, -0.5 / Math.Sqrt(2), 0.5 / Math.Sqrt(3), 0.5 / Math.Sqrt(120)]),
    };

    public static TheoryData<string> Names => [.. Cases.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void What_is_left_out_adds_nothing(string name)
    {
        var (write, values, slopes) = Cases[name];
        var net = new Net(17, 1);
        var map = Explained(net.Build(write(net, net.Input("x", "N", 4))), Row, Nonlinearity.Tangent);
        Agreement.AssertClose(values, map.Scores.Widened(), "scores", 2e-6);
        Agreement.AssertClose(slopes, map.Weights.Diagonal().ToArray().Widened(), "W", 2e-6);
        Agreement.AssertClose(values.Zip(slopes, Row.Widened()).Select(p => p.First - p.Second * p.Third), map.Bias.Widened(), "b", absolute: 2e-6 * Row[^1]);
        for (var k = 0; k < Row.Length; k++) Agreement.AssertExact(map, k, $"target {k}");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void So_it_does_where_the_network_is_read_as_a_product(string name)
    {
        var (write, values, _) = Cases[name];
        var net = new Net(17, 1);
        var map = Explained(net.Build(write(net, net.Input("x", "N", 4))), Row, Nonlinearity.Frozen);
        Agreement.AssertClose(values, map.Scores.Widened(), "scores", 2e-6);
        for (var k = 0; k < Row.Length; k++) Agreement.AssertExact(map, k, $"target {k}");
    }

    [Theory]
    [InlineData(Nonlinearity.Tangent)]
    [InlineData(Nonlinearity.Frozen)]
    public void A_constant_row_has_a_standard_deviation_of_0_and_no_weights(Nonlinearity mode)
    {
        var net = new Net(17, 1);
        var x = net.Input("x", "N", 4);
        var centred = net.Op("Sub", [x, net.Op("ReduceMean", [x], ("axes", Net.L(1)))]);
        var deviation = net.Op("Sqrt", [net.Op("ReduceMean", [net.Op("Mul", [centred, centred])], ("axes", Net.L(1)))]);
        var map = Explained(net.Build(net.Op("Concat", [deviation, net.Op("Gemm", [x, net.Weights(4, 1)])], ("axis", 1L))), [2, 2, 2, 2], mode);
        Assert.Equal(0, map.Scores[0]);
        Assert.All(map.Weights.Row(0), w => Assert.Equal(0, w));
        Assert.All(map.Weights.Row(1), w => Assert.True(float.IsFinite(w) && w != 0));
        for (var k = 0; k < 2; k++) Agreement.AssertExact(map, k, $"target {k}");
    }

    [Fact]
    public void A_root_at_0_has_no_finite_slope_and_the_others_have_theirs()
    {
        var net = new Net(17, 1);
        var map = Explained(net.Build(net.Op("Sqrt", [net.Input("x", "N", 2)])), [0, 4], Nonlinearity.Tangent);
        Assert.Equal(float.PositiveInfinity, map.Weights[0, 0]);
        Assert.Equal(0, map.Weights[0, 1]);
        Assert.Equal(0, map.Weights[1, 0]);
        Assert.Equal(0.25f, map.Weights[1, 1]);
    }

    [Fact]
    public void Attention_to_nothing_is_left_out_as_PyTorch_writes_it()
    {
        // Of a row that is masked completely, the softmax is NaN, for which 0 is put in.
        var net = new Net(17, 3);
        var x = net.Input("x", "N", 3, 4);
        var scores = net.Op("MatMul", [x, net.Op("Transpose", [net.Op("MatMul", [x, net.Weights(4, 4)])], ("perm", Net.L(0, 2, 1)))]);
        var never = float.NegativeInfinity;
        var softmax = net.Op("Softmax", [net.Op("Add", [scores, net.Floats([never, never, never, 0, never, never, 0, 0, never], 3, 3)])], ("axis", -1L));
        var seen = net.Op("Where", [net.Op("IsNaN", [softmax]), net.Scalar(0), softmax]);
        var y = net.Op("MatMul", [seen, net.Op("MatMul", [x, net.Weights(4, 2)])]);
        var random = new Random(4);
        var row = Agreement.Row(12, random);
        var map = Explained(net.Build(net.Op("Flatten", [y])), row, Nonlinearity.Tangent);
        Assert.All(map.Weights.ToRowMajorArray().Concat(map.Bias), v => Assert.True(float.IsFinite(v)));
        Assert.All(map.Weights.Row(0).Concat(map.Weights.Row(1)), w => Assert.Equal(0, w));
        Assert.Contains(map.Weights.Row(5), w => w != 0);
        for (var k = 0; k < 6; k++) Agreement.AssertExact(map, k, $"target {k}");
    }

    [Fact]
    public void A_variance_with_an_epsilon_costs_nothing()
    {
        string[] Operators(float epsilon)
        {
            var net = new Net(17, 1);
            var x = net.Input("x", "N", 4);
            var centred = net.Op("Sub", [x, net.Op("ReduceMean", [x], ("axes", Net.L(1)))]);
            var variance = net.Op("ReduceMean", [net.Op("Pow", [centred, net.Scalar(2)])], ("axes", Net.L(1)));
            var deviation = net.Op("Sqrt", [net.Op("Add", [variance, net.Scalar(epsilon)])]);
            var graph = LinearizationGraph.Compile(CaseRun.Stream(net.Build(net.Op("Div", [centred, deviation]))), new() { Targets = Targets.All });
            return [.. graph.Model.Graph.Node.Select(n => n.OpType)];
        }
        Assert.DoesNotContain("Where", Operators(1e-5f));
        Assert.Contains("Where", Operators(0));
    }

    private static LinearMap Explained(ModelProto model, float[] row, Nonlinearity mode)
    {
        using var linearizer = new Linearizer(LinearizationGraph.Compile(CaseRun.Stream(model), new() { Targets = Targets.All, Nonlinearity = mode }));
        return linearizer.Explain(row);
    }
}
