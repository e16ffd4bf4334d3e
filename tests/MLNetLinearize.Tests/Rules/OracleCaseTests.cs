using MathNet.Numerics.LinearAlgebra;

namespace MLNetLinearize.Tests.Rules;

/// <summary>The oracle itself over the table of cases: without this an agreement with it would prove little.</summary>
public class OracleCaseTests
{
    public static TheoryData<string> Names => [.. RuleCases.All.Select(c => c.Name)];

    [Fact]
    public void Case_names_are_unique() => Assert.Empty(RuleCases.All.GroupBy(c => c.Name).Where(g => g.Count() > 1).Select(g => g.Key));

    [Theory]
    [MemberData(nameof(Names))]
    public void The_oracle_computes_what_ONNX_Runtime_computes(string name)
    {
        var run = CaseRun.Of(name);
        for (var r = 0; r < CaseRun.RowCount; r++) Agreement.AssertClose(run.Oracle[r].Values, run.Original[r].Widened(), $"row {r}");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_oracle_is_consistent_with_its_own_forward_pass(string name)
    {
        var run = CaseRun.Of(name);
        var x = Vector<double>.Build.Dense(CaseRun.Widen(run.Rows[0]));
        var map = run.Oracle[0];
        Agreement.AssertClose(map.Values, map.Weights * x + Vector<double>.Build.Dense(map.Bias), "W·x + b", 1e-12, 1e-12);
        if (!run.Case.IsRounded) Agreement.AssertClose(CentralDifference(run, x, Direction(run)), map.Weights * Direction(run), "W·d", 1e-6);
    }

    internal static Vector<double> Direction(CaseRun run)
    {
        var random = new Random(99);
        return Vector<double>.Build.Dense(run.Case.RowLength, _ => random.NextDouble() * 2 - 1);
    }

    internal static Vector<double> CentralDifference(CaseRun run, Vector<double> x, Vector<double> d)
    {
        const double h = 1e-5;
        return (Vector<double>.Build.Dense(run.Forward([.. x + h * d])) - Vector<double>.Build.Dense(run.Forward([.. x - h * d]))) / (2 * h);
    }
}
