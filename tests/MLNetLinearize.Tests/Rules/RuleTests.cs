using MathNet.Numerics.LinearAlgebra;
using static MLNetLinearize.Tests.Rules.Agreement;

namespace MLNetLinearize.Tests.Rules;

/// <summary>
/// Every rule, four ways: the primal is the original model's, W is the oracle's and the central differences', and so is
/// the bias. That W·x + b = F alone would prove nothing about W.
/// </summary>
public class RuleTests
{
    public static TheoryData<string> Names => [.. RuleCases.All.Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Score_is_the_original_models(string name)
    {
        var run = CaseRun.Of(name);
        for (var r = 0; r < CaseRun.RowCount; r++)
        {
            AssertClose(run.Original[r].Widened(), run.Maps[r].Scores.Widened(), $"Score of row {r}, against ONNX Runtime", 2e-6);
            AssertClose(run.Oracle[r].Values, run.Maps[r].Scores.Widened(), $"Score of row {r}, against the oracle");
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Weights_are_the_oracles(string name)
    {
        var run = CaseRun.Of(name);
        for (var r = 0; r < CaseRun.RowCount; r++) AssertClose(Flat(run.Oracle[r].Weights), Flat(run.Maps[r].Weights.ToDouble()), $"W of row {r}");
    }

    public static TheoryData<string> SlopedNames => [.. RuleCases.All.Where(c => !c.IsRounded).Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(SlopedNames))]
    public void Weights_are_central_differences(string name)
    {
        var run = CaseRun.Of(name);
        var d = OracleCaseTests.Direction(run);
        var x = Vector<double>.Build.Dense(CaseRun.Widen(run.Rows[0]));
        var weights = run.Maps[0].Weights.ToDouble();
        // The sum of |W·d| bounds what rounding of W can do to the product.
        AssertClose(OracleCaseTests.CentralDifference(run, x, d), weights * d, "W·d", absolute: Math.Max(Absolute, Relative * weights.Enumerate().Select(Math.Abs).Max()));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Bias_is_the_oracles(string name)
    {
        var run = CaseRun.Of(name);
        for (var r = 0; r < CaseRun.RowCount; r++)
        {
            AssertClose(run.Oracle[r].Bias, run.Maps[r].Bias.Widened(), $"b of row {r}", absolute: Math.Max(Absolute, Relative * Terms(run.Maps[r])));
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_error_column_is_small_and_true(string name)
    {
        var run = CaseRun.Of(name);
        for (var r = 0; r < CaseRun.RowCount; r++)
        {
            var map = run.Maps[r];
            var affine = map.Weights.ToDouble() * map.Input.ToDouble() + map.Bias.ToDouble();
            for (var c = 0; c < map.Error.Count; c++)
            {
                Assert.InRange(map.Error[c], 0, 1e-5);
                var error = Math.Abs(map.ExplainedScores[c] - affine[c]) / Math.Max(1, Math.Abs(map.ExplainedScores[c]));
                Assert.InRange(error, 0, 1e-5);
            }
            Assert.Equal(Enumerable.Range(0, map.Scores.Count).Select(i => (long)i), map.Targets);
            Assert.Equal(map.Scores, map.ExplainedScores);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_batch_equals_its_rows_one_by_one_in_any_order(string name)
    {
        var run = CaseRun.Of(name);
        int[] order = [3, 0, 4, 2, 1];
        var permuted = run.Linearizer.ExplainBatch([.. order.SelectMany(r => run.Rows[r])], order.Length);
        for (var i = 0; i < order.Length; i++)
        {
            var (batch, moved, alone) = (run.Maps[order[i]], permuted[i], run.Linearizer.Explain(run.Rows[order[i]]));
            foreach (var (other, how) in new[] { (moved, "in another order"), (alone, "alone") })
            {
                AssertClose(batch.Scores.Widened(), other.Scores.Widened(), $"Score of row {order[i]} {how}", 1e-6);
                AssertClose(Flat(batch.Weights.ToDouble()), Flat(other.Weights.ToDouble()), $"W of row {order[i]} {how}", 1e-6);
                AssertClose(batch.Bias.Widened(), other.Bias.Widened(), $"b of row {order[i]} {how}", 1e-6, 1e-6 * Math.Max(1, Terms(batch)));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_report_says_whether_the_network_is_piecewise_linear(string name)
    {
        var run = CaseRun.Of(name);
        Assert.Equal(run.Case.IsPiecewiseLinear, run.Linearizer.Graph.Report.IsPiecewiseLinear);
        Assert.Equal(run.Oracle[0].Values.Length, run.Linearizer.Graph.OutputCount);
        Assert.Equal(run.Case.RowLength, run.Linearizer.Graph.Inputs[0].RowLength);
    }

    /// <summary>The largest Σ|W∘x| + |b|. A bias may be a small difference of large terms: it is as exact as they are.</summary>
    internal static double Terms(LinearMap map) => Enumerable.Range(0, map.Bias.Count).Max(k => Math.Abs(map.Bias[k]) + map.Attribution.Row(k).Sum(a => Math.Abs((double)a)));

    private static IEnumerable<double> Flat(Matrix<double> m) => m.ToRowMajorArray();
}
