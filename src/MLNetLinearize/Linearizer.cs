using MathNet.Numerics.LinearAlgebra;
using MLNetLinearize.Linearization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Runtime;

namespace MLNetLinearize;

/// <summary>
/// Explains arrays without an IDataView: load a model once, then ask for the local affine map or the explanation of any
/// row. Thread-safe after construction.
/// </summary>
public sealed class Linearizer : IDisposable
{
    private readonly ExplanationSession session;

    /// <summary>Compiles a model file and opens a session over it.</summary>
    /// <inheritdoc cref="LinearizationGraph.Compile(string, LinearizeOptions?)"/>
    public Linearizer(string modelFile, LinearizeOptions? options = null) : this(Compiler.Compile(OnnxFile.Read(modelFile), options ?? new(), keepsSession: true)) { }

    /// <summary>Opens a session over a compiled graph.</summary>
    /// <exception cref="InvalidOperationException">The graph explains by several tensors.</exception>
    public Linearizer(LinearizationGraph graph)
    {
        ArgumentNullException.ThrowIfNull(graph);
        if (graph.ExplainedInputs.Count != 1)
            throw new InvalidOperationException($"Linearizer explains by one tensor; this graph explains by [{string.Join(", ", graph.ExplainedInputs.Select(i => Printable.Text(i.Name)))}]. Name one of them in LinearizeOptions.ExplainedInputs, or use the IDataView component for several.");
        session = graph.Open();
    }

    /// <summary>The compiled graph.</summary>
    public LinearizationGraph Graph => session.Graph;

    /// <summary>The local affine map of one row of a network with one explained input: all K targets.</summary>
    /// <param name="row">The row, flattened; <see cref="GraphInput.RowLength"/> elements.</param>
    /// <exception cref="ArgumentException">The row has another length.</exception>
    /// <exception cref="InvalidOperationException">The network takes several inputs.</exception>
    public LinearMap Explain(ReadOnlySpan<float> row) => ExplainBatch(row.ToArray(), 1)[0];

    /// <summary>The local affine map of one row of a network of several inputs, of which one explains; the others are parameters of the row.</summary>
    /// <param name="row">For each input its elements, flattened: <see cref="GraphInput.RowLength"/> of its <see cref="GraphInput.ElementType"/>.</param>
    /// <exception cref="ArgumentException">An input is missing, or its array is of another type or length.</exception>
    public LinearMap Explain(IReadOnlyDictionary<string, Array> row)
    {
        ArgumentNullException.ThrowIfNull(row);
        foreach (var input in Graph.Inputs)
        {
            var values = row.GetValueOrDefault(input.Name);
            if (values?.GetType().GetElementType() != input.ElementType || values.Length != input.RowLength)
                throw new ArgumentException($"Input '{Printable.Text(input.Name)}' takes {input.RowLength} values of {input.ElementType.Name} ([{string.Join(", ", input.RowShape)}]); got {(values is null ? "none" : $"{values.Length} of {values.GetType().GetElementType()!.Name}")}.", nameof(row));
        }
        var batch = session.Run(Graph.Inputs.ToDictionary(i => i.Name, i => row[i.Name]), 1);
        return Map(batch, 0, batch.Has(OutputNames.ExplainedInput) ? batch.Single(OutputNames.ExplainedInput, 0).ToArray() : [.. (float[])row[Graph.ExplainedInputs[0].Name]]);
    }

    /// <summary>The local affine maps of several rows.</summary>
    /// <param name="rows">The rows, flattened, one after the other.</param>
    /// <param name="count">Number of rows.</param>
    /// <exception cref="ArgumentException">The array's length is not count · row length.</exception>
    /// <exception cref="InvalidOperationException">The network takes several inputs.</exception>
    public IReadOnlyList<LinearMap> ExplainBatch(float[] rows, int count)
    {
        ArgumentNullException.ThrowIfNull(rows);
        if (Graph.Inputs.Count != 1) throw new InvalidOperationException($"The network takes [{string.Join(", ", Graph.Inputs.Select(i => Printable.Text(i.Name)))}]. Explain a row of several inputs by their names.");
        var input = Graph.Inputs[0];
        if (rows.Length != (long)count * input.RowLength)
            throw new ArgumentException($"Input '{Printable.Text(input.Name)}' takes {input.RowLength} values a row ([{string.Join(", ", input.RowShape)}]), so {count} rows need {(long)count * input.RowLength}; got {rows.Length}.", nameof(rows));
        var batch = session.Run(new Dictionary<string, Array> { [input.Name] = rows }, count);
        var inner = batch.Has(OutputNames.ExplainedInput);
        return [.. Enumerable.Range(0, count).Select(r => Map(batch, r, (inner ? batch.Single(OutputNames.ExplainedInput, r) : rows.AsSpan(r * input.RowLength, input.RowLength)).ToArray()))];
    }

    /// <summary>Releases the session.</summary>
    public void Dispose() => session.Dispose();

    private LinearMap Map(ExplanationBatch batch, int row, float[] x)
    {
        // A row of outputs is K rows of W one after the other, which is W transposed in MathNet's column-major storage.
        var weights = Matrix<float>.Build.Dense(x.Length, Graph.TargetCount, batch.Single(OutputNames.Weights, row).ToArray()).Transpose();
        return new LinearMap(
            weights,
            Vector<float>.Build.Dense(batch.Single(OutputNames.Bias, row).ToArray()),
            Vector<float>.Build.Dense(x),
            Vector<float>.Build.Dense(batch.Single(OutputNames.Score, row).ToArray()),
            Vector<float>.Build.Dense(batch.Single(OutputNames.ExplainedScore, row).ToArray()),
            batch.Int64(OutputNames.ExplainedTarget, row).ToArray(),
            Vector<float>.Build.Dense(batch.Single(OutputNames.LinearizationError, row).ToArray()));
    }
}
