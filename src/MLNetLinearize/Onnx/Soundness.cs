namespace MLNetLinearize.Onnx;

/// <summary>
/// What must hold of a file before anything is made of it: each node reads and makes as many tensors as its operator does, holds the graphs that
/// it runs, and no tensor is made twice.
/// </summary>
internal static class Soundness
{
    /// <exception cref="InvalidModelException">The first thing that does not hold, by the name of its node.</exception>
    public static void Check(ModelProto model)
    {
        Check(model.Graph.Node, Once(model.Graph.Input.Select(i => i.Name), "The model"));
        foreach (var function in model.Functions) Check(function.Node, Once(function.Input, $"The function '{function.Name}'"));
    }

    private static void Check(IReadOnlyCollection<NodeProto> nodes, HashSet<string> made)
    {
        foreach (var node in nodes)
        {
            if ((Signatures.Objection(node) ?? NestedGraphs.Objection(node)) is { } wrong) throw Damaged(node, wrong);
            foreach (var output in node.Output)
                if (output.Length > 0 && !made.Add(output)) throw Damaged(node, $"it makes '{output}', which another node makes or an input brings as well");
            foreach (var nested in Nodes.Nested(node)) Check(nested.Node, Once(nested.Input.Select(i => i.Name), $"A graph of {node.Describe()}"));
        }
    }

    /// <summary>The names, none of which comes twice.</summary>
    private static HashSet<string> Once(IEnumerable<string> inputs, string whose)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var input in inputs)
            if (!names.Add(input))
                throw new InvalidModelException($"{whose} takes the input '{input}' twice. Names must be unique; check the file with onnx.checker.");
        return names;
    }

    private static InvalidModelException Damaged(NodeProto node, string why) =>
        new($"The model is damaged at {node.Describe()}: {why}. Check the file with onnx.checker.");
}
