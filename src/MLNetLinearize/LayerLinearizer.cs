using MathNet.Numerics.LinearAlgebra;
using MLNetLinearize.Linearization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Runtime;

namespace MLNetLinearize;

/// <summary>
/// Explains rows by every layer of a network at once, in one run: which units of each layer the score comes from, and how
/// much of it was added behind that layer. Thread-safe after construction.
/// </summary>
/// <remarks>
/// Of <see cref="LinearizeOptions"/> it takes what concerns the network: inputs and output to explain, targets,
/// nonlinearity, budget, threads. Column names and <see cref="LinearizeOptions.TopFeatures"/> have no meaning here. The same
/// values come from <see cref="Linearizer"/> with each layer's tensor as <see cref="LinearizeOptions.ExplainedInputs"/>.
/// </remarks>
public sealed class LayerLinearizer : IDisposable
{
    private readonly ExplanationSession session;

    /// <summary>Compiles a model file and opens a session over it.</summary>
    /// <inheritdoc cref="LinearizationGraph.Compile(string, LinearizeOptions?)"/>
    /// <exception cref="InvalidOperationException">The model takes several inputs, or the targets come from a column.</exception>
    public LayerLinearizer(string modelFile, LinearizeOptions? options = null) : this(OnnxFile.Read(modelFile), options ?? new()) => CheckInputs();

    /// <summary>Compiles a model from a stream and opens a session over it. Weights must be inside it.</summary>
    /// <inheritdoc cref="LayerLinearizer(string, LinearizeOptions?)"/>
    public LayerLinearizer(Stream model, LinearizeOptions? options = null) : this(OnnxFile.Read(model), options ?? new()) => CheckInputs();

    internal LayerLinearizer(ModelProto model, LinearizeOptions options)
    {
        (var graph, Layers) = LayerCompiler.Compile(model, options);
        session = new ExplanationSession(graph);
    }

    /// <summary>The layers, from the explained input (where there is one) to the explained tensor.</summary>
    public IReadOnlyList<NetworkLayer> Layers { get; }

    internal LinearizationGraph Graph => session.Graph;

    /// <summary>One row explained by every layer.</summary>
    /// <param name="row">The row, flattened.</param>
    /// <exception cref="ArgumentException">The row has another length than the model's input.</exception>
    public LayerExplanation Explain(ReadOnlySpan<float> row) => ExplainBatch(row.ToArray(), 1)[0];

    /// <summary>Several rows explained by every layer.</summary>
    /// <param name="rows">The rows, flattened, one after the other.</param>
    /// <param name="count">Number of rows.</param>
    /// <exception cref="ArgumentException">The array's length is not count · row length.</exception>
    public IReadOnlyList<LayerExplanation> ExplainBatch(float[] rows, int count)
    {
        ArgumentNullException.ThrowIfNull(rows);
        var input = Graph.Inputs[0];
        if (rows.Length != (long)count * input.RowLength)
            throw new ArgumentException($"Input '{Printable.Text(input.Name)}' takes {input.RowLength} values a row ([{string.Join(", ", input.RowShape)}]), so {count} rows need {(long)count * input.RowLength}; got {rows.Length}.", nameof(rows));
        return Run(new Dictionary<string, Array> { [input.Name] = rows }, count);
    }

    /// <summary>Releases the session.</summary>
    public void Dispose() => session.Dispose();

    internal IReadOnlyList<LayerExplanation> Run(IReadOnlyDictionary<string, Array> inputs, int count)
    {
        var batch = session.Run(inputs, count);
        return [.. Enumerable.Range(0, count).Select(r => OfRow(batch, r))];
    }

    private LayerExplanation OfRow(ExplanationBatch batch, int row)
    {
        Vector<float> Values(string output) => Vector<float>.Build.Dense(batch.Single(output, row).ToArray());
        var scores = Values(OutputNames.ExplainedScore);
        var layers = Layers.Select(layer => new LayerAttribution(
            layer,
            // K rows one after the other are the transpose in MathNet's column-major storage.
            Matrix<float>.Build.Dense(layer.RowLength, Graph.TargetCount, batch.Single(OutputNames.LayerAttribution + layer.Tensor, row).ToArray()).Transpose(),
            Values(OutputNames.LayerBias + layer.Tensor),
            scores));
        return new LayerExplanation(Values(OutputNames.Score), scores, batch.Int64(OutputNames.ExplainedTarget, row).ToArray(), [.. layers]);
    }

    private void CheckInputs()
    {
        if (Graph.Inputs.Count == 1) return;
        session.Dispose();
        throw new InvalidOperationException($"LayerLinearizer explains networks of one input, for targets that no column names; this one takes [{string.Join(", ", Graph.Inputs.Select(i => Printable.Text(i.Name)))}].");
    }
}
