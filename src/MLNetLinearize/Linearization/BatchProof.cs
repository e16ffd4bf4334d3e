using Microsoft.ML.OnnxRuntime;
using MLNetLinearize.Canonicalization;
using MLNetLinearize.Runtime;

namespace MLNetLinearize.Linearization;

/// <summary>
/// Proves that rows do not meet in a batch: different random rows together must come out as each of them alone. Only then
/// is a batch axis trusted, declared or opened.
/// </summary>
internal static class BatchProof
{
    /// <summary>Rows that are run together.</summary>
    public const int Rows = 2;

    private const int Seeds = 2;

    /// <summary>A network that mixes rows differs in the first digit; rounding and kernels differ in the sixth.</summary>
    private const float Tolerance = 1e-3f;

    /// <summary>Why the graph cannot run in batches; null where it can.</summary>
    /// <param name="session">The graph, opened.</param>
    /// <param name="scores">Compares the scores on the same rows.</param>
    public static string? Objection(ExplanationSession session, ScoreProof scores)
    {
        var graph = session.Graph;
        // The error column is rounding itself, and differs from kernel to kernel.
        var compared = session.SingleOutputs.Where(o => o != OutputNames.LinearizationError).ToList();
        try
        {
            return Enumerable.Range(1, Seeds).Select(seed => SampleRows.Use(graph, Rows, seed, rows => Objection(session, scores, compared, rows))).FirstOrDefault(o => o is not null);
        }
        catch (OnnxRuntimeException)
        {
            return $"its linearization does not run on {Rows} rows at once";
        }
    }

    private static string? Objection(ExplanationSession session, ScoreProof scores, List<string> compared, Dictionary<string, Array> rows)
    {
        var graph = session.Graph;
        var together = session.RunTogether(rows, Rows);
        for (var r = 0; r < Rows; r++)
        {
            var row = SampleRows.Row(graph, rows, r);
            var alone = session.Run(row, 1);
            if (scores.Objection(graph, row, alone.Single(OutputNames.Score, 0)) is { } wrong) return $"its scores in batches are not the model's own: {wrong}";
            foreach (var output in compared)
                if (Differs(together.Single(output, r), alone.Single(output, 0), output == OutputNames.Bias ? Largest(alone.Single(OutputNames.ExplainedScore, 0)) : 0))
                    return $"a row's '{output}' changes with the other rows of its batch, so the network mixes rows";
        }
        return null;
    }

    /// <param name="a">One row's numbers.</param>
    /// <param name="b">The same from another run.</param>
    /// <param name="scale">What they are small against, where they come from larger ones: a bias that cancels out (of a norm, x ↦ ‖x‖) is the rounding of the score.</param>
    private static bool Differs(ReadOnlySpan<float> a, ReadOnlySpan<float> b, float scale)
    {
        var (largest, difference) = (scale, 0f);
        for (var i = 0; i < a.Length; i++)
        {
            if (float.IsNaN(a[i]) && float.IsNaN(b[i])) continue;
            if (a[i] == b[i]) continue;
            largest = Math.Max(largest, Math.Max(Math.Abs(a[i]), Math.Abs(b[i])));
            difference = Math.Max(difference, float.IsNaN(a[i] - b[i]) ? float.PositiveInfinity : Math.Abs(a[i] - b[i]));
        }
        return difference > Tolerance * largest;
    }

    private static float Largest(ReadOnlySpan<float> values)
    {
        var largest = 0f;
        foreach (var value in values) if (Math.Abs(value) > largest) largest = Math.Abs(value);
        return largest;
    }
}
