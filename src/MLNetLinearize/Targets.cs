namespace MLNetLinearize;

/// <summary>
/// Which outputs of the network each row explains. An output is an index into the row's flattened explained tensor;
/// a network with one output has the single index 0. Ties of scores go to the lowest index.
/// </summary>
public sealed class Targets
{
    private Targets(TargetKind kind) => Kind = kind;

    /// <summary>The output with the highest score of the row (K = 1). The default.</summary>
    public static Targets Predicted { get; } = new(TargetKind.Predicted);

    /// <summary>Every output, in order (K = number of outputs).</summary>
    public static Targets All { get; } = new(TargetKind.All);

    /// <summary>The difference between the highest and the second highest score (K = 1). The reported target is the highest.</summary>
    public static Targets PredictedVersusRunnerUp { get; } = new(TargetKind.PredictedVersusRunnerUp);

    /// <summary>The <paramref name="count"/> outputs with the highest scores, best first (K = count).</summary>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="count"/> is below 1.</exception>
    public static Targets Top(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return new(TargetKind.Top) { Count = count };
    }

    /// <summary>The named outputs, in the order given (K = their number).</summary>
    /// <exception cref="ArgumentException">No index is given, or one is negative.</exception>
    public static Targets Classes(params int[] indices)
    {
        ArgumentNullException.ThrowIfNull(indices);
        if (indices.Length == 0 || indices.Any(i => i < 0))
            throw new ArgumentException($"Targets.Classes needs one or more indices of 0 or above, but got [{string.Join(", ", indices)}].", nameof(indices));
        return new(TargetKind.Classes) { Indices = [.. indices] };
    }

    /// <summary>Why <paramref name="a"/> rather than <paramref name="b"/>: the difference F_a − F_b (K = 1). The reported target is <paramref name="a"/>.</summary>
    /// <exception cref="ArgumentException">An index is negative, or both are the same.</exception>
    public static Targets Contrast(int a, int b)
    {
        if (a < 0 || b < 0 || a == b) throw new ArgumentException($"Targets.Contrast needs two different indices of 0 or above, but got {a} and {b}.", nameof(b));
        return new(TargetKind.Contrast) { Indices = [a, b] };
    }

    /// <summary>
    /// The output that the row's own label names (K = 1). A key column is mapped through its key values to class names
    /// or numbers. A missing or out-of-range label gives NaN columns and target −1 for that row only.
    /// </summary>
    public static Targets FromColumn(string column)
    {
        ArgumentException.ThrowIfNullOrEmpty(column);
        return new(TargetKind.FromColumn) { Column = column };
    }

    internal TargetKind Kind { get; }

    internal int Count { get; private init; }

    internal IReadOnlyList<int> Indices { get; private init; } = [];

    internal string? Column { get; private init; }

    /// <summary>The targets as the command line spells them, such as <c>top:3</c>.</summary>
    public override string ToString() => Kind switch
    {
        TargetKind.Predicted => "predicted",
        TargetKind.All => "all",
        TargetKind.PredictedVersusRunnerUp => "predicted-vs-runner-up",
        TargetKind.Top => $"top:{Count}",
        TargetKind.Classes => $"classes:{string.Join(',', Indices)}",
        TargetKind.Contrast => $"contrast:{Indices[0]},{Indices[1]}",
        _ => $"column:{Column}",
    };
}

internal enum TargetKind
{
    Predicted,
    All,
    PredictedVersusRunnerUp,
    Top,
    Classes,
    Contrast,
    FromColumn,
}
