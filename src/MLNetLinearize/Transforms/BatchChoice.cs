using System.Numerics;
using MLNetLinearize.Runtime;

namespace MLNetLinearize.Transforms;

/// <summary>Rows of a cursor's batch where the user names none: what <see cref="RunPlan"/> says, within the memory that its buffers may take.</summary>
/// <remarks>Counted, not timed, so that the same model runs in the same batches on every machine of as many processors.</remarks>
internal static class BatchChoice
{
    /// <summary>Most memory for the buffers of a cursor or of all cursors of a set, in bytes.</summary>
    public const long MemoryBudget = 64L << 20;

    // One batch is read while the next is made.
    private const int Halves = 2;

    /// <param name="graph">The graph.</param>
    /// <param name="inputElements">Elements of a row that go into the network.</param>
    /// <param name="outputElements">Elements of a row that come out and are read.</param>
    /// <param name="keptElements">Elements of a row that pass through.</param>
    /// <param name="cursors">Number of cursors that share the budget.</param>
    /// <returns>A power of two, or that for each thread; 1 only where the budget holds no more.</returns>
    public static int Rows(LinearizationGraph graph, long inputElements, long outputElements, long keptElements, int cursors)
    {
        if (graph.Options.BatchSize is { } chosen) return chosen;
        var held = (inputElements + outputElements + keptElements) * sizeof(float) * Halves * cursors;
        var (wanted, most) = (new RunPlan(graph, inputElements + outputElements).BatchRows, Math.Max(1, MemoryBudget / Math.Max(1, held)));
        return wanted <= most ? wanted : 1 << BitOperations.Log2((uint)most);
    }
}
