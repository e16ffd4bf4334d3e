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
        if (Objection(model) is { } wrong) throw new InvalidModelException($"{wrong} Check the file with onnx.checker.");
    }

    /// <summary>The first thing that does not hold, a sentence; null where all does.</summary>
    public static string? Objection(ModelProto model) =>
        model.Functions.Select(f => Objection(f.Node, f.Input, $"The function '{f.Name}'"))
            .Prepend(Objection(model.Graph.Node, model.Graph.Input.Select(i => i.Name), "The model")).FirstOrDefault(o => o is not null);

    private static string? Objection(IReadOnlyCollection<NodeProto> nodes, IEnumerable<string> inputs, string whose)
    {
        var made = new HashSet<string>(StringComparer.Ordinal);
        if (inputs.FirstOrDefault(i => !made.Add(i)) is { } twice) return $"{whose} takes the input '{twice}' twice. Names must be unique.";
        foreach (var node in nodes)
        {
            if ((Signatures.Objection(node) ?? NestedGraphs.Objection(node)) is { } wrong) return Damaged(node, wrong);
            foreach (var output in node.Output)
                if (output.Length > 0 && !made.Add(output)) return Damaged(node, $"it makes '{output}', which another node makes or an input brings as well");
            foreach (var nested in Nodes.Nested(node))
                if (Objection(nested.Node, nested.Input.Select(i => i.Name), $"A graph of {node.Describe()}") is { } within) return within;
        }
        return null;
    }

    private static string Damaged(NodeProto node, string why) => $"The model is damaged at {node.Describe()}: {why}.";
}
