namespace MLNetLinearize.Reporting;

/// <summary>One explained output of a row.</summary>
/// <param name="Output">Index of the output; −1 where none is explained.</param>
/// <param name="Score">Its score.</param>
/// <param name="Bias">What no input contributed.</param>
/// <param name="Attribution">What each element of the explained input contributed.</param>
internal readonly record struct ReportTarget(int Output, float Score, float Bias, ReadOnlyMemory<float> Attribution);

/// <summary>A row for a report.</summary>
/// <param name="Number">Number of the row in the data, from 0.</param>
/// <param name="Values">The explained input.</param>
/// <param name="Label">True class, where known.</param>
/// <param name="Scores">Scores of all outputs.</param>
/// <param name="Targets">The explained outputs, at least one.</param>
internal sealed record ReportRow(long Number, ReadOnlyMemory<float> Values, int? Label, ReadOnlyMemory<float> Scores, IReadOnlyList<ReportTarget> Targets)
{
    /// <summary>The output with the highest score, ties to the lowest index; null where a score is NaN or there is one output only.</summary>
    public int? Predicted { get; } = Scores.Length > 1 ? Best(Scores.Span, null) : null;

    /// <summary>The output with the highest score but one.</summary>
    public int? RunnerUp => Predicted is { } best ? Best(Scores.Span, best) : null;

    public bool IsMistake => Label is { } label && label != Predicted;

    /// <summary>The explained outputs, those that a reader asks for first in front: the predicted one, the runner-up, the true one.</summary>
    public IReadOnlyList<ReportTarget> Ordered()
    {
        var (predicted, runnerUp) = (Predicted, RunnerUp);
        return [.. Targets.OrderBy(t => t.Output == predicted ? 0 : t.Output == runnerUp ? 1 : t.Output == Label ? 2 : 3)];
    }

    private static int? Best(ReadOnlySpan<float> scores, int? except)
    {
        int? best = null;
        for (var c = 0; c < scores.Length; c++)
        {
            if (float.IsNaN(scores[c])) return null;
            if (c != except && (best is null || scores[c] > scores[best.Value])) best = c;
        }
        return best;
    }
}
