using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// Optional values that hold nothing, by the file itself. Whether they hold something is false then; nothing else may read them, and
/// ONNX Runtime is never asked for them: its .NET interface ends the process over one.
/// </summary>
internal static class EmptyOptionals
{
    /// <exception cref="UnsupportedOperatorException">Nodes take what an empty Optional does not hold, or hand it on.</exception>
    public static void Remove(Graph graph)
    {
        var empty = new HashSet<string>();
        var nodes = Without(graph.Nodes, empty, graph.Opset);
        graph.Nodes = nodes;
        graph.Outputs.RemoveAll(o => empty.Contains(o.Name));
    }

    private static List<NodeProto> Without(IEnumerable<NodeProto> nodes, HashSet<string> empty, long opset)
    {
        var kept = new List<NodeProto>();
        foreach (var node in nodes)
        {
            foreach (var inner in Nodes.Nested(node))
            {
                var rest = Without(inner.Node, empty, opset);
                if (inner.Output.FirstOrDefault(o => empty.Contains(o.Name)) is { } given) throw Refused(node, opset, given.Name);
                if (rest.Count == inner.Node.Count && rest.Zip(inner.Node).All(p => ReferenceEquals(p.First, p.Second))) continue;
                inner.Node.Clear();
                inner.Node.AddRange(rest);
            }
            var reads = node.Input.FirstOrDefault(empty.Contains);
            if (node.IsStandard() && node.OpType == "OptionalHasElement" && (reads is not null || node.InputOrNull(0) is null))
                kept.Add(Nodes.Create("Constant", [], [node.Output[0]], node.Name, ("value", Tensors.Raw("", DataType.Bool, [0], []))));
            else if (node.IsStandard() && (node.OpType == "Optional" && node.InputOrNull(0) is null || node.OpType is "Optional" or "Identity" && reads is not null))
                empty.UnionWith(node.Output);
            else if (reads is not null) throw Refused(node, opset, reads);
            else kept.Add(node);
        }
        return kept;
    }

    private static UnsupportedOperatorException Refused(NodeProto node, long opset, string optional) =>
        new([node.Unsupported(opset, ($"it takes the optional value '{optional}', which is empty in every run", "export the model without it"))]);
}
