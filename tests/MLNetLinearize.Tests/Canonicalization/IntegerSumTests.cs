using MLNetLinearize.Onnx;
using MLNetLinearize.Tests.Rules;

namespace MLNetLinearize.Tests.Canonicalization;

/// <summary>Integers of 32 bits between a product of small ones and float numbers. What the sums are is checked with the rules.</summary>
public class IntegerSumTests
{
    private static readonly float[] Row = [0.5f, -1, 2, 0.25f];

    [Fact]
    public void Wider_integers_on_the_way_change_nothing()
    {
        using var through = Compiled((net, sum) => net.Op("Cast", [net.Op("Cast", [net.Op("Neg", [net.Op("Cast", [sum], ("to", 7L))])], ("to", 6L))], ("to", 1L)));
        using var at = Compiled((net, sum) => net.Op("Cast", [net.Op("Neg", [sum])], ("to", 1L)));
        AssertSame(at.Explain(Row), through.Explain(Row));
    }

    /// <summary>A comparison has no slope, and gets the integers that it had.</summary>
    [Fact]
    public void A_comparison_of_the_integers_decides_as_before()
    {
        using var compared = Compiled((net, sum) => net.Op("Where", [net.Op("Greater", [sum, net.Integers32([-1000])]), net.Op("Cast", [sum], ("to", 1L)), net.Scalar(0)]));
        using var taken = Compiled((net, sum) => net.Op("Cast", [sum], ("to", 1L)));
        AssertSame(taken.Explain(Row), compared.Explain(Row));
    }

    [Theory]
    [InlineData("Div")]
    [InlineData("Mod")]
    public void What_cuts_to_integers_is_refused_by_name(string op)
    {
        var refused = Assert.Throws<UnsupportedOperatorException>(() => Compiled((net, sum) => net.Op("Cast", [net.Op(op, [sum, net.Integers32([3])])], ("to", 1L))));
        var node = Assert.Single(refused.Nodes, n => n.Operator == "MatMulInteger");
        Assert.Contains($"go into {op} ", node.Reason, StringComparison.Ordinal);
    }

    private static Linearizer Compiled(Func<Net, string, string> body)
    {
        var net = new Net(17, 1);
        var quantized = net.Ops("DynamicQuantizeLinear", 3, [net.Input("x", 1, 4)]);
        var product = net.Op("MatMulInteger", [quantized[0], net.Integers([1, -2, 3, -4, 5, -6, 7, 8], 4, 2), quantized[2]]);
        var y = net.Op("Mul", [body(net, net.Op("Add", [product, net.Integers32([10, -20], 2)])), quantized[1]]);
        return new(LinearizationGraph.Compile(CaseRun.Stream(net.Build(y)), new() { Targets = Targets.All }));
    }

    private static void AssertSame(LinearMap expected, LinearMap actual)
    {
        Assert.Contains(expected.Weights.ToRowMajorArray(), w => w != 0);
        Agreement.AssertClose(expected.Scores.Widened(), actual.Scores.Widened(), "score", 1e-6);
        Agreement.AssertClose(expected.Weights.ToRowMajorArray().Widened(), actual.Weights.ToRowMajorArray().Widened(), "W", 1e-6);
        Agreement.AssertClose(expected.Bias.Widened(), actual.Bias.Widened(), "b", 1e-6);
    }
}
