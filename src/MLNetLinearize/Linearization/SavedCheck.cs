using MLNetLinearize.Preprocessing;
using MLNetLinearize.Runtime;

namespace MLNetLinearize.Linearization;

/// <summary>
/// Whether what stands in a graph's metadata can be: every list and text is there, every number within its range, and they agree with
/// each other. What uses them later counts on it.
/// </summary>
internal static class SavedCheck
{
    // The limit of a .NET array and of a protobuf message, which all values of a row must fit.
    private const int MostElements = int.MaxValue / sizeof(float);

    // Far above what any machine computes for one row, and far enough below the limit of long that sums of it hold.
    private const long MostActivations = 1L << 55;
    private const long MostMultiplyAdds = 1L << 60;

    /// <summary>What graphs in a cache and in a saved model tell alike.</summary>
    /// <exception cref="InvalidModelException">Something cannot be; the message names the field, what it is and what it may be.</exception>
    public static void Graph(IReadOnlyList<SavedTensor> inputs, IReadOnlyList<SavedTensor> explained, int outputCount, int targetCount, Targets targets,
        CompilationReport report)
    {
        Tensors("inputs", inputs);
        Tensors("explained", explained);
        if (explained.Count == 0) throw Damaged("explained", "an empty list", "what the score is explained by");
        foreach (var input in inputs)
        {
            var counted = explained.Any(e => e.Name == (input.Raw is null ? input.Name : RawColumns.Tensor));
            if (input.Explained != counted)
                throw Damaged($"explained of input '{input.Name}'", input.Explained, $"{counted}, by the list of what is explained");
        }
        Between("outputCount", outputCount, 1, MostElements);
        Between("targetCount", targetCount, 1, MostElements);
        var expected = Expected(targets, outputCount);
        if (targetCount != expected) throw Damaged("targetCount", targetCount, $"{expected}, as targets '{targets}' of {outputCount} outputs are");
        foreach (var tensor in explained)
            if ((long)targetCount * Length(tensor) > MostElements)
                throw Damaged("targetCount", targetCount, $"at most {MostElements / Length(tensor):N0} for '{tensor.Name}' of {Length(tensor):N0} elements");
        Report(report, targetCount);
    }

    /// <summary>What a saved model tells beyond that.</summary>
    /// <inheritdoc cref="Graph"/>
    public static void Facts(SavedFacts facts, Targets targets)
    {
        Graph(facts.Inputs, facts.Explained, facts.OutputCount, facts.TargetCount, targets, facts.Report);
        if (Given("prefix", facts.Prefix).TrimStart('_') != SavedFinish.Prefix)
            throw Damaged("prefix", $"'{facts.Prefix}'", $"'{SavedFinish.Prefix}', with or without '_' in front");
        if (facts.TopFeatures is { } top) Between("topFeatures", top, 1, int.MaxValue);
        if (facts.ClassNames is { } names)
        {
            All("classNames", names);
            if (names.Count != facts.OutputCount) throw Damaged("classNames", $"a list of {names.Count} names", $"one for each of {facts.OutputCount} outputs");
        }
        if (facts.LabelColumn != targets.Column)
            throw Damaged("labelColumn", facts.LabelColumn is null ? null : $"'{facts.LabelColumn}'", $"{targets.Column ?? "null"}, by targets '{targets}'");
        foreach (var input in facts.Inputs) Given($"column of input '{input.Name}'", input.Column);
        Columns(facts);
    }

    /// <summary>An output of one value a target, or of one for each element of an explained input.</summary>
    /// <returns>The explained input, or null; false where no graph of this library has such an output.</returns>
    public static bool IsOutput(string name, IReadOnlyList<SavedTensor> explained, out SavedTensor? perInput)
    {
        perInput = explained.FirstOrDefault(e => PerInput.Any(o => name == (explained.Count == 1 ? o : $"{o}.{e.Name}")));
        return perInput is not null || name is OutputNames.Bias or OutputNames.ExplainedTarget or OutputNames.ExplainedScore or OutputNames.LinearizationError;
    }

    /// <summary>Elements of a row of an input or explained tensor.</summary>
    public static long Length(SavedTensor tensor) => tensor.Shape.Aggregate(1L, (a, d) => a * d);

    public static InvalidModelException Damaged(string field, object? actual, string expected) =>
        new($"The saved linearization graph's metadata is damaged: {field} is {actual ?? "null"}, expected {expected}. " +
            "Save the model again from the network it was made of.");

    private static string[] PerInput => [OutputNames.Attribution, OutputNames.Weights];

    private static void Columns(SavedFacts facts)
    {
        All("outputs", facts.Outputs);
        if (facts.Outputs.Count == 0) throw Damaged("outputs", "an empty list", "the columns that the model appends");
        foreach (var (output, column, grouped) in facts.Outputs)
        {
            var isKnown = IsOutput(Given("output of a column", output), facts.Explained, out var input);
            if (!isKnown || grouped && !output.StartsWith(OutputNames.Attribution, StringComparison.Ordinal))
                throw Damaged("output of a column", $"'{output}'{(grouped ? " in groups" : "")}", "one of a linearization graph's outputs");
            if (Given($"column of output '{output}'", column).Trim().Length == 0) throw Damaged($"column of output '{output}'", "empty", "the column's name");
            if (input is not null && facts.Explained.Count > 1 && !column.EndsWith("." + input.Name, StringComparison.Ordinal))
                throw Damaged($"column of output '{output}'", $"'{column}'", $"a name with '.{input.Name}' behind it");
        }
        if (facts.Outputs.GroupBy(o => o.Column).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw Damaged($"column '{twice.Key}'", $"there {twice.Count()} times", "each column once");
        if (facts.Outputs.GroupBy(o => (o.Output, o.Grouped)).FirstOrDefault(g => g.Count() > 1) is { } same)
            throw Damaged($"output '{same.Key.Output}'", $"shown by {same.Count()} columns", "one column for each output");
        // Columns for several explained inputs come from one option, so that all or none are there, under one name.
        foreach (var (kind, grouped) in PerInput.SelectMany(o => new[] { (o, false), (o, true) }).Where(_ => facts.Explained.Count > 1))
        {
            string? Base(SavedTensor e) => facts.Outputs.FirstOrDefault(o => o.Output == $"{kind}.{e.Name}"
                && o.Grouped == grouped)?.Column[..^(e.Name.Length + 1)];
            var bases = facts.Explained.Select(Base).Distinct().ToList();
            if (bases.Count > 1)
                throw Damaged($"the columns of '{kind}'", $"named [{string.Join(", ", bases.Select(b => b ?? "none"))}]",
                    "one name with each explained input's behind it");
        }
    }

    private static void Tensors(string list, IReadOnlyList<SavedTensor>? tensors)
    {
        foreach (var tensor in All(list, tensors))
        {
            Given($"name in {list}", tensor.Name);
            if (OrtArrays.TypeNamed(Given($"type of '{tensor.Name}'", tensor.Type)) is null)
                throw Damaged($"type of '{tensor.Name}'", $"of type '{tensor.Type}', which ONNX lacks", "such as Single or Int64");
            Shape($"shape of '{tensor.Name}'", tensor.Shape, least: 1, MostElements);
            if (tensor.Raw?.Pixels is not { } pixels) continue;
            if (string.IsNullOrEmpty(pixels.Channels) || pixels.Height < 1 || pixels.Width < 1
                || (decimal)pixels.Channels.Length * pixels.Height * pixels.Width != Length(tensor))
                throw Damaged($"pixels of '{tensor.Name}'", $"{pixels.Height} × {pixels.Width} of channels '{pixels.Channels}'",
                    $"an image of {Length(tensor):N0} values");
        }
        if (tensors!.GroupBy(t => t.Name).FirstOrDefault(g => g.Count() > 1) is { } twice)
            throw Damaged(list, $"a list with '{twice.Key}' in it {twice.Count()} times", "each name once");
    }

    private static void Report(CompilationReport? report, int targetCount)
    {
        Given("report", report);
        Given("explainedOutput of the report", report!.ExplainedOutput);
        All("notes of the report", report.Notes);
        if (report.Cut is { } cut)
        {
            Given("operator of the cut activation", cut.Operator);
            All("further of the cut activation", cut.Further);
        }
        var (activations, work) = (0L, 0L);
        foreach (var node in All("nodes of the report", report.Nodes))
        {
            Given("name of a node", node.Name);
            Given($"operator of node '{node.Name}'", node.Operator);
            Given($"rule of node '{node.Name}'", node.Rule);
            Given($"reading of node '{node.Name}'", node.Reading);
            All($"inputs of node '{node.Name}'", node.Inputs);
            All($"outputs of node '{node.Name}'", node.Outputs);
            Shape($"outputShape of node '{node.Name}'", node.OutputShape, least: 0, int.MaxValue);
            Between($"multiplyAdds of node '{node.Name}'", node.MultiplyAdds, 0, MostMultiplyAdds);
            activations = Math.Min(MostActivations + 1, activations + node.OutputShape.Aggregate(1L, (a, d) => a * d));
            work = Math.Min(MostMultiplyAdds + 1, work + node.MultiplyAdds);
        }
        Between("the sum of the nodes' elements", activations, 0, MostActivations / targetCount);
        Between("the sum of the nodes' multiplyAdds", work, 0, MostMultiplyAdds);
        if (report.Accumulation is not { } order) return;
        Between("multiplyAdds of the accumulation", order.MultiplyAdds, 0, MostMultiplyAdds);
        Between("reverseMultiplyAdds of the accumulation", order.ReverseMultiplyAdds, 0, MostMultiplyAdds);
        Between("elements of the accumulation", order.Elements, 0, MostActivations);
        if (order.CutWidth is { } width) Between("cutWidth of the accumulation", width, 1, int.MaxValue);
        if (order.CutTensor is null != order.CutWidth is null)
            throw Damaged("cutWidth of the accumulation", order.CutWidth, order.CutTensor is null ? "null, as nothing is cut"
                : $"the width of '{order.CutTensor}'");
    }

    private static int Expected(Targets targets, int outputCount)
    {
        try
        {
            return TargetSeed.Count(targets, outputCount);
        }
        catch (InvalidModelException e)
        {
            throw Damaged("targets", $"'{targets}'", $"such as the {outputCount} outputs have ({e.Message})");
        }
    }

    private static void Shape(string field, IReadOnlyList<int>? shape, int least, long most)
    {
        Given(field, shape);
        var length = 1L;
        foreach (var d in shape!)
        {
            Between($"a dimension in {field}", d, least, int.MaxValue);
            length = Math.Min(most + 1, length * d);
        }
        if (length > most) throw Damaged(field, $"[{string.Join(", ", shape.Take(8))}{(shape.Count > 8 ? ", …" : "")}]", $"at most {most:N0} elements");
    }

    private static void Between(string field, long value, long least, long most)
    {
        if (value < least || value > most) throw Damaged(field, value, $"a number from {least} to {most}");
    }

    private static T Given<T>(string field, T? value) where T : class => value ?? throw Damaged(field, null, "a value");

    private static IReadOnlyList<T> All<T>(string field, IReadOnlyList<T>? values) where T : class
    {
        if (Given(field, values).Any(v => v is null)) throw Damaged(field, "a list with null in it", "values alone");
        return values!;
    }
}
