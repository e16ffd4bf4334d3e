namespace MLNetLinearize.Tests.Rules;

/// <summary>A choice between two branches, of which the one that is not taken is no number: it adds neither weight nor bias.</summary>
public class DiscardedBranchTests
{
    private const float Lambda = 0.3f;

    private static readonly Dictionary<string, (Func<Net, string, string> Write, Func<double, double> Value, Func<double, double> Slope)> Cases = new()
    {
        ["x·ln x above 0"] = (
            (n, x) => n.Op("Where", [n.Op("Greater", [x, n.Scalar(0)]), n.Op("Mul", [x, n.Op("Log", [x])]), n.Op("Neg", [x])]),
            x => x > 0 ? x * Math.Log(x) : -x, x => x > 0 ? Math.Log(x) + 1 : -1),
        ["1/x away from 0"] = (
            (n, x) => n.Op("Where", [n.Op("Equal", [x, n.Scalar(0)]), x, n.Op("Reciprocal", [x])]),
            x => x == 0 ? 0 : 1 / x, x => x == 0 ? 1 : -1 / (x * x)),
        ["a quotient away from 0"] = (
            (n, x) => n.Op("Where", [n.Op("Equal", [x, n.Scalar(0)]), x, n.Op("Div", [n.Op("Add", [x, n.Scalar(1)]), x])]),
            x => x == 0 ? 0 : (x + 1) / x, x => x == 0 ? 1 : -1 / (x * x)),
        // Yeo and Johnson 2000, the power transformation that scikit-learn fits.
        ["Yeo-Johnson"] = (
            (n, x) => n.Op("Where", [n.Op("GreaterOrEqual", [x, n.Scalar(0)]),
                n.Op("Div", [n.Op("Sub", [n.Op("Pow", [n.Op("Add", [x, n.Scalar(1)]), n.Scalar(Lambda)]), n.Scalar(1)]), n.Scalar(Lambda)]),
                n.Op("Div", [n.Op("Sub", [n.Op("Pow", [n.Op("Sub", [n.Scalar(1), x]), n.Scalar(2 - Lambda)]), n.Scalar(1)]), n.Scalar(Lambda - 2)])]),
            x => x >= 0 ? (Math.Pow(x + 1, Lambda) - 1) / Lambda : -(Math.Pow(1 - x, 2 - Lambda) - 1) / (2 - Lambda),
            x => x >= 0 ? Math.Pow(x + 1, Lambda - 1) : Math.Pow(1 - x, 1 - Lambda)),
    };

    private static readonly float[] Row = [2, -3, 0, 4];

    [Theory]
    [InlineData("x·ln x above 0")]
    [InlineData("1/x away from 0")]
    [InlineData("a quotient away from 0")]
    [InlineData("Yeo-Johnson")]
    public void Only_the_branch_taken_counts(string name)
    {
        foreach (var mode in Enum.GetValues<Nonlinearity>()) Check(name, mode);
    }

    private static void Check(string name, Nonlinearity mode)
    {
        var (write, value, slope) = Cases[name];
        var net = new Net(17, 1);
        var graph = LinearizationGraph.Compile(CaseRun.Stream(net.Build(write(net, net.Input("x", "N", 4)))), new() { Targets = Targets.All, Nonlinearity = mode });
        using var linearizer = new Linearizer(graph);
        var map = linearizer.Explain(Row);
        Assert.All(map.Weights.ToRowMajorArray().Concat(map.Bias), v => Assert.True(float.IsFinite(v)));
        Agreement.AssertClose(Row.Select(x => value(x)).ToArray(), map.Scores.Widened(), "scores", 2e-6);
        for (var k = 0; k < Row.Length; k++) Agreement.AssertExact(map, k, $"target {k}");
        if (mode == Nonlinearity.Frozen) return;
        Agreement.AssertClose(Row.Select(x => slope(x)).ToArray(), map.Weights.Diagonal().ToArray().Widened(), "W", 2e-6);
        Agreement.AssertClose(Row.Select(x => value(x) - slope(x) * x).ToArray(), map.Bias.Widened(), "b", 2e-6);
    }
}
