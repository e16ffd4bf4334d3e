namespace MLNetLinearize.Runtime;

/// <summary>
/// How the rows of a batch are shared among threads. Threads that share the operators of one run wait for each other at every
/// one of them; runs of some rows each, side by side on a thread each, wait once. So a batch is shared by rows wherever each
/// thread gets work enough; a single row is shared by operators if it is much work, and left to one thread if it is little.
/// </summary>
internal sealed class RunPlan
{
    /// <summary>Work, in multiply-adds and elements touched, that pays for waking another thread: some tens of microseconds.</summary>
    private const long LeastWork = 1L << 20;

    /// <summary>Elements that all runs side by side may touch: each holds activations of its own.</summary>
    private const long MostElements = (1L << 30) / sizeof(float);

    private readonly int threads;
    private readonly long touched;
    private readonly long work;

    private readonly int cacheRows;

    /// <param name="graph">The graph.</param>
    /// <param name="outputs">Its outputs that are fetched.</param>
    public RunPlan(LinearizationGraph graph, IEnumerable<string> outputs)
        : this(graph, graph.Inputs.Sum(i => (long)i.RowLength) + outputs.Sum(o => ExplanationBatch.RowLength(graph, o))) { }

    /// <param name="graph">The graph.</param>
    /// <param name="elements">Elements of a row that go in and come out.</param>
    public RunPlan(LinearizationGraph graph, long elements)
    {
        // A device has its own threads, and one run at a time fills it.
        threads = graph.Options.GpuDeviceId is not null ? 1 : graph.Options.Threads ?? Environment.ProcessorCount;
        touched = CacheRows.Touched(graph) + elements;
        work = touched + graph.Report.Nodes.Sum(n => n.MultiplyAdds) + (graph.Report.Accumulation?.MultiplyAdds ?? 0);
        cacheRows = CacheRows.Of(graph, elements);
        RowsPerRun = graph.IsRowByRow ? 1 : cacheRows;
    }

    /// <summary>Rows of a batch that gives each thread its run.</summary>
    public int BatchRows => cacheRows * SideBySide(cacheRows * threads);

    /// <summary>Most rows of a run.</summary>
    public int RowsPerRun { get; }

    /// <summary>Runs side by side, each on one thread, of a batch of <paramref name="rows"/> rows; 1 where its runs come one after the other.</summary>
    public int SideBySide(int rows)
    {
        var runs = (int)Math.Min(Math.Min(threads, rows), Math.Max(1, work * rows / LeastWork));
        return touched * RowsOf(rows, runs) * runs <= MostElements ? runs : 1;
    }

    /// <summary>Rows of a run where a batch of <paramref name="rows"/> rows is shared by <paramref name="sideBySide"/> threads.</summary>
    public int RowsOf(int rows, int sideBySide) => Math.Min(RowsPerRun, (rows + sideBySide - 1) / sideBySide);

    /// <summary>Whether each run for batches of <paramref name="rows"/> rows stays on one thread.</summary>
    public bool UsesOneThread(int rows) => SideBySide(rows) > 1 || work * rows < LeastWork;
}
