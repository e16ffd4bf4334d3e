using System.Diagnostics;
using MLNetLinearize.Cli.Data;
using MLNetLinearize.Runtime;

namespace MLNetLinearize.Cli;

/// <summary>Runs data through a linearization graph block by block. Memory does not grow with the number of rows.</summary>
internal sealed class Explainer : IDisposable
{
    private const long BytesPerBlock = 32L << 20, MostBytesPerBlock = 1L << 30;
    private readonly ExplanationSession session;
    private readonly NativeBuffers buffers;
    private readonly GraphInput input;

    /// <param name="graph">The compiled graph.</param>
    /// <param name="batch">Rows per run; chosen by size when null.</param>
    /// <param name="weights">Whether the weight rows are wanted.</param>
    public Explainer(LinearizationGraph graph, int? batch = null, bool weights = false)
    {
        Graph = graph;
        input = DataInput(graph);
        RowsPerBlock = BlockRows(batch);
        session = new ExplanationSession(graph,
        [
            OutputNames.Score, OutputNames.ExplainedTarget, OutputNames.ExplainedScore, OutputNames.Bias, OutputNames.LinearizationError,
            OutputNames.Attribution, .. weights ? [OutputNames.Weights] : Array.Empty<string>(),
        ], RowsPerBlock);
        buffers = new(session);
    }

    public LinearizationGraph Graph { get; }

    /// <summary>Whether the scores are those of the classes that labels name.</summary>
    public bool HasClasses { get; init; } = true;

    /// <summary>Rows that run through the network together.</summary>
    public int RowsPerBlock { get; }

    /// <summary>The outputs that a run gives.</summary>
    public IReadOnlyList<string> Outputs => session.Outputs;

    /// <summary>The input that the numbers of the data feed.</summary>
    public static GraphInput DataInput(LinearizationGraph graph)
    {
        var inputs = graph.Inputs.Where(i => i.Name != OutputNames.Label && i.ElementType != typeof(string)).ToArray();
        if (inputs.Length != 1 || graph.ExplainedInputs.Skip(1).Any())
            throw new InputException($"The model has the inputs [{string.Join(", ", inputs.Select(i => $"'{i.Name}'"))}]; the command line feeds models of one input. Explain this one with the library, column by column.");
        return inputs[0];
    }

    /// <summary>What a block of rows feeds the graph with, without labels.</summary>
    public static Dictionary<string, Array> Inputs(LinearizationGraph graph, RowBlock block)
    {
        var inputs = new Dictionary<string, Array> { [DataInput(graph).Name] = block.Values };
        var texts = graph.Inputs.Where(i => i.ElementType == typeof(string)).ToList();
        var (all, from) = (texts.Sum(t => t.RowLength), 0);
        foreach (var text in texts)
        {
            var values = new string[block.Capacity * text.RowLength];
            for (var i = 0; i < block.Count; i++) Array.Copy(block.Texts, i * all + from, values, i * text.RowLength, text.RowLength);
            inputs[text.Name] = values;
            from += text.RowLength;
        }
        return inputs;
    }

    /// <summary>Explains rows and hands them to the sinks in order. Gives the seconds it took.</summary>
    /// <param name="rows">The rows.</param>
    /// <param name="preprocessing">What becomes of their values first.</param>
    /// <param name="missing">What becomes of values that are not there.</param>
    /// <param name="classes">Names of the outputs, for labels.</param>
    /// <param name="range">Which of the rows.</param>
    /// <param name="sinks">What takes the explanations.</param>
    /// <param name="progress">Hears how far the run is.</param>
    /// <param name="cancel">Stops the run between two blocks.</param>
    /// <param name="journal">Keeps what is finished, and gives back what an interrupted run finished; null for none.</param>
    public TimeSpan Run(IRows rows, InputPreprocessing preprocessing, MissingValues missing, ClassNames classes, RowRange range, IReadOnlyList<IRowSink> sinks, IRunProgress progress, CancellationToken cancel, Journal? journal = null)
    {
        var clock = Stopwatch.StartNew();
        var block = new RowBlock(input, RowsPerBlock, preprocessing.For(input, rows.FeatureNames), missing, rows.Texts.Count, range.First);
        var (done, of) = (0L, rows.Count is { } count ? Math.Min(range.Count, Math.Max(0, count - range.First)) : range.Count);
        rows.Skip(range.First);
        while (done < range.Count && block.Fill(rows, classes, Graph.OutputCount, range.Count - done))
        {
            cancel.ThrowIfCancellationRequested();
            done += block.Taken;
            if (block.Count == 0) continue;
            var finished = journal?.Replay(block);
            var batch = finished ?? buffers.Run(Inputs(block), block.Count);
            if (finished is null) journal?.Append(block, batch);
            var explained = new ExplainedBlock(Graph, block, batch, HasClasses);
            foreach (var sink in sinks) sink.Add(explained);
            var share = of == long.MaxValue ? rows.Progress : (double)done / of;
            if (finished is null) progress.Report(done, share);
            else progress.Resume(done, share);
        }
        return clock.Elapsed;
    }

    public void Dispose()
    {
        buffers.Dispose();
        session.Dispose();
    }

    private Dictionary<string, Array> Inputs(RowBlock block)
    {
        var inputs = Inputs(Graph, block);
        if (Graph.Inputs.Any(i => i.Name == OutputNames.Label)) inputs[OutputNames.Label] = block.Labels.Select(l => (long)(l ?? -1)).ToArray();
        return inputs;
    }

    /// <summary>
    /// Few rows for convolutions, whose inner tensors are large and should stay in the cache; many for dense networks, whose
    /// matrix products gain by it. Bounded by the size of what one run gives back.
    /// </summary>
    private int BlockRows(int? given)
    {
        var bytes = 4L * Graph.TargetCount * Graph.ExplainedInputs.Single().RowLength * 2 + 4L * input.RowLength;
        if (given is { } rows)
        {
            var atMost = Math.Max(1, MostBytesPerBlock / Math.Max(1, bytes));
            return rows <= atMost ? rows : throw new InputException($"--batch {rows}: expected at most {atMost}, since the inputs and explanations of so many rows of this network take 1 GiB.");
        }
        var most = Graph.Report.Nodes.Any(n => n.Operator == "Conv") ? 16 : 128;
        return (int)Math.Clamp(BytesPerBlock / Math.Max(1, bytes), 1, most);
    }
}
