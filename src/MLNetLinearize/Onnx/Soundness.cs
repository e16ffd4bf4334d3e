namespace MLNetLinearize.Onnx;

/// <summary>
/// What must hold of a file before anything is made of it: each node reads and makes as many tensors as its operator does, and no tensor is
/// made twice.
/// </summary>
internal static class Soundness
{
    /// <exception cref="InvalidModelException">The first thing that does not hold, by the name of its node.</exception>
    public static void Check(ModelProto model)
    {
        if (Objection(model) is var (node, why)) throw new InvalidModelException($"The model is damaged at {node.Describe()}: {why}. Check the file with onnx.checker.");
    }

    /// <summary>The first node at which something does not hold, and what; null where all does.</summary>
    public static (NodeProto Node, string Why)? Objection(ModelProto model) =>
        model.Functions.Select(f => Objection(f.Node, f.Input)).Prepend(Objection(model.Graph.Node, model.Graph.Input.Select(i => i.Name))).FirstOrDefault(o => o is not null);

    private static (NodeProto Node, string Why)? Objection(IReadOnlyCollection<NodeProto> nodes, IEnumerable<string> inputs)
    {
        var made = new HashSet<string>(inputs, StringComparer.Ordinal);
        foreach (var node in nodes)
        {
            if (Signatures.Objection(node) is { } wrong) return (node, wrong);
            foreach (var output in node.Output)
                if (output.Length > 0 && !made.Add(output)) return (node, $"it makes '{output}', which another node makes or an input brings as well");
            foreach (var nested in Nodes.Nested(node))
                if (Objection(nested.Node, nested.Input.Select(i => i.Name)) is { } within) return within;
        }
        return null;
    }
}
