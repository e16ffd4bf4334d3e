using MLNetLinearize.Linearization;
using MLNetLinearize.Tests.Rules;
using static MLNetLinearize.Tests.Rules.Agreement;

namespace MLNetLinearize.Tests.Linearization;

/// <summary>
/// The orders in which a Jacobian can be accumulated give the oracle's W and b: forward mode and, at a tensor in the middle
/// of the network, either mode on both sides of the cut. Every operator's adjoint is transposed so.
/// </summary>
public class AccumulationTests
{
    /// <summary>Networks without a forward mode of their tangents: offsets of −∞ (masks) that the adjoint tests cotangents for, and a score of slope 0.</summary>
    private static readonly string[] WithoutForward = ["ai.onnx.ml TreeEnsembleRegressor"];

    public static TheoryData<string> Names => [.. RuleCases.All.Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_order_gives_the_oracles_map(string name)
    {
        var run = CaseRun.Of(name);
        foreach (var order in Orders(run, Nonlinearity.Tangent)) Compare(run, order, Nonlinearity.Tangent);
    }

    public static TheoryData<string> SmoothNames => [.. RuleCases.All.Where(c => !c.IsPiecewiseLinear).Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(SmoothNames))]
    public void Every_order_gives_the_oracles_frozen_map(string name)
    {
        var run = CaseRun.Of(name);
        foreach (var order in Orders(run, Nonlinearity.Frozen)) Compare(run, order, Nonlinearity.Frozen);
    }

    private static List<JacobianAccumulation> Orders(CaseRun run, Nonlinearity mode)
    {
        List<JacobianAccumulation> orders = [];
        run.Compile(Targets.All, mode, choice =>
        {
            orders = [.. choice.All()];
            return choice.Reverse;
        });
        var cuts = orders.Where(o => o.CutTensor is not null).Select(o => o.CutTensor).Distinct().ToList();
        var middle = cuts.Count == 0 ? null : cuts[cuts.Count / 2];
        return [.. orders.Where(o => o.CutTensor == middle && o.Mode == o.ModeBeforeCut || o.CutTensor is null && o.Mode == AccumulationMode.Forward)];
    }

    private static void Compare(CaseRun run, JacobianAccumulation order, Nonlinearity mode)
    {
        LinearizationGraph graph;
        try
        {
            graph = run.Compile(Targets.All, mode, _ => order);
        }
        catch (NotTransposableException e)
        {
            // Forced here; left to itself, the compiler takes reverse mode for these.
            Assert.True(WithoutForward.Contains(run.Case.Name), e.Message);
            Assert.DoesNotContain(AccumulationMode.Forward, new[] { run.Compile(Targets.All, mode, choice => choice.Best(withForward: false)).Report.Accumulation!.Mode });
            return;
        }
        if (order is { CutTensor: null, Mode: AccumulationMode.Forward } && mode == Nonlinearity.Tangent) Assert.DoesNotContain(run.Case.Name, WithoutForward);
        Assert.Equal(order, graph.Report.Accumulation);
        using var linearizer = new Linearizer(graph);
        var maps = linearizer.ExplainBatch([.. run.Rows.SelectMany(r => r)], CaseRun.RowCount);
        var oracle = mode == Nonlinearity.Frozen ? run.FrozenOracle : run.Oracle;
        for (var r = 0; r < CaseRun.RowCount; r++)
        {
            var (map, alone) = (maps[r], linearizer.Explain(run.Rows[r]));
            foreach (var (actual, how) in new[] { (map, "in a batch"), (alone, "alone") })
            {
                AssertClose(oracle[r].Weights.ToRowMajorArray(), actual.Weights.ToRowMajorArray().Widened(), $"{order}: W of row {r} {how}");
                AssertClose(oracle[r].Bias, actual.Bias.Widened(), $"{order}: b of row {r} {how}", absolute: Math.Max(Absolute, Relative * RuleTests.Terms(actual)));
            }
        }
    }
}
