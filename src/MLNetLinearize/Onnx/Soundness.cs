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
        Check(model.Graph.Node, model.Graph.Input.Select(i => i.Name));
        foreach (var function in model.Functions) Check(function.Node, function.Input);
    }

    private static void Check(IReadOnlyCollection<NodeProto> nodes, IEnumerable<string> inputs)
    {
        var made = new HashSet<string>(inputs, StringComparer.Ordinal);
        foreach (var node in nodes)
        {
            if (Signatures.Objection(node) is { } wrong) throw Damaged(node, wrong);
            foreach (var output in node.Output)
                if (output.Length > 0 && !made.Add(output)) throw Damaged(node, $"it makes '{output}', which another node makes or an input brings as well");
            foreach (var nested in Nodes.Nested(node)) Check(nested.Node, nested.Input.Select(i => i.Name));
        }
    }

    private static InvalidModelException Damaged(NodeProto node, string why) => new($"The model is damaged at {node.Describe()}: {why}. Check the file with onnx.checker.");
}
