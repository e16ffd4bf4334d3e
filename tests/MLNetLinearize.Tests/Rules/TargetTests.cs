using static MLNetLinearize.Tests.Rules.Agreement;

namespace MLNetLinearize.Tests.Rules;

/// <summary>Every kind of targets gives rows, or differences of rows, of the whole matrix.</summary>
public class TargetTests
{
    public static TheoryData<string> Names =>
    [
        "Network, three dense layers", "Network, LeNet", "Network, LeNet with fixed batch 1", "Network, residual blocks with batch normalization", "Network, matrix on the left of a vector",
        "Network, image and Softmax", "Network, self-attention", "Network, squeeze and excitation", "MaxPool, overlapping, padded", "Conv, 2-D", "Gemm, plain", "Add, residual",
    ];

    [Theory]
    [MemberData(nameof(Names))]
    public void Predicted_is_the_row_of_the_highest_score(string name) => Check(name, Targets.Predicted, order => [[(order[0], 1)]]);

    [Theory]
    [MemberData(nameof(Names))]
    public void Top_is_the_rows_of_the_highest_scores_in_order(string name) => Check(name, Targets.Top(3), order => [[(order[0], 1)], [(order[1], 1)], [(order[2], 1)]]);

    [Theory]
    [MemberData(nameof(Names))]
    public void Classes_are_the_named_rows_in_the_order_given(string name) => Check(name, Targets.Classes(2, 0), _ => [[(2, 1)], [(0, 1)]]);

    [Theory]
    [MemberData(nameof(Names))]
    public void Contrast_is_the_difference_of_two_rows(string name) => Check(name, Targets.Contrast(2, 1), _ => [[(2, 1), (1, -1)]]);

    [Theory]
    [MemberData(nameof(Names))]
    public void Predicted_versus_runner_up_is_the_difference_of_the_two_highest(string name) => Check(name, Targets.PredictedVersusRunnerUp, order => [[(order[0], 1), (order[1], -1)]]);

    [Theory]
    [MemberData(nameof(Names))]
    public void All_is_every_row(string name) => Check(name, Targets.All, order => [.. order.Order().Select(c => new[] { (c, 1) })]);

    [Fact]
    public void Top_above_the_number_of_outputs_is_refused()
    {
        var run = CaseRun.Of("Gemm, plain");
        var error = Assert.ThrowsAny<Exception>(() => run.Compile(Targets.Top(5)));
        Assert.True(error is InvalidModelException or ArgumentException, error.ToString());
        Assert.Contains("4", error.Message, StringComparison.Ordinal);
    }

    /// <param name="name">The case.</param>
    /// <param name="targets">What is explained.</param>
    /// <param name="expected">For the row's outputs in the order of their scores: each target as a sum of signed outputs.</param>
    private static void Check(string name, Targets targets, Func<int[], (int Output, int Sign)[][]> expected)
    {
        var run = CaseRun.Of(name);
        using var linearizer = new Linearizer(run.Compile(targets));
        var maps = linearizer.ExplainBatch([.. run.Rows.SelectMany(r => r)], CaseRun.RowCount);
        for (var r = 0; r < CaseRun.RowCount; r++)
        {
            var oracle = run.Oracle[r];
            var rows = expected([.. Enumerable.Range(0, oracle.Values.Length).OrderByDescending(c => oracle.Values[c])]);
            Assert.Equal(rows.Select(t => (long)t[0].Output), maps[r].Targets);
            for (var k = 0; k < rows.Length; k++)
            {
                var what = $"target {k} of row {r}";
                AssertClose(Sum(rows[k], c => oracle.Weights.Row(c).AsArray() ?? [.. oracle.Weights.Row(c)]), maps[r].Weights.Row(k).Widened(), $"W, {what}");
                AssertClose(Sum(rows[k], c => [oracle.Bias[c]]), [maps[r].Bias[k]], $"b, {what}", absolute: Relative * Math.Max(1, oracle.Values.Select(Math.Abs).Max()));
                AssertClose(Sum(rows[k], c => [oracle.Values[c]]), [maps[r].ExplainedScores[k]], $"score, {what}", absolute: Relative * Math.Max(1, oracle.Values.Select(Math.Abs).Max()));
                Assert.InRange(maps[r].Error[k], 0, 1e-5);
            }
            AssertClose(run.Maps[r].Scores.Widened(), maps[r].Scores.Widened(), $"all scores of row {r}", 1e-6);
        }
    }

    private static double[] Sum((int Output, int Sign)[] terms, Func<int, double[]> values)
    {
        var sum = new double[values(terms[0].Output).Length];
        foreach (var (output, sign) in terms)
            for (var i = 0; i < sum.Length; i++) sum[i] += sign * values(output)[i];
        return sum;
    }
}
