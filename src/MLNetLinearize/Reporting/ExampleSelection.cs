namespace MLNetLinearize.Reporting;

/// <summary>One row kept for a picture.</summary>
/// <param name="Row">Number of the row in the data, from 0.</param>
/// <param name="Input">The network's input.</param>
/// <param name="Predicted">Class with the highest score.</param>
/// <param name="Label">True class, where known.</param>
/// <param name="Margin">By how much the predicted class's score exceeds the true class's; 0 where that is unknown.</param>
internal sealed record Example(long Row, float[] Input, int Predicted, int? Label, float Margin);

/// <summary>How many rows a class has, and how many of them the network got right.</summary>
internal record struct ClassCount(long Rows, long Right);

/// <summary>One kind of mistake: how often <paramref name="Label"/> was taken for <paramref name="Predicted"/>, and the case the network was surest of.</summary>
internal sealed record Confusion(int Label, int Predicted, long Count, Example Surest);

/// <summary>
/// Picks the rows that a contact sheet shows while the data streams by: the first few of each class that the network got
/// right (the first, so that nothing is hand-picked), and of each kind of mistake the one it was surest of. What is kept
/// does not grow with the data.
/// </summary>
internal sealed class ExampleSelection(int perClass = 3, int maxClasses = 12, int maxConfusions = 100)
{
    private readonly SortedDictionary<int, List<Example>> right = [];
    private readonly Dictionary<(int Label, int Predicted), Confusion> confusions = [];
    private readonly Dictionary<int, ClassCount> counts = [];

    /// <summary>Right rows by class (where no labels are known: rows by predicted class), in order of the class. Only the first classes met are followed.</summary>
    public IEnumerable<KeyValuePair<int, IReadOnlyList<Example>>> Right => right.Select(r => KeyValuePair.Create(r.Key, (IReadOnlyList<Example>)r.Value));

    /// <summary>Kinds of mistakes, the most frequent first.</summary>
    public IEnumerable<Confusion> Confusions => confusions.Values.OrderByDescending(c => c.Count).ThenBy(c => c.Label).ThenBy(c => c.Predicted);

    /// <summary>Counts by true class; empty where no labels are known.</summary>
    public IReadOnlyDictionary<int, ClassCount> Counts => counts;

    /// <summary>Counts a row, and keeps it where a picture of it tells something; one without a predicted class has no map.</summary>
    public void Add(long row, ReadOnlySpan<float> input, ReadOnlySpan<float> scores, int? predicted, int? label)
    {
        if (label is { } known) counts[known] = counts.TryGetValue(known, out var c) ? new(c.Rows + 1, c.Right + (known == predicted ? 1 : 0)) : new(1, known == predicted ? 1 : 0);
        if (predicted is not { } best) return;
        if (label is not { } truth || truth == best) AddRight(row, input, best, label);
        else AddMistake(row, input, best, truth, scores[best] - scores[truth]);
    }

    private void AddRight(long row, ReadOnlySpan<float> input, int predicted, int? label)
    {
        if (!right.TryGetValue(predicted, out var kept))
        {
            if (right.Count == maxClasses) return;
            right[predicted] = kept = [];
        }
        if (kept.Count < perClass) kept.Add(new(row, input.ToArray(), predicted, label, 0));
    }

    private void AddMistake(long row, ReadOnlySpan<float> input, int predicted, int label, float margin)
    {
        var known = confusions.TryGetValue((label, predicted), out var confusion);
        if (!known && confusions.Count == maxConfusions) return;
        var surest = known && !(margin > confusion!.Surest.Margin) ? confusion.Surest : new(row, input.ToArray(), predicted, label, margin);
        confusions[(label, predicted)] = new(label, predicted, (confusion?.Count ?? 0) + 1, surest);
    }
}
