using MLNetLinearize.Runtime;

namespace MLNetLinearize.Evaluation;

/// <summary>Scores of an output for many changed copies of a row.</summary>
internal sealed class Scorer : IDisposable
{
    private readonly ExplanationSession session;
    private readonly RowCopies copies;
    private readonly EvaluationScale scale;
    private readonly CancellationToken cancel;

    /// <param name="graph">A graph of <see cref="ForwardNetwork.Explain"/>.</param>
    /// <param name="scale">How <see cref="Scaled"/> gives them.</param>
    /// <param name="cancel">Stops between runs.</param>
    public Scorer(LinearizationGraph graph, EvaluationScale scale, CancellationToken cancel)
    {
        (this.scale, this.cancel) = (scale, cancel);
        session = new(graph, [OutputNames.Score]);
        copies = new(session);
    }

    public EvaluatedRow Row(IReadOnlyDictionary<string, Array> inputs) => copies.Row(inputs);

    /// <summary>The explained score itself.</summary>
    public double[] Raw(EvaluatedRow row, long target, int count, Action<int, float[]> change) => Run(row, target, count, change, EvaluationScale.Score);

    /// <summary>The score on the evaluation's scale.</summary>
    public double[] Scaled(EvaluatedRow row, long target, int count, Action<int, float[]> change) => Run(row, target, count, change, scale);

    /// <summary>The scale where the user names none.</summary>
    public static EvaluationScale Default(LinearizationGraph graph) =>
        graph.Report.CutActivation == "Sigmoid" ? EvaluationScale.Sigmoid : graph.OutputCount == 1 ? EvaluationScale.Score : EvaluationScale.Softmax;

    public void Dispose()
    {
        copies.Dispose();
        session.Dispose();
    }

    private double[] Run(EvaluatedRow row, long target, int count, Action<int, float[]> change, EvaluationScale scale)
    {
        var results = new double[count];
        copies.Run(row, target, count, change, (i, batch, slot) => results[i] = Scale(batch.Single(OutputNames.Score, slot), (int)target, scale), cancel);
        return results;
    }

    private static double Scale(ReadOnlySpan<float> scores, int target, EvaluationScale scale)
    {
        double score = scores[target];
        if (scale == EvaluationScale.Score) return score;
        if (scale == EvaluationScale.Sigmoid) return 1 / (1 + Math.Exp(-score));
        var sum = 0.0;
        foreach (var other in scores) sum += Math.Exp(other - score);
        return 1 / sum;
    }
}
