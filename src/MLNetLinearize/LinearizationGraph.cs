using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Preprocessing;
using MLNetLinearize.Runtime;

namespace MLNetLinearize;

/// <summary>
/// A network compiled to its linearization graph: an ordinary ONNX model in standard <c>ai.onnx</c> operators that gives,
/// for each row and each explained target, score, attribution, bias, weight row and error.
/// </summary>
/// <remarks>
/// Outputs, with N rows, K targets, C network outputs and an explained input of shape d… a row: <c>Score [N, C]</c> (the
/// explained tensor), <c>ExplainedTarget [N, K]</c> (Int64), <c>Attribution [N, K, d…]</c> (W∘x), <c>Bias [N, K]</c>,
/// <c>Weights [N, K, d…]</c>, <c>ExplainedScore [N, K]</c>, <c>LinearizationError [N, K]</c>. With several explained
/// inputs, attribution and weights come once each as <c>Attribution.&lt;input&gt;</c> and <c>Weights.&lt;input&gt;</c>. Where
/// an inner tensor is explained, its value comes as <c>ExplainedInput [N, d…]</c>.
/// </remarks>
public sealed class LinearizationGraph
{
    private ExplanationSession? kept;

    internal LinearizationGraph(ModelProto model, IReadOnlyList<GraphInput> inputs, IReadOnlyList<GraphInput> explainedInputs, int outputCount, int targetCount, bool isRowByRow, LinearizeOptions options, CompilationReport report)
    {
        Model = model;
        Inputs = inputs;
        ExplainedInputs = explainedInputs;
        OutputCount = outputCount;
        TargetCount = targetCount;
        IsRowByRow = isRowByRow;
        Options = options;
        Report = report;
    }

    /// <summary>Compiles a model file.</summary>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="InvalidModelException">The file is corrupt, an input's shape is open, or an option names what the model lacks.</exception>
    /// <exception cref="UnsupportedOperatorException">Operators on the way have no rule; the message lists them all.</exception>
    /// <exception cref="ArgumentException">An option is out of range, or a stage of <see cref="LinearizeOptions.Preprocessing"/> is not affine; the message names it.</exception>
    public static LinearizationGraph Compile(string modelFile, LinearizeOptions? options = null) => Linearization.Compiler.Compile(OnnxFile.Read(modelFile), options ?? new());

    /// <summary>Compiles a model from a stream. Weights must be inside it.</summary>
    /// <inheritdoc cref="Compile(string, LinearizeOptions?)"/>
    public static LinearizationGraph Compile(Stream model, LinearizeOptions? options = null) => Linearization.Compiler.Compile(OnnxFile.Read(model), options ?? new());

    /// <summary>The graph's inputs, in the model's order; with <see cref="Targets.FromColumn"/> the label input <c>ExplainedLabel</c> (Int64 <c>[N, 1]</c>) comes last.</summary>
    public IReadOnlyList<GraphInput> Inputs { get; }

    /// <summary>What the score is explained by: model inputs, or inner tensors that <see cref="LinearizeOptions.ExplainedInputs"/> names.</summary>
    public IReadOnlyList<GraphInput> ExplainedInputs { get; }

    /// <summary>Number C of elements of the explained tensor in a row.</summary>
    public int OutputCount { get; }

    /// <summary>Number K of explained targets a row.</summary>
    public int TargetCount { get; }

    /// <summary>Whether the network has no usable batch axis, so that the graph takes one row per run.</summary>
    public bool IsRowByRow { get; }

    /// <summary>What the compiler found and did.</summary>
    public CompilationReport Report { get; }

    /// <summary>
    /// Writes the graph as an ONNX file that any ONNX runtime runs. Its metadata <c>mlnetlinearize.sha256</c> is the SHA-256 of the file's
    /// bytes without that entry.
    /// </summary>
    /// <exception cref="IOException">The file cannot be written; what was there before is untouched.</exception>
    public void Save(string path)
    {
        var model = Model.Clone();
        ModelSeal.Put(model);
        OnnxFile.Write(model, path);
    }

    internal ModelProto Model { get; }

    /// <summary>A session over all outputs: the one that was kept, for the first who asks, else a new one.</summary>
    internal ExplanationSession Open() => Interlocked.Exchange(ref kept, null) ?? new ExplanationSession(this);

    internal void Keep(ExplanationSession session) => kept = session;

    internal LinearizeOptions Options { get; }

    /// <summary>What was put in front of the network, to be held to the data at Fit; null without preprocessing, and once the graph is bound to columns.</summary>
    internal RawColumns? Raw { get; private init; }

    /// <summary>The same graph for made-up rows (<see cref="ClassicalModels.Admitting"/>); itself where it takes any.</summary>
    internal LinearizationGraph Admitting() => ClassicalModels.Admitting(Model) is var model && ReferenceEquals(model, Model)
        ? this
        : new(model, Inputs, ExplainedInputs, OutputCount, TargetCount, IsRowByRow, Options, Report);

    /// <summary>The same graph under other options for columns.</summary>
    internal LinearizationGraph With(LinearizeOptions options) => new(Model, Inputs, ExplainedInputs, OutputCount, TargetCount, IsRowByRow, options, Report);

    /// <summary>The same graph with another report.</summary>
    internal LinearizationGraph With(CompilationReport report) => new(Model, Inputs, ExplainedInputs, OutputCount, TargetCount, IsRowByRow, Options, report) { kept = kept };

    /// <summary>The same graph, with what was put in front of the network.</summary>
    internal LinearizationGraph With(RawColumns? raw) => new(Model, Inputs, ExplainedInputs, OutputCount, TargetCount, IsRowByRow, Options, Report) { kept = kept, Raw = raw };

    /// <summary>Name of the attribution output of an explained input.</summary>
    internal string AttributionOf(GraphInput input) => OutputNames.Of(OutputNames.Attribution, input, ExplainedInputs);

    /// <summary>Name of the weights output of an explained input.</summary>
    internal string WeightsOf(GraphInput input) => OutputNames.Of(OutputNames.Weights, input, ExplainedInputs);
}

/// <summary>One input of a linearization graph.</summary>
/// <param name="Name">Name of the ONNX input.</param>
/// <param name="ElementType">Type of its elements.</param>
/// <param name="RowShape">Shape of one row, without the batch axis.</param>
/// <param name="HasBatchAxis">Whether the ONNX input's first axis counts rows; if not, one row is the whole input.</param>
/// <param name="IsExplained">Whether the score is explained by it.</param>
public sealed record GraphInput(string Name, Type ElementType, IReadOnlyList<int> RowShape, bool HasBatchAxis, bool IsExplained)
{
    /// <summary>The properties by name.</summary>
    public override string ToString() => RecordText.Of(this);

    /// <summary>Number of elements of one row.</summary>
    public int RowLength => RowShape.Aggregate(1, (a, d) => a * d);

    /// <summary>What is known of it where it is a raw column in front of the preprocessing, else null.</summary>
    internal RawSource? Raw { get; init; }
}

/// <summary>Names of the graph's outputs and of its label input.</summary>
internal static class OutputNames
{
    /// <summary>Name of an output that comes once for each explained input; the input stands behind it where there are several.</summary>
    public static string Of(string output, GraphInput input, IReadOnlyCollection<GraphInput> explained) => explained.Count > 1 ? $"{output}.{input.Name}" : output;

    public const string Score = "Score";
    public const string ExplainedTarget = "ExplainedTarget";
    public const string Attribution = "Attribution";
    public const string Bias = "Bias";
    public const string Weights = "Weights";
    public const string ExplainedScore = "ExplainedScore";
    public const string LinearizationError = "LinearizationError";
    public const string Label = "ExplainedLabel";

    /// <summary>Contributions of a layer's tensor, whose name stands behind.</summary>
    public const string LayerAttribution = "LayerAttribution.";

    /// <summary>Bias that is added behind a layer's tensor, whose name stands behind.</summary>
    public const string LayerBias = "LayerBias.";

    /// <summary>Value of an explained inner tensor, which a caller cannot know otherwise.</summary>
    public const string ExplainedInput = "ExplainedInput";
}
