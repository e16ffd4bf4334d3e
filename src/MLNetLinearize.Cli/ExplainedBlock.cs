using MLNetLinearize.Cli.Data;
using MLNetLinearize.Runtime;

namespace MLNetLinearize.Cli;

/// <summary>A block of rows with their explanations: what a sink gets to see before the next block takes its place.</summary>
/// <param name="graph">The compiled graph.</param>
/// <param name="rows">The rows.</param>
/// <param name="batch">Their explanations.</param>
/// <param name="hasClasses">Whether the scores are those of the classes that labels name.</param>
internal sealed class ExplainedBlock(LinearizationGraph graph, RowBlock rows, ExplanationBatch batch, bool hasClasses)
{
    /// <summary>What the graph is fed with: an array for each of its inputs, row after row. Without labels.</summary>
    public IReadOnlyDictionary<string, Array> Inputs { get; } = Explainer.Inputs(graph, rows);

    /// <summary>The same of one row.</summary>
    public Dictionary<string, Array> RowInputs(int i) => Inputs.ToDictionary(p => p.Key, p =>
    {
        var length = graph.Inputs.Single(g => g.Name == p.Key).RowLength;
        var one = Array.CreateInstance(p.Value.GetType().GetElementType()!, length);
        Array.Copy(p.Value, i * length, one, 0, length);
        return one;
    });

    public int Count => rows.Count;

    /// <summary>Number K of explained targets a row.</summary>
    public int Targets => graph.TargetCount;

    public long RowNumber(int i) => rows.Number(i);

    /// <summary>The label that the data gives a row.</summary>
    public int? Label(int i) => rows.Labels[i];

    /// <summary>The output that should have the highest score; null where that is not known, or the scores are no classes' and none should.</summary>
    public int? Truth(int i) => hasClasses ? rows.Labels[i] : null;

    public ReadOnlySpan<float> Input(int i) => rows.Row(i);

    /// <summary>All rows as the network takes them, in its element type.</summary>
    public Array InputValues => rows.Values;

    /// <summary>All C scores of a row.</summary>
    public ReadOnlySpan<float> Scores(int i) => batch.Single(OutputNames.Score, i);

    /// <summary>The output with the highest score; ties go to the lowest index. Null where a score is NaN: none is highest then.</summary>
    public int? Predicted(int i)
    {
        var scores = Scores(i);
        var best = 0;
        for (var c = 0; c < scores.Length; c++)
        {
            if (float.IsNaN(scores[c])) return null;
            if (scores[c] > scores[best]) best = c;
        }
        return best;
    }

    public long Target(int i, int k) => batch.Int64(OutputNames.ExplainedTarget, i)[k];

    public float Score(int i, int k) => batch.Single(OutputNames.ExplainedScore, i)[k];

    public float Bias(int i, int k) => batch.Single(OutputNames.Bias, i)[k];

    public float Error(int i, int k) => batch.Single(OutputNames.LinearizationError, i)[k];

    public ReadOnlySpan<float> Attribution(int i, int k) => Values(OutputNames.Attribution, i, k);

    /// <summary>What an output of K targets holds for one of them.</summary>
    public ReadOnlySpan<float> Values(string output, int i, int k)
    {
        var row = batch.Single(output, i);
        return row.Slice(k * (row.Length / Targets), row.Length / Targets);
    }
}

/// <summary>Takes explained rows as they come, in order.</summary>
internal interface IRowSink
{
    public void Add(ExplainedBlock block);
}
