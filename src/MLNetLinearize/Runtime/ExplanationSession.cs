using Microsoft.ML.OnnxRuntime;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Runtime;

/// <summary>
/// One ONNX Runtime session over a linearization graph, for any number of threads. Disposing it while runs are under way
/// lets them end; the last one frees the network.
/// </summary>
internal sealed class ExplanationSession : IDisposable
{
    private readonly NetworkRun network;
    private readonly string[] outputs;
    private readonly object gate = new();
    private int running;
    private bool isDisposed;
    private long runs;
    private int buffers;

    /// <param name="graph">The compiled graph.</param>
    /// <param name="outputs">Graph outputs to fetch; all when null. What only the others need is not computed.</param>
    /// <param name="rows">Rows of the batches that it is for.</param>
    public ExplanationSession(LinearizationGraph graph, IReadOnlyCollection<string>? outputs = null, int rows = 1)
    {
        Graph = graph;
        this.outputs = [.. outputs ?? graph.Model.Graph.Output.Select(o => o.Name)];
        Plan = new RunPlan(graph, this.outputs);
        Kind = Plan.KindOf(rows);
        network = NetworkRun.Open(outputs is null ? graph.Model : Only(graph.Model, outputs), this.outputs, graph.Options, Kind);
    }

    public LinearizationGraph Graph { get; }

    /// <summary>How the rows of a batch become runs.</summary>
    public RunPlan Plan { get; }

    /// <summary>How a run uses threads.</summary>
    public RunKind Kind { get; }

    /// <summary>The fetched outputs.</summary>
    public IReadOnlyList<string> Outputs => outputs;

    /// <summary>The fetched outputs that hold floats: all but the target indices.</summary>
    public IEnumerable<string> SingleOutputs => outputs.Where(o => o != OutputNames.ExplainedTarget);

    /// <summary>Number of runs of the network so far.</summary>
    public long Runs => Interlocked.Read(ref runs);

    /// <summary>Number of buffers over this session that hold native memory.</summary>
    public int OpenBuffers => Volatile.Read(ref buffers);

    /// <summary>Explains <paramref name="rows"/> rows. Each input is an array of its element type with rows · row length elements, row after row.</summary>
    public ExplanationBatch Run(IReadOnlyDictionary<string, Array> inputs, int rows)
    {
        using var once = new ExplanationBuffers(this, inputs, rows, isPinned: false);
        once.Run(0, rows);
        return once.Outputs;
    }

    /// <summary>As <see cref="Run(IReadOnlyDictionary{string, Array}, int)"/>, all rows in one run of the network.</summary>
    public ExplanationBatch RunTogether(IReadOnlyDictionary<string, Array> inputs, int rows)
    {
        using var once = new ExplanationBuffers(this, inputs, rows, isPinned: false);
        once.RunTogether(0, rows);
        return once.Outputs;
    }

    /// <summary>One run of the network. Values are in the order of the graph's inputs and of <see cref="Outputs"/>.</summary>
    public void Run(RunOptions options, OrtValue[] inputValues, OrtValue[] outputValues)
    {
        bool isAlone;
        lock (gate)
        {
            if (isDisposed)
                throw new ObjectDisposedException(nameof(LinearizationGraph), "The network was released, because the transformer or Linearizer that owns it was disposed. Dispose that after its last cursor, prediction engine and result.");
            isAlone = ++running == 1;
        }
        try
        {
            Interlocked.Increment(ref runs);
            network.Run(options, inputValues, outputValues, isAlone);
        }
        finally
        {
            bool last;
            lock (gate) last = --running == 0 && isDisposed;
            if (last) network.Dispose();
        }
    }

    internal void CountBuffers(int change) => Interlocked.Add(ref buffers, change);

    public void Dispose()
    {
        lock (gate)
        {
            if (isDisposed) return;
            isDisposed = true;
            if (running > 0) return;
        }
        network.Dispose();
    }

    /// <summary>The model with these outputs only: ONNX Runtime runs every node of its graph, whatever is fetched.</summary>
    internal static ModelProto Only(ModelProto model, IReadOnlyCollection<string> kept)
    {
        var graph = new Graph(model);
        graph.Outputs.RemoveAll(o => !kept.Contains(o.Name));
        graph.RemoveDead(kept);
        return graph.ToModel();
    }
}
