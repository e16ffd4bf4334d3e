using MLNetLinearize.Onnx;

namespace MLNetLinearize.Canonicalization;

/// <summary>Elements that count only where a condition, or its opposite, holds.</summary>
internal sealed record Choice(string Condition, bool WhenTrue);

/// <summary>
/// Branches that Where may leave out although they are no number there, such as the logarithm of what it keeps from the
/// logarithm: without a cotangent they must add 0, and not 0·NaN. Their condition is known forward, so that the guard is a
/// linear map of the cotangent as every rule is.
/// </summary>
internal static class Choices
{
    /// <summary>Functions of one number, or of two of one shape, that are infinite or no number somewhere, or have such a slope.</summary>
    private static readonly HashSet<string> Partial = new(StringComparer.Ordinal) { "Log", "Sqrt", "Reciprocal", "Div", "Pow", "Asin", "Acos", "Acosh", "Atanh" };

    /// <summary>Others that are computed element by element.</summary>
    private static readonly HashSet<string> Total = new(StringComparer.Ordinal)
    {
        "Add", "Sub", "Mul", "Neg", "Abs", "Exp", "Identity", "Relu", "LeakyRelu", "Sigmoid", "Tanh", "Softplus", "Softsign", "Erf", "Sin", "Cos", "Tan", "Sinh", "Cosh", "Asinh", "Atan", "Elu", "Selu", "Celu", "Gelu", "Mish",
    };

    /// <summary>The choice behind each tensor that is no number where it may be left out: all that reads it is that branch.</summary>
    public static Dictionary<string, Choice> Find(CanonicalNetwork network)
    {
        var nodes = network.Graph.Nodes;
        var choices = new Dictionary<string, Choice>(StringComparer.Ordinal);
        if (!nodes.Any(n => n.IsStandard() && n.OpType == "Where")) return choices;
        var readers = nodes.SelectMany(n => Graph.Reads(n).Distinct().Select(t => (Tensor: t, Node: n))).ToLookup(r => r.Tensor, r => r.Node);
        foreach (var name in Enumerable.Reverse(nodes).SelectMany(n => n.Output).Where(o => o != network.Output && network.IsKnown(o)))
        {
            var claims = readers[name].Select(r => Claim(network, choices, name, r)).Distinct().Take(2).ToList();
            if (claims is [{ } only]) choices[name] = only;
        }
        return Undefined(nodes, choices);
    }

    /// <summary>The choice that a reader makes of a tensor, or hands on from what it makes of it; null where it is another use.</summary>
    private static Choice? Claim(CanonicalNetwork network, Dictionary<string, Choice> choices, string tensor, NodeProto reader)
    {
        if (!reader.IsStandard() || !network.IsKnown(reader.Output[0]) || !network.Shape(tensor).Same(network.Shape(reader.Output[0]))) return null;
        if (reader.OpType != "Where") return IsPointwise(reader) ? choices.GetValueOrDefault(reader.Output[0]) : null;
        // Read twice, or as the condition, it counts everywhere.
        return reader.Input.Count(i => i == tensor) > 1 || reader.Input[0] == tensor ? null : new(reader.Input[0], reader.Input[1] == tensor);
    }

    private static Dictionary<string, Choice> Undefined(List<NodeProto> nodes, Dictionary<string, Choice> choices)
    {
        var undefined = new Dictionary<string, Choice>(StringComparer.Ordinal);
        foreach (var node in nodes.Where(n => n.IsStandard() && choices.ContainsKey(n.Output[0])))
            if (Partial.Contains(node.OpType) || IsPointwise(node) && node.Input.Any(undefined.ContainsKey)) undefined[node.Output[0]] = choices[node.Output[0]];
        return undefined;
    }

    private static bool IsPointwise(NodeProto node) => Partial.Contains(node.OpType) || Total.Contains(node.OpType);
}
