using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using MLNetLinearize.Preprocessing;
using MLNetLinearize.Runtime;

namespace MLNetLinearize.Linearization;

/// <summary>
/// What a saved graph tells about itself beyond its nodes, as JSON in its metadata: enough to make the batch graph of it
/// again, without the model it was compiled from.
/// </summary>
internal sealed record SavedFacts
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        // A number may stand for no kind.
        Converters = { new JsonStringEnumConverter(namingPolicy: null, allowIntegerValues: false) },
    };

    /// <summary>Raised when a reader of the former layout would go wrong. From 2 on a hash stands beside it (<see cref="Onnx.ModelSeal"/>).</summary>
    public const int CurrentLayout = 2;

    public required int Layout { get; init; }
    public string? Version { get; init; }
    public required string Prefix { get; init; }
    public required string Targets { get; init; }
    public required string Nonlinearity { get; init; }
    public required int OutputCount { get; init; }
    public required int TargetCount { get; init; }
    public required bool RowByRow { get; init; }
    public int? TopFeatures { get; init; }
    public IReadOnlyList<string>? ClassNames { get; init; }
    public string? LabelColumn { get; init; }
    public required IReadOnlyList<SavedTensor> Inputs { get; init; }
    public required IReadOnlyList<SavedTensor> Explained { get; init; }
    public required IReadOnlyList<SavedColumn> Outputs { get; init; }
    public required CompilationReport Report { get; init; }

    public static SavedFacts Of(LinearizationGraph graph, IReadOnlyList<SavedInput> inputs, IReadOnlyList<SavedOutput> outputs, SavedLabel? label, string prefix) => new()
    {
        Layout = CurrentLayout,
        Version = typeof(SavedFacts).Assembly.GetName().Version?.ToString(3),
        Prefix = prefix,
        Targets = graph.Options.Targets.ToString(),
        Nonlinearity = graph.Options.Nonlinearity.ToString(),
        OutputCount = graph.OutputCount,
        TargetCount = graph.TargetCount,
        RowByRow = graph.IsRowByRow,
        TopFeatures = graph.Options.TopFeatures,
        ClassNames = graph.Options.ClassNames,
        LabelColumn = label?.Column,
        Inputs = [.. inputs.Select(i => SavedTensor.Of(i.Input, i.Column))],
        Explained = [.. graph.ExplainedInputs.Select(i => SavedTensor.Of(i, null))],
        Outputs = [.. outputs.Select(o => new SavedColumn(o.Output, o.Column, o.Groups is not null))],
        Report = graph.Report,
    };

    public string Write() => JsonSerializer.Serialize(this, Json);

    /// <exception cref="InvalidModelException">The text is damaged, of another version of the library, or tells what cannot be.</exception>
    public static SavedFacts Read(string text)
    {
        SavedFacts facts;
        try
        {
            facts = JsonSerializer.Deserialize<SavedFacts>(text, Json) ?? throw new JsonException("It is null.");
        }
        catch (JsonException e)
        {
            throw new InvalidModelException($"The saved linearization graph's metadata '{SavedFinish.MetadataKey}' is damaged: {e.Message} Save the model again with this version of MLNetLinearize.", e);
        }
        if (facts.Layout != CurrentLayout)
            throw new InvalidModelException($"The saved linearization graph was written by MLNetLinearize {facts.Version ?? "of unknown version"} in layout {facts.Layout}; this version reads layout {CurrentLayout}. Update the package, or save the model again.");
        ReadNonlinearity(facts.Nonlinearity);
        SavedCheck.Facts(facts, ReadTargets(facts.Targets));
        return facts;
    }

    /// <summary>The options that the graph was compiled and its columns were named with.</summary>
    public LinearizeOptions Options(int? batchSize, int? gpuDeviceId, bool fallbackToCpu, int? threads) => new()
    {
        InputColumns = Inputs.ToDictionary(i => i.Name, i => i.Column!),
        ExplainedInputs = [.. Explained.Select(i => i.Name)],
        ExplainedOutput = Report.ExplainedOutput,
        Targets = ReadTargets(Targets),
        Nonlinearity = ReadNonlinearity(Nonlinearity),
        ClassNames = ClassNames,
        TopFeatures = TopFeatures,
        AttributionColumn = PerInput(OutputNames.Attribution),
        BiasColumn = Column(OutputNames.Bias),
        WeightsColumn = PerInput(OutputNames.Weights),
        ExplainedTargetColumn = Column(OutputNames.ExplainedTarget),
        ExplainedScoreColumn = Column(OutputNames.ExplainedScore),
        LinearizationErrorColumn = Column(OutputNames.LinearizationError),
        GroupedAttributionColumn = PerInput(OutputNames.Attribution, grouped: true),
        BatchSize = batchSize,
        GpuDeviceId = gpuDeviceId,
        FallbackToCpu = fallbackToCpu,
        Threads = threads,
    };

    private string? Column(string output, bool grouped = false) => Outputs.FirstOrDefault(o => o.Output == output && o.Grouped == grouped)?.Column;

    /// <summary>With several explained inputs there is a column for each, the option's name followed by the input's.</summary>
    private string? PerInput(string output, bool grouped = false)
    {
        if (Explained.Count == 1) return Column(output, grouped);
        var suffix = "." + Explained[0].Name;
        return Column(output + suffix, grouped)?[..^suffix.Length];
    }

    // Numbers would be parsed as well, also those that stand for no kind.
    private static Nonlinearity ReadNonlinearity(string? text) =>
        Enum.GetNames<Nonlinearity>().Contains(text) ? Enum.Parse<Nonlinearity>(text!) : throw Unknown("nonlinearity", text);

    private static Targets ReadTargets(string? text)
    {
        if (text is null) throw Unknown("targets", text);
        var (kind, rest) = text.Split(':', 2) is [var k, var r] ? (k, r) : (text, "");
        try
        {
            int[] Indices() => [.. rest.Split(',').Select(i => int.Parse(i, CultureInfo.InvariantCulture))];
            return kind switch
            {
                "predicted" => MLNetLinearize.Targets.Predicted,
                "all" => MLNetLinearize.Targets.All,
                "predicted-vs-runner-up" => MLNetLinearize.Targets.PredictedVersusRunnerUp,
                "top" => MLNetLinearize.Targets.Top(Indices()[0]),
                "classes" => MLNetLinearize.Targets.Classes(Indices()),
                "contrast" => MLNetLinearize.Targets.Contrast(Indices()[0], Indices()[1]),
                "column" => MLNetLinearize.Targets.FromColumn(rest),
                _ => throw Unknown("targets", text),
            };
        }
        catch (Exception e) when (e is FormatException or ArgumentException or IndexOutOfRangeException or OverflowException)
        {
            throw Unknown("targets", text);
        }
    }

    private static InvalidModelException Unknown(string what, string? text) =>
        new($"The saved linearization graph's {what} '{text ?? "null"}' are none that this version of MLNetLinearize knows. " +
            "Update the package, or save the model again.");
}

/// <summary>An input or explained tensor, and the column that feeds it.</summary>
internal sealed record SavedTensor(string Name, string? Column, string Type, IReadOnlyList<int> Shape, bool BatchAxis, bool Explained, RawSource? Raw = null)
{
    public static SavedTensor Of(GraphInput input, string? column) => new(input.Name, column, input.ElementType.Name, input.RowShape, input.HasBatchAxis, input.IsExplained, input.Raw);

    public GraphInput ToGraphInput() => new(Name, OrtArrays.TypeNamed(Type) ?? throw new InvalidModelException($"The saved linearization graph's input '{Name}' is of type '{Type}', which ONNX lacks. Save the model again."), Shape, BatchAxis, Explained) { Raw = Raw };
}

/// <summary>A graph output and the column that shows it, or its sums over original columns.</summary>
internal sealed record SavedColumn(string Output, string Column, bool Grouped);
