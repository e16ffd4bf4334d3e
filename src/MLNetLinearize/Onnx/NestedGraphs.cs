namespace MLNetLinearize.Onnx;

/// <summary>
/// The graphs that operators of control flow run: that they are there, and take and make as many tensors as the node hands them and asks of them.
/// Source: the operators' specifications at onnx.ai/onnx/operators.
/// </summary>
internal static class NestedGraphs
{
    /// <summary>What is wrong with a node's graphs; null where nothing is, or where the operator runs none.</summary>
    public static string? Objection(NodeProto node) => !node.IsStandard() ? null : node.OpType switch
    {
        "If" => Objection(node, "then_branch", null, node.Output.Count) ?? Objection(node, "else_branch", null, node.Output.Count),
        // The body takes the round, the condition and what is carried, and makes the condition, what is carried, and what is collected.
        "Loop" => Objection(node, "body", 2 + Carried(node), 1 + Math.Max(node.Output.Count, Carried(node))),
        // Before operator set 9 the first input was none of the body's.
        "Scan" => Objection(node, "body", null, node.Output.Count),
        "SequenceMap" => Objection(node, "body", node.Input.Count, node.Output.Count),
        _ => null,
    };

    private static int Carried(NodeProto loop) => Math.Max(loop.Input.Count - 2, 0);

    /// <param name="node">The node.</param>
    /// <param name="name">The attribute that holds the graph.</param>
    /// <param name="inputs">How many inputs it has; null where the node alone does not tell.</param>
    /// <param name="outputs">How many outputs it has at least: those at the end that nobody asks for, a node leaves out.</param>
    private static string? Objection(NodeProto node, string name, int? inputs, int outputs)
    {
        var attribute = node.Find(name);
        // Within a function the caller may bring the graph.
        if (attribute is { HasRefAttrName: true }) return null;
        if (attribute?.G is not { } graph) return $"it has no graph '{name}'";
        if (inputs is { } taken && graph.Input.Count != taken) return $"its graph '{name}' has {graph.Input.Count} inputs, and is handed {taken}";
        return graph.Output.Count < outputs ? $"its graph '{name}' makes {graph.Output.Count} tensors, and is asked for {outputs}" : null;
    }
}
