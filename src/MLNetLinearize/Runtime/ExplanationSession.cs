using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Runtime;

/// <summary>
/// One ONNX Runtime session over a linearization graph. <see cref="Run"/> may be called from several threads; the caller
/// owns the returned batch. A graph that takes one row per run is looped over here, so that callers see batches only.
/// </summary>
internal sealed class ExplanationSession : IDisposable
{
    private readonly InferenceSession session;
    private readonly RunOptions runOptions = new();
    private readonly string[] outputs;

    /// <param name="graph">The compiled graph.</param>
    /// <param name="outputs">Graph outputs to fetch; all when null. What only the others need is not computed.</param>
    public ExplanationSession(LinearizationGraph graph, IReadOnlyCollection<string>? outputs = null)
    {
        Graph = graph;
        session = Sessions.Create(outputs is null ? graph.Model : Only(graph.Model, outputs), graph.Options);
        this.outputs = [.. outputs ?? session.OutputNames];
    }

    public LinearizationGraph Graph { get; }

    /// <summary>The fetched outputs that hold floats: all but the target indices.</summary>
    public IEnumerable<string> SingleOutputs => outputs.Where(o => o != OutputNames.ExplainedTarget);

    /// <summary>Explains <paramref name="rows"/> rows. Each input is an array of its element type with rows · row length elements, row after row.</summary>
    public ExplanationBatch Run(IReadOnlyDictionary<string, Array> inputs, int rows)
    {
        foreach (var input in Graph.Inputs) Check(input, inputs, rows);
        if (!Graph.IsRowByRow) return RunOnce(inputs, rows);
        var result = new ExplanationBatch(rows);
        for (var r = 0; r < rows; r++)
        {
            var row = Graph.Inputs.ToDictionary(i => i.Name, i => Slice(inputs[i.Name], r * i.RowLength, i.RowLength));
            result.SetRow(r, RunOnce(row, 1));
        }
        return result;
    }

    public void Dispose()
    {
        session.Dispose();
        runOptions.Dispose();
    }

    /// <summary>The model with these outputs only: ONNX Runtime runs every node of its graph, whatever is fetched.</summary>
    private static ModelProto Only(ModelProto model, IReadOnlyCollection<string> kept)
    {
        var graph = new Graph(model);
        graph.Outputs.RemoveAll(o => !kept.Contains(o.Name));
        graph.RemoveDead(kept);
        return graph.ToModel();
    }

    private ExplanationBatch RunOnce(IReadOnlyDictionary<string, Array> inputs, int rows)
    {
        var values = Graph.Inputs.Select(i => OrtArrays.Wrap(inputs[i.Name], [.. i.HasBatchAxis ? [rows, .. i.RowShape.Select(d => (long)d)] : i.RowShape.Select(d => (long)d)])).ToList();
        try
        {
            using var results = session.Run(runOptions, [.. Graph.Inputs.Select(i => i.Name)], values, outputs);
            var batch = new ExplanationBatch(rows);
            for (var i = 0; i < outputs.Length; i++) batch.Set(outputs[i], results[i]);
            return batch;
        }
        finally
        {
            foreach (var value in values) value.Dispose();
        }
    }

    private static void Check(GraphInput input, IReadOnlyDictionary<string, Array> inputs, int rows)
    {
        if (!inputs.TryGetValue(input.Name, out var array))
            throw new ArgumentException($"Input '{input.Name}' is missing. Expected {input.ElementType.Name}[{string.Join(", ", input.RowShape)}] a row; got the inputs [{string.Join(", ", inputs.Keys)}].", nameof(inputs));
        if (array.GetType().GetElementType() != input.ElementType || array.Length < (long)rows * input.RowLength)
            throw new ArgumentException($"Input '{input.Name}': expected {rows} rows of {input.ElementType.Name}[{string.Join(", ", input.RowShape)}], {(long)rows * input.RowLength} elements; got {array.Length} of {array.GetType().GetElementType()!.Name}.", nameof(inputs));
    }

    private static Array Slice(Array source, int start, int length)
    {
        var result = Array.CreateInstance(source.GetType().GetElementType()!, length);
        Array.Copy(source, start, result, 0, length);
        return result;
    }
}
