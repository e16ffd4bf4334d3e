using MLNetLinearize.Runtime;
using MLNetLinearize.Transforms;

namespace MLNetLinearize.Evaluation;

/// <summary>One row of all inputs of a network.</summary>
/// <param name="Inputs">By name of the ONNX input: the row's elements.</param>
/// <param name="X">The elements of the explained inputs, one input after the other.</param>
internal sealed record EvaluatedRow(IReadOnlyDictionary<string, Array> Inputs, float[] X);

/// <summary>Runs many changed copies of one row through a graph of <see cref="ForwardNetwork.Explain"/>, a batch a run.</summary>
internal sealed class RowCopies : IDisposable
{
    private readonly LinearizationGraph graph;
    private readonly Dictionary<string, Array> arrays;
    private readonly ExplanationBuffers buffers;
    private readonly int capacity;

    public RowCopies(ExplanationSession session)
    {
        graph = session.Graph;
        capacity = graph.IsRowByRow ? 1 : BatchChoice.Rows(graph, graph.Inputs.Sum(i => (long)i.RowLength), session.Outputs.Sum(o => ExplanationBatch.RowLength(graph, o)), 0, 1);
        arrays = graph.Inputs.ToDictionary(i => i.Name, i => Array.CreateInstance(i.ElementType, checked(capacity * i.RowLength)));
        foreach (var input in graph.ExplainedInputs)
            if (input.ElementType != typeof(float))
                throw new InvalidOperationException($"An evaluation changes the explained input '{Printable.Text(input.Name)}' by small steps, and it takes {input.ElementType.Name}. Explain by inputs of Single.");
        foreach (var texts in arrays.Values.OfType<string[]>()) Array.Fill(texts, "");
        buffers = new ExplanationBuffers(session, arrays, capacity, isPinned: false);
    }

    /// <summary>The row as the network takes it, out of its inputs.</summary>
    public EvaluatedRow Row(IReadOnlyDictionary<string, Array> inputs) => new(inputs, [.. graph.ExplainedInputs.SelectMany(i => (float[])inputs[i.Name])]);

    /// <param name="row">The row.</param>
    /// <param name="target">The output to explain.</param>
    /// <param name="count">Number of copies.</param>
    /// <param name="change">Changes the explained elements of copy i.</param>
    /// <param name="read">Takes the results of copy i: the batch, and its place in there.</param>
    /// <param name="cancel">Stops between runs.</param>
    public void Run(EvaluatedRow row, long target, int count, Action<int, float[]> change, Action<int, ExplanationBatch, int> read, CancellationToken cancel)
    {
        foreach (var input in graph.Inputs)
            for (var slot = 0; slot < Math.Min(count, capacity); slot++)
                if (input.Name == OutputNames.Label) ((long[])arrays[input.Name])[slot] = target;
                else Array.Copy(row.Inputs[input.Name], 0, arrays[input.Name], slot * input.RowLength, input.RowLength);
        var x = new float[row.X.Length];
        for (var start = 0; start < count; start += capacity)
        {
            cancel.ThrowIfCancellationRequested();
            var rows = Math.Min(capacity, count - start);
            for (var slot = 0; slot < rows; slot++)
            {
                row.X.CopyTo(x, 0);
                change(start + slot, x);
                Write(x, slot);
            }
            buffers.Run(0, rows);
            for (var slot = 0; slot < rows; slot++) read(start + slot, buffers.Outputs, slot);
        }
    }

    public void Dispose() => buffers.Dispose();

    private void Write(float[] x, int slot)
    {
        var from = 0;
        foreach (var input in graph.ExplainedInputs)
        {
            var length = input.RowLength;
            x.AsSpan(from, length).CopyTo(((float[])arrays[input.Name]).AsSpan(slot * length));
            from += length;
        }
    }
}
