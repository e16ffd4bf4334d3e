using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// Decides what is explained (the score) and by what (the inputs). ML.NET's exporter makes every column an output, the inputs first; of
/// its models the score is explained.
/// </summary>
internal static class ExplainedTensors
{
    public static (string Output, CutActivation? Cut) ResolveOutput(Graph graph, LinearizeOptions options, long opset)
    {
        var made = graph.Nodes.SelectMany(n => n.Output).Where(o => o.Length > 0).ToHashSet();
        if (options.ExplainedOutput is { } named)
            return made.Contains(named) ? (named, null) : throw new InvalidModelException($"ExplainedOutput '{named}' is no tensor that the model computes. Its outputs are [{string.Join(", ", graph.Outputs.Select(o => o.Name))}]; any inner tensor may be named as well.{NearestNames.Hint(named, made)}");
        var floats = graph.Outputs.Where(o => IsFloat(o) && made.Contains(o.Name)).ToList();
        var output = floats.FirstOrDefault(o => graph.Header.ProducerName == "ML.NET" && o.Name is "Score.output" or "Score0") ?? floats.FirstOrDefault()
            ?? throw NoOutput(graph, opset);
        return (output.Name, FinalActivation.Cut(graph, output.Name));
    }

    /// <summary>The named inputs, else all float ones that <paramref name="output"/> depends on.</summary>
    public static IReadOnlyList<string> ResolveInputs(Graph graph, LinearizeOptions options, long opset, string output)
    {
        if (options.ExplainedInputs is not { Count: > 0 } named)
        {
            var floats = graph.Inputs.Where(IsFloat).Select(i => i.Name).ToList();
            var behind = ValueFlow.Behind(graph, output);
            return floats.Any(behind.Contains) ? [.. floats.Where(behind.Contains)] : floats.Count > 0 ? floats : throw NoInput(graph, opset);
        }
        var known = graph.Inputs.Select(i => i.Name).Concat(graph.Nodes.SelectMany(n => n.Output)).ToHashSet();
        if (named.FirstOrDefault(n => !known.Contains(n)) is { } missing)
            throw new InvalidModelException($"ExplainedInputs names '{missing}', which the model does not have. Its inputs are [{string.Join(", ", graph.Inputs.Select(i => i.Name))}]; any inner tensor may be named as well.{NearestNames.Hint(missing, known)}");
        return [.. named];
    }

    private static Exception NoOutput(Graph graph, long opset)
    {
        if (MakersOf(graph, opset, graph.Outputs.Select(o => o.Name).ToHashSet()) is { Count: > 0 } makers) return new UnsupportedOperatorException(makers);
        // A classifier's label is left out with what makes it, and a sequence has no element type.
        var why = graph.Outputs.Any(o => o.Type?.TensorType is null)
            ? "A sequence, a dictionary or an optional value is no tensor: export the model with tensors as outputs (of scikit-learn, with zipmap off), or name a float inner tensor as ExplainedOutput."
            : "A class label has no slope: export the model with its scores or probabilities as an output, or name a float inner tensor as ExplainedOutput.";
        return new InvalidModelException($"The model has no float output to explain; its outputs are [{Listed(graph.Outputs)}]. {why}") { IsModelSound = true };
    }

    private static Exception NoInput(Graph graph, long opset) => ReadersOf(graph, opset, graph.Inputs.Select(i => i.Name).ToHashSet()) is { Count: > 0 } readers
        ? new UnsupportedOperatorException(readers)
        : new InvalidModelException(graph.Inputs.Count == 0
            ? "The model takes no input, so that nothing explains its output. Name a float inner tensor in ExplainedInputs."
            : $"The model has no input of float numbers to explain by; its inputs are [{Listed(graph.Inputs)}]. Name a float tensor that is made from them, such as an embedding, in ExplainedInputs.")
        { IsModelSound = true };

    private static string Listed(IEnumerable<ValueInfoProto> values) => string.Join(", ", values.Select(v => $"{v.Name}: {Text(v.Type)}"));

    private static string Text(TypeProto? type) => type switch
    {
        { SequenceType: { } sequence } => $"sequence of {Text(sequence.ElemType)}",
        { MapType: { } map } => $"dictionary of {Text(map.ValueType)} by {(DataType)map.KeyType}",
        { OptionalType: { } optional } => $"optional {Text(optional.ElemType)}",
        _ => $"{(DataType)(type?.TensorType?.ElemType ?? 0)}",
    };

    /// <summary>What makes outputs that are no float numbers, and every operator of another domain on the way.</summary>
    private static List<UnsupportedNode> MakersOf(Graph graph, long opset, HashSet<string> outputs) =>
        [.. graph.Nodes.Where(n => !n.IsStandard() || n.Output.Any(outputs.Contains)).Select(n => n.Unsupported(opset, n.IsStandard()
            ? ($"the model has no float output to explain, and this node makes one of [{Listed(graph.Outputs)}]", "name a float inner tensor as ExplainedOutput")
            : ($"it is an operator of the domain '{n.Domain}', whose mathematics is unknown here", "explain the float tensors between such nodes with ExplainedInputs and ExplainedOutput, in a model without them")))];

    /// <summary>What reads inputs that are no float numbers.</summary>
    private static List<UnsupportedNode> ReadersOf(Graph graph, long opset, HashSet<string> inputs) =>
        [.. graph.Nodes.Where(n => n.Input.Any(inputs.Contains) && n.OpType is not ("Shape" or "Size")).Select(n => n.Unsupported(opset,
            ($"it reads [{Listed(graph.Inputs)}], and only float numbers have a slope to explain by", "name the float tensor made from them (such as an embedding) in ExplainedInputs")))];

    private static bool IsFloat(ValueInfoProto value) => value.Type is null or { TensorType: null, SequenceType: null, MapType: null, OptionalType: null } || value.Type.TensorType is not null && Type(value) is DataType.Float or DataType.Double or DataType.Undefined;

    private static DataType Type(ValueInfoProto value) => (DataType)(value.Type?.TensorType?.ElemType ?? 0);
}
