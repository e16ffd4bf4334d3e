using System.Numerics;

namespace MLNetLinearize.Transforms;

/// <summary>
/// Rows per run where the user names none. A run touches each row's activations forward, and those that cotangents and tangents
/// pass once more for each of these; a batch is as large as keeps all of that in a core's cache, so that convolutional networks get a few rows
/// and small dense ones many, which share the cost of starting a run.
/// </summary>
/// <remarks>
/// Counted, not timed, so that the same model runs in the same batches everywhere. On twelve cases (six networks, one and
/// ten targets) the choice took at most 1.2 times the time of the best of 1, 2, 4, … 256 rows, where one row at a time took
/// up to 27 times, and 256 rows up to 1.8 times.
/// </remarks>
internal static class BatchChoice
{
    /// <summary>Most memory for the buffers of a cursor or of all cursors of a set, in bytes.</summary>
    public const long MemoryBudget = 64L << 20;

    private const long CacheElements = (2L << 20) / sizeof(float);
    private const int Most = 256;

    // One batch is read while the next is made.
    private const int Halves = 2;

    /// <param name="graph">The graph.</param>
    /// <param name="inputElements">Elements of a row that go into the network.</param>
    /// <param name="outputElements">Elements of a row that come out and are read.</param>
    /// <param name="keptElements">Elements of a row that pass through.</param>
    /// <param name="cursors">Number of cursors that share the budget.</param>
    /// <returns>1 or a power of two; 1 only where the budget holds no more.</returns>
    public static int Rows(LinearizationGraph graph, long inputElements, long outputElements, long keptElements, int cursors)
    {
        if (graph.Options.BatchSize is { } chosen) return chosen;
        var activations = graph.Report.Nodes.Sum(n => n.OutputShape.Aggregate(1L, (a, d) => a * d));
        var touched = activations + (graph.Report.Accumulation?.Elements ?? activations * graph.TargetCount) + inputElements + outputElements;
        var held = (inputElements + outputElements + keptElements) * sizeof(float) * Halves * cursors;
        var rows = Math.Min(Math.Clamp(CacheElements / Math.Max(1, touched), 2, Most), Math.Max(1, MemoryBudget / Math.Max(1, held)));
        return 1 << BitOperations.Log2((uint)rows);
    }
}
