using Microsoft.ML;
using Microsoft.ML.Runtime;
using MLNetLinearize.Linearization;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Transforms;

/// <summary>
/// Explains every row by the exact local affine map of an ONNX network, <c>F(x) = W·x + b</c>, in appended columns.
/// </summary>
/// <remarks>
/// <format type="text/markdown"><![CDATA[
///
/// ### Estimator Characteristics
/// |  |  |
/// | -- | -- |
/// | Does this estimator need to look at the data to train its parameters? | No |
/// | Input column data type | Known-sized vector of <xref:System.Single> with as many slots as the model's input has elements a row, or a scalar for one element |
/// | Output column data type | See the table of columns |
/// | Required NuGet in addition to Microsoft.ML | MLNetLinearize |
/// | Exportable to ONNX | No; the saved model holds an ONNX graph |
///
/// The columns, with K targets a row and an explained input of shape d…:
///
/// | Column (default name) | Type | Meaning |
/// | -- | -- | -- |
/// | `Attribution` | Vector of Single, [K, d…], or [d…] where K = 1 | W∘x: what each input contributed to the score |
/// | `Bias` | Vector of Single, [K] | b: what no input contributed |
/// | `Weights` | as Attribution | rows of W |
/// | `ExplainedTarget` | Vector of Int64, [K] | index of the output that is explained |
/// | `ExplainedScore` | Vector of Single, [K] | F(x), before a final Softmax, LogSoftmax or Sigmoid |
/// | `LinearizationError` | Vector of Single, [K] | \|F − (Σ Attribution + b)\| / max(1, \|F\|) |
///
/// With `GroupedAttributionColumn` set there is one more, a vector of Single, [K, columns]: the attribution summed over the
/// slots of each original column.
///
/// With several explained inputs there is one `Attribution.<input>` and one `Weights.<input>` column for each.
///
/// Slots of Attribution and Weights are named by the slot names of the input column; without those, by the position in
/// the ONNX input, from 0 and without the batch axis: `[12]` in a vector, `[0,12,7]` (channel, row, column) in an image
/// of shape [C, H, W]. No positions are written above 100,000 slots, and no names at all above 1,000,000. With
/// Targets.All and Targets.Classes the class stands before (`cat|[0,12,7]`), with Targets.Contrast both classes
/// (`cat vs dog|[0,12,7]`), with Targets.Top the rank (`#1|[0,12,7]`).
///
/// With `Preprocessing` set, the columns that feed the model are replaced by the raw columns in front of the fitted stages:
/// numbers of any type, scalars or known-sized vectors. They are explained as one vector of all their slots; pixels of an
/// image are named by channel, row and column (`R[12,7]`).
///
/// The fitted transformer is saved with the model as ONNX Runtime's stage of ML.NET, so that a program without this
/// library loads it and gets the same columns. That stage runs one row at a time; where this library is present,
/// RestoreLinearization of mlContext.Model puts the transformer back in its place.
/// ]]></format>
/// </remarks>
public sealed class LinearizingEstimator : IEstimator<LinearizingTransformer>
{
    private readonly Lazy<LinearizationGraph> graph;

    internal LinearizingEstimator(string modelFile, LinearizeOptions options) : this(OnnxFile.Read(modelFile), options) { }

    internal LinearizingEstimator(Stream model, LinearizeOptions options) : this(OnnxFile.Read(model), options) { }

    internal LinearizingEstimator(LinearizationGraph graph) => this.graph = new(graph);

    private LinearizingEstimator(ModelProto model, LinearizeOptions options) => graph = new(() => Compiler.Compile(model, options));

    /// <summary>
    /// Compiles the model, checks the columns, and returns the transformer. No row is read, but with <see cref="LinearizeOptions.Preprocessing"/> the first
    /// 64, to compare what it makes of them with the stages' own output.
    /// </summary>
    /// <param name="input">Data whose schema has the model's inputs.</param>
    /// <exception cref="ArgumentException">A column is missing, has another type or size, an output column's name is taken, or a stage of the preprocessing is not affine.</exception>
    /// <exception cref="InvalidModelException">An input's shape is open, or an option names what the model lacks.</exception>
    /// <exception cref="UnsupportedOperatorException">Operators on the way have no rule; the message lists them all.</exception>
    public LinearizingTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var compiled = graph.Value;
        if (compiled.Options.Log is { } log) Tell(log, compiled.Report);
        var transformer = new LinearizingTransformer(compiled, input.Schema);
        compiled.Raw?.Compare(input);
        return transformer;
    }

    /// <summary>The columns that <see cref="Fit"/>'s transformer will give for this shape of schema.</summary>
    /// <exception cref="ArgumentException">A column is missing or has another type, or an output column's name is taken.</exception>
    /// <exception cref="InvalidModelException">An input's shape is open, or an option names what the model lacks.</exception>
    /// <exception cref="UnsupportedOperatorException">Operators on the way have no rule; the message lists them all.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        return SchemaPromise.Make(graph.Value, inputSchema);
    }

    private static void Tell(IHostEnvironment log, CompilationReport report)
    {
        using var channel = log.Start(nameof(LinearizingEstimator));
        if (report.CutActivation is { } cut) channel.Info(MessageSensitivity.None, $"The final {cut} is cut: explained are the logits that '{report.ExplainedOutput}' is made of.");
        if (report.RowByRowReason is { } reason) channel.Info(MessageSensitivity.None, $"The network runs row by row: {reason}.");
        foreach (var note in report.Notes) channel.Warning(MessageSensitivity.None, note);
    }
}
