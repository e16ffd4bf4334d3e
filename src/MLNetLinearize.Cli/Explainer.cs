using System.Diagnostics;
using MLNetLinearize.Cli.Data;
using MLNetLinearize.Runtime;

namespace MLNetLinearize.Cli;

/// <summary>Runs data through a linearization graph block by block. Memory does not grow with the number of rows.</summary>
internal sealed class Explainer : IDisposable
{
    private const long BytesPerBlock = 32L << 20, MostBytesPerBlock = 1L << 30;
    private readonly ExplanationSession session;
    private readonly GraphInput input;
    private readonly int rowsPerBlock;

    /// <param name="graph">The compiled graph.</param>
    /// <param name="batch">Rows per run; chosen by size when null.</param>
    /// <param name="weights">Whether the weight rows are wanted.</param>
    public Explainer(LinearizationGraph graph, int? batch = null, bool weights = false)
    {
        Graph = graph;
        input = DataInput(graph);
        rowsPerBlock = RowsPerBlock(batch);
        var explained = graph.ExplainedInputs.Single();
        session = new ExplanationSession(graph,
        [
            OutputNames.Score, OutputNames.ExplainedTarget, OutputNames.ExplainedScore, OutputNames.Bias, OutputNames.LinearizationError,
            graph.AttributionOf(explained), .. weights ? [graph.WeightsOf(explained)] : Array.Empty<string>(),
        ]);
    }

    public LinearizationGraph Graph { get; }

    /// <summary>The one input that the data feeds.</summary>
    public static GraphInput DataInput(LinearizationGraph graph)
    {
        var inputs = graph.Inputs.Where(i => i.Name != OutputNames.Label).ToArray();
        if (inputs.Length != 1 || graph.ExplainedInputs.Skip(1).Any())
            throw new InputException($"The model has the inputs [{string.Join(", ", inputs.Select(i => $"'{i.Name}'"))}]; the command line feeds models of one input. Explain this one with the library, column by column.");
        return inputs[0];
    }

    /// <summary>Explains up to <paramref name="limit"/> rows and hands them to the sinks in order. Gives the seconds it took.</summary>
    public TimeSpan Run(IRows rows, Scale scale, ClassNames classes, long limit, IReadOnlyList<IRowSink> sinks, IRunProgress progress, CancellationToken cancel)
    {
        var clock = Stopwatch.StartNew();
        var block = new RowBlock(input, rowsPerBlock);
        var done = 0L;
        while (done < limit && block.Fill(rows, scale, classes, Graph.OutputCount, limit - done))
        {
            cancel.ThrowIfCancellationRequested();
            var explained = new ExplainedBlock(Graph, block, session.Run(Inputs(block), block.Count));
            foreach (var sink in sinks) sink.Add(explained);
            done += block.Count;
            progress.Report(done, limit == long.MaxValue || rows.Count < limit ? rows.Progress : (double)done / limit);
        }
        return clock.Elapsed;
    }

    public void Dispose() => session.Dispose();

    private Dictionary<string, Array> Inputs(RowBlock block)
    {
        var inputs = new Dictionary<string, Array> { [input.Name] = block.Values };
        if (Graph.Inputs.Any(i => i.Name == OutputNames.Label)) inputs[OutputNames.Label] = block.Labels.Select(l => (long)(l ?? -1)).ToArray();
        return inputs;
    }

    /// <summary>
    /// Few rows for convolutions, whose inner tensors are large and should stay in the cache; many for dense networks, whose
    /// matrix products gain by it. Bounded by the size of what one run gives back.
    /// </summary>
    private int RowsPerBlock(int? given)
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
