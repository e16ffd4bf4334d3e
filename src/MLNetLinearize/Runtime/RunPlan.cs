using MLNetLinearize.Onnx;

namespace MLNetLinearize.Runtime;

/// <summary>
/// How the rows of a batch are shared among threads. Threads that share the operators of one run wait for each other at every
/// one of them; runs of some rows each, side by side on a thread each, wait once. So a batch is shared by rows wherever each
/// thread gets work enough. A single row is shared by targets where they go apart, else by operators; but where they are little
/// work, it stays on one thread.
/// </summary>
internal sealed class RunPlan
{
    /// <summary>Work, in multiply-adds and elements touched, that pays for waking another thread: some tens of microseconds.</summary>
    private const long LeastWork = 1L << 20;

    /// <summary>Work of an operator, in multiply-adds, that pays for sharing it with threads that watch for it.</summary>
    private const long LeastOperator = 1L << 20;

    /// <summary>Targets for each share of them beyond the first. Where each makes the forward pass, that is a quarter more work at most.</summary>
    private const int TargetsOfAShare = 4;

    /// <summary>
    /// Least work for each weight, in multiply-adds, of a share that makes the forward pass: it reads all weights, each of which takes as
    /// long as some tens of them. Where weights are more than that, most are those of dense layers, which serve all targets at once.
    /// </summary>
    private const int WorkForAWeight = 64;

    /// <summary>Elements that all runs side by side may touch: each holds activations of its own.</summary>
    private const long MostElements = (1L << 30) / sizeof(float);

    private readonly int threads;
    private readonly int mostRuns;
    private readonly long touched;
    private readonly long work;
    private readonly long typicalOperator;
    private readonly long weights;
    private readonly long activations;
    private readonly int mostShares;
    private readonly int cacheRows;

    /// <param name="graph">The graph.</param>
    /// <param name="outputs">Its outputs that are fetched.</param>
    public RunPlan(LinearizationGraph graph, IEnumerable<string> outputs)
        : this(graph, graph.Inputs.Sum(i => (long)i.RowLength) + outputs.Sum(o => ExplanationBatch.RowLength(graph, o))) { }

    /// <param name="graph">The graph.</param>
    /// <param name="elements">Elements of a row that go in and come out.</param>
    public RunPlan(LinearizationGraph graph, long elements)
    {
        threads = graph.Options.Threads ?? Environment.ProcessorCount;
        // A device has its own threads, and one run at a time fills it.
        mostRuns = graph.Options.GpuDeviceId is null ? threads : 1;
        touched = CacheRows.Touched(graph) + elements;
        work = touched + graph.Report.Nodes.Sum(n => n.MultiplyAdds) + (graph.Report.Accumulation?.MultiplyAdds ?? 0);
        cacheRows = CacheRows.Of(graph, elements);
        var areApart = TargetShares.Suits(graph.Model);
        mostShares = areApart ? Math.Min(mostRuns, 1 + graph.TargetCount / TargetsOfAShare) : 1;
        weights = Math.Max(1, graph.Model.Graph.Initializer.Sum(t => t.Count()));
        activations = graph.Report.Nodes.Sum(n => n.OutputShape.Aggregate(1L, (a, d) => a * d));
        typicalOperator = Typical([.. graph.Report.Nodes.Select(n => (double)n.MultiplyAdds)]) * (areApart ? 1 : graph.TargetCount);
        RowsPerRun = graph.IsRowByRow ? 1 : cacheRows;
    }

    /// <summary>Rows of a batch that gives each thread its run.</summary>
    public int BatchRows => cacheRows * SideBySide(cacheRows * mostRuns);

    /// <summary>Most rows of a run.</summary>
    public int RowsPerRun { get; }

    /// <summary>Runs side by side, each on one thread, of a batch of <paramref name="rows"/> rows; 1 where its runs come one after the other.</summary>
    public int SideBySide(int rows)
    {
        var runs = (int)Math.Min(Math.Min(mostRuns, rows), Math.Max(1, work * rows / LeastWork));
        return touched * RowsOf(rows, runs) * runs <= MostElements ? runs : 1;
    }

    /// <summary>Rows of a run where a batch of <paramref name="rows"/> rows is shared by <paramref name="sideBySide"/> threads.</summary>
    public int RowsOf(int rows, int sideBySide) => Math.Min(RowsPerRun, (rows + sideBySide - 1) / sideBySide);

    /// <summary>How runs for batches of <paramref name="rows"/> rows use threads.</summary>
    public RunKind KindOf(int rows)
    {
        if (SideBySide(rows) > 1) return RunKind.OneThread;
        var shares = (int)Math.Min(mostShares, work * rows / LeastWork);
        if (shares > 1 && (shares - 1) * (weights + activations * rows) <= MostElements)
        {
            var withForward = (int)Math.Min(shares, work * rows / weights / WorkForAWeight);
            return withForward > 1 ? new(withForward, threads / withForward) : new(shares, threads / shares, IsForwardOnce: true);
        }
        return work * rows < LeastWork || typicalOperator * rows < LeastOperator ? RunKind.OneThread : new(1, threads);
    }

    /// <summary>Work of the operator that a multiply-add belongs to, on average over all of them.</summary>
    private static long Typical(double[] works) => works.Sum() > 0 ? (long)(works.Sum(w => w * w) / works.Sum()) : 0;
}

/// <summary>How a run uses threads.</summary>
/// <param name="Shares">Number of shares of its targets that go side by side; 1 where all go together.</param>
/// <param name="ThreadsOfAShare">Threads of each, which share its operators.</param>
/// <param name="IsForwardOnce">Whether what all shares need, the forward network above all, goes before them on all threads; else each makes it.</param>
internal readonly record struct RunKind(int Shares, int ThreadsOfAShare, bool IsForwardOnce = false)
{
    /// <summary>A run that stays on the thread that starts it.</summary>
    public static readonly RunKind OneThread = new(1, 1);

    public bool IsOneThread => this == OneThread;
}
