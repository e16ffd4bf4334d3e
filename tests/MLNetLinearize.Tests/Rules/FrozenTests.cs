using MLNetLinearize.Tests.Oracle;
using static MLNetLinearize.Tests.Rules.Agreement;
using static MLNetLinearize.Tests.Rules.Net;

namespace MLNetLinearize.Tests.Rules;

/// <summary>The network read as A(x)·x: secants for smooth functions, gates held, products in halves.</summary>
public class FrozenTests
{
    public static TheoryData<string> Names => [.. RuleCases.All.Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Weights_and_bias_are_the_oracles_and_conserve_the_score(string name)
    {
        var run = CaseRun.Of(name);
        using var linearizer = new Linearizer(run.Compile(Targets.All, Nonlinearity.Frozen));
        var maps = linearizer.ExplainBatch([.. run.Rows.SelectMany(r => r)], CaseRun.RowCount);
        for (var r = 0; r < CaseRun.RowCount; r++)
        {
            var oracle = run.FrozenOracle[r];
            AssertClose(oracle.Values, oracle.Weights * MathNet.Numerics.LinearAlgebra.Vector<double>.Build.Dense(CaseRun.Widen(run.Rows[r])) + MathNet.Numerics.LinearAlgebra.Vector<double>.Build.Dense(oracle.Bias), "the oracle's own W·x + b", 1e-10, 1e-10);
            AssertClose(oracle.Weights.ToRowMajorArray(), maps[r].Weights.ToRowMajorArray().Widened(), $"W of row {r}");
            AssertClose(oracle.Bias, maps[r].Bias.Widened(), $"b of row {r}", absolute: Math.Max(Absolute, Relative * RuleTests.Terms(maps[r])));
            // A secant's slope (f(z) − f(0)) / z and its offset round as well.
            for (var k = 0; k < maps[r].Targets.Count; k++) AssertExact(maps[r], k, $"row {r}, target {k}", roundings: 4);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Piecewise_linear_networks_have_the_same_map_in_both_readings(string name)
    {
        var run = CaseRun.Of(name);
        if (!run.Case.IsPiecewiseLinear)
        {
            Assert.False(run.Linearizer.Graph.Report.IsPiecewiseLinear);
            return;
        }
        using var frozen = new Linearizer(run.Compile(Targets.All, Nonlinearity.Frozen));
        for (var r = 0; r < 2; r++)
        {
            var map = frozen.Explain(run.Rows[r]);
            AssertClose(run.Maps[r].Weights.ToRowMajorArray().Widened(), map.Weights.ToRowMajorArray().Widened(), "W", 1e-6);
            AssertClose(run.Maps[r].Bias.Widened(), map.Bias.Widened(), "b", 1e-6, 1e-6 * Math.Max(1, RuleTests.Terms(map)));
        }
    }

    [Fact]
    public void A_pointwise_activation_is_its_secant_through_zero()
    {
        // σ(2) = 0.880797…: slope (σ(2) − ½)/2, offset ½.
        var map = Frozen([2, 0, 1e-6f], (n, x) => n.Op("Concat", [n.Op("Sigmoid", [x]), n.Op("Tanh", [x])], ("axis", 1L)));
        Assert.Equal((0.880797078f - 0.5f) / 2, map.Weights[0, 0], 1e-6f);
        Assert.Equal(0.5f, map.Bias[0], 6);
        Assert.Equal(0.25f, map.Weights[1, 1], 6);
        Assert.Equal(0.25f, map.Weights[2, 2], 6);
        Assert.Equal(0.964027580f / 2, map.Weights[3, 0], 1e-6f);
        Assert.Equal(1, map.Weights[4, 1], 6);
    }

    [Fact]
    public void Where_a_kink_lies_at_zero_each_side_has_its_own_slope()
    {
        float[] x = [5e-5f, 0, -5e-5f];
        var elu = Frozen(x, (n, input) => n.Op("Elu", [input], ("alpha", 2f)));
        Assert.Equal([1, 1, 2], elu.Weights.Diagonal());
        var selu = Frozen(x, (n, input) => n.Op("Selu", [input], ("alpha", 1.5f), ("gamma", 3f)));
        Assert.Equal([3, 4.5f, 4.5f], selu.Weights.Diagonal());
        var celu = Frozen(x, (n, input) => n.Op("Celu", [input], ("alpha", 2f)));
        Assert.Equal([1, 1, 1], celu.Weights.Diagonal());
    }

    [Theory]
    [InlineData("Sigmoid")]
    [InlineData("Exp")]
    [InlineData("Cos")]
    [InlineData("Cosh")]
    [InlineData("Acos")]
    [InlineData("Softplus")]
    public void A_secant_keeps_its_digits_near_zero(string op)
    {
        float[] x = [2e-4f, -1.5e-4f, 3e-3f, -0.02f];
        var map = Frozen(x, (n, input) => n.Op("Neg", [n.Op(op, [input])])); // a last Sigmoid would be cut
        for (var i = 0; i < x.Length; i++)
        {
            double z = x[i], half = z / 2;
            var rise = op switch
            {
                "Sigmoid" => Math.Tanh(half) / 2,
                "Exp" => 2 * Math.Exp(half) * Math.Sinh(half),
                "Cos" => -2 * Math.Sin(half) * Math.Sin(half),
                "Softplus" => Math.Log((1 + Math.Exp(z)) / 2),
                "Cosh" => 2 * Math.Sinh(half) * Math.Sinh(half),
                _ => -Math.Asin(z),
            };
            Assert.Equal(1, -map.Weights[i, i] / (rise / z), 1e-6);
        }
    }

    [Fact]
    public void A_gate_is_held_and_other_factors_carry_half_each()
    {
        var swish = Frozen([1.5f], (n, x) => n.Op("Mul", [x, n.Op("Sigmoid", [x])]));
        Assert.Equal(0.817574476f, swish.Weights[0, 0], 1e-6f);
        Assert.Equal(0, swish.Bias[0], 6);
        var square = Frozen([3], (n, x) => n.Op("Mul", [x, x]));
        Assert.Equal(3, square.Weights[0, 0], 6);
        Assert.Equal(0, square.Bias[0], 6);
    }

    private static LinearMap Frozen(float[] x, Func<Net, string, string> body)
    {
        var net = new Net(17, 3);
        var model = net.Build(body(net, net.Input("x", "N", x.Length)));
        using var linearizer = new Linearizer(LinearizationGraph.Compile(CaseRun.Stream(model), new() { Targets = Targets.All, Nonlinearity = Nonlinearity.Frozen }));
        return linearizer.Explain(x);
    }
}
