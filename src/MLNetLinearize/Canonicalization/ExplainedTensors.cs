using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// Decides what is explained (the score) and by what (the inputs), and takes a final Softmax, LogSoftmax or Sigmoid off:
/// a probability is explained by its logit, since squashing is not affine and saturates. Shape operators after the
/// activation stay, so that an output index means the same as in the model.
/// </summary>
internal static class ExplainedTensors
{
    public static (string Output, string? Cut) ResolveOutput(Graph graph, LinearizeOptions options)
    {
        var made = graph.Nodes.SelectMany(n => n.Output).Where(o => o.Length > 0).ToHashSet();
        if (options.ExplainedOutput is { } named)
            return made.Contains(named) ? (named, null) : throw new InvalidModelException($"ExplainedOutput '{named}' is no tensor that the model computes. Its outputs are [{string.Join(", ", graph.Outputs.Select(o => o.Name))}]; any inner tensor may be named as well.");
        var output = graph.Outputs.FirstOrDefault(o => IsFloat(o) && made.Contains(o.Name))
            ?? throw new InvalidModelException($"The model has no float output to explain: [{string.Join(", ", graph.Outputs.Select(o => $"{o.Name}: {Type(o)}"))}]. Convert a float16 model to float32, or name a float32 inner tensor as ExplainedOutput.");
        return (output.Name, CutActivation(graph, output.Name));
    }

    public static IReadOnlyList<string> ResolveInputs(Graph graph, LinearizeOptions options)
    {
        if (options.ExplainedInputs is not { Count: > 0 } named)
        {
            var floats = graph.Inputs.Where(IsFloat).Select(i => i.Name).ToList();
            return floats.Count > 0 ? floats : throw new InvalidModelException($"The model has no float input to explain the score by: [{string.Join(", ", graph.Inputs.Select(i => $"{i.Name}: {Type(i)}"))}]. Integers have no slope; name the float tensor made from them (such as an embedding) in ExplainedInputs.");
        }
        var known = graph.Inputs.Select(i => i.Name).Concat(graph.Nodes.SelectMany(n => n.Output)).ToHashSet();
        if (named.FirstOrDefault(n => !known.Contains(n)) is { } missing)
            throw new InvalidModelException($"ExplainedInputs names '{missing}', which the model does not have. Its inputs are [{string.Join(", ", graph.Inputs.Select(i => i.Name))}]; any inner tensor may be named as well.");
        return [.. named];
    }

    private static bool IsFloat(ValueInfoProto value) => value.Type?.TensorType is null || Type(value) is DataType.Float or DataType.Double or DataType.Undefined;

    private static DataType Type(ValueInfoProto value) => (DataType)(value.Type?.TensorType?.ElemType ?? 0);

    private static string? CutActivation(Graph graph, string output)
    {
        var producers = new Dictionary<string, NodeProto>();
        foreach (var node in graph.Nodes)
            foreach (var o in node.Output) producers[o] = node;
        for (var name = output; producers.TryGetValue(name, out var node); name = node.Input[0])
        {
            if (!node.IsStandard()) return null;
            if (node.OpType is "Softmax" or "LogSoftmax" or "Sigmoid")
            {
                var cut = node.OpType;
                node.OpType = "Identity";
                node.Attribute.Clear();
                return cut;
            }
            if (node.OpType is not ("Identity" or "Reshape" or "Flatten" or "Squeeze" or "Unsqueeze" or "Transpose" or "Cast")) return null;
        }
        return null;
    }
}
