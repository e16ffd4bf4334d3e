using Microsoft.ML.OnnxRuntime;
using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Runtime;

namespace MLNetLinearize.Linearization;

/// <summary>Tensors of a linearization graph's forward pass, row by row, without what comes behind them. Quantized ones come as float numbers.</summary>
internal sealed class ForwardRun : IDisposable
{
    private readonly InferenceSession session;
    private readonly RunOptions runOptions = new();
    private readonly List<GraphInput> inputs;
    private readonly string[] names;
    private readonly string[] fetched;

    /// <param name="graph">The graph.</param>
    /// <param name="tensors">Tensors of it, outputs or others.</param>
    public ForwardRun(LinearizationGraph graph, IEnumerable<string> tensors)
    {
        names = [.. tensors];
        var model = ClassicalModels.Admitting(graph.Model).Clone();
        model.Graph.Output.Clear();
        foreach (var name in names) model.Graph.Output.Add(new ValueInfoProto { Name = QuantizedTypes.Widen(model.Graph, name) });
        fetched = [.. model.Graph.Output.Select(o => o.Name)];
        var only = new Graph(model);
        only.RemoveDead(fetched);
        var read = only.Nodes.SelectMany(Graph.Reads).ToHashSet();
        only.Inputs.RemoveAll(i => !read.Contains(i.Name));
        inputs = [.. graph.Inputs.Where(i => read.Contains(i.Name))];
        session = Sessions.Create(only.ToModel(), graph.Options);
    }

    /// <summary>The tensors of one row, in the order in which they were asked for.</summary>
    public List<(string Name, float[] Value, long[] Shape)> RunShaped(IReadOnlyDictionary<string, Array> row)
    {
        var values = inputs.Select(i => OrtArrays.Wrap(row[i.Name], [.. i.HasBatchAxis ? [1L] : Array.Empty<long>(), .. i.RowShape.Select(d => (long)d)])).ToList();
        try
        {
            using var results = session.Run(runOptions, [.. inputs.Select(i => i.Name)], values, fetched);
            return [.. names.Zip(results, (n, r) => (n, r.GetTensorDataAsSpan<float>().ToArray(), r.GetTensorTypeAndShape().Shape))];
        }
        finally
        {
            foreach (var value in values) value.Dispose();
        }
    }

    /// <inheritdoc cref="RunShaped"/>
    public List<(string Name, float[] Value)> Run(IReadOnlyDictionary<string, Array> row) => [.. RunShaped(row).Select(r => (r.Name, r.Value))];

    public void Dispose()
    {
        session.Dispose();
        runOptions.Dispose();
    }
}
