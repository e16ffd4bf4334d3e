using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// Tensors of the row without elements. A part of a concatenation may be one, as where a position's embedding turns all its numbers and the
/// rest is none: it is left out. Elsewhere nothing can be made of them.
/// </summary>
internal static class EmptyOperands
{
    /// <exception cref="InvalidModelException">A tensor without elements is read by more than concatenations, or is a result.</exception>
    public static void LeaveOut(Graph graph, IReadOnlyDictionary<string, TensorFact> facts)
    {
        bool IsEmpty(string name) => facts.TryGetValue(name, out var fact) && fact.Type == DataType.Float && fact.Dims.Contains(0);
        var constant = ValueFlow.ValueIndependent(graph);
        // A constant may be empty: exporters write a missing operand so.
        HashSet<string> empty = [.. facts.Keys.Where(n => IsEmpty(n) && !constant.Contains(n))];
        if (empty.Count == 0) return;
        var readers = graph.Nodes.SelectMany(n => Graph.Reads(n).Where(empty.Contains).Distinct().Select(i => (Tensor: i, Node: n))).ToLookup(r => r.Tensor, r => r.Node);
        foreach (var name in empty)
            if (!readers[name].Any() || readers[name].Any(n => n.OpType is not ("Concat" or "Shape" or "Size") && !n.Output.Where(o => o.Length > 0).All(IsEmpty)))
                throw new InvalidModelException($"Tensor '{name}' has no elements ([{string.Join(", ", facts[name].Dims)}]). Check the input shapes (InputShapes), or remove the node that makes it.");
        for (var i = 0; i < graph.Nodes.Count; i++)
        {
            var node = graph.Nodes[i];
            if (node.OpType != "Concat" || node.Output.All(IsEmpty) || !node.Input.Any(empty.Contains)) continue;
            string[] rest = [.. node.Input.Where(n => !IsEmpty(n))];
            graph.Nodes[i] = rest.Length == 1
                ? Nodes.Create("Identity", rest, [.. node.Output], node.Name)
                : Nodes.Create("Concat", rest, [.. node.Output], node.Name, ("axis", node.Int("axis", 0)));
        }
    }
}
