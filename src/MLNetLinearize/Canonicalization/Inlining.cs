using MLNetLinearize.Onnx;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// Puts in place what stands for other nodes: the model's own functions (of the model's opset), and of an If whose condition
/// is stored in the file the branch that runs.
/// </summary>
internal static class Inlining
{
    public static void Apply(Graph graph)
    {
        while (graph.Nodes.Any(n => Body(graph, n) is not null))
            graph.Nodes = [.. graph.Nodes.SelectMany(n => Body(graph, n)?.Invoke() ?? [n])];
        if (!graph.Nodes.SelectMany(Nested).Any()) graph.Header.Functions.Clear();
    }

    /// <summary>Makes the nodes that a node stands for; null where it stands for itself.</summary>
    private static Func<List<NodeProto>>? Body(Graph graph, NodeProto node)
    {
        if (graph.Header.Functions.FirstOrDefault(f => f.Domain == node.Domain && f.Name == node.OpType && f.Overload == node.Overload && HasSameOpset(graph, f)) is { } function)
            return () => Call(graph, function, node);
        if (!node.IsStandard() || node.OpType != "If" || Condition(graph, node.Input[0]) is not { } condition) return null;
        return () => Branch(graph, node.Find(condition ? "then_branch" : "else_branch")!.G, node);
    }

    private static bool HasSameOpset(Graph graph, FunctionProto function) =>
        function.OpsetImport.Where(o => o.Domain is "" or "ai.onnx").All(o => o.Version == graph.Opset);

    private static bool? Condition(Graph graph, string name)
    {
        var stored = graph.Initializers.GetValueOrDefault(name) ?? graph.Nodes.FirstOrDefault(n => n.IsStandard() && n.OpType == "Constant" && n.Output[0] == name)?.Find("value")?.T;
        return stored is null ? null : stored.ToInt64() is not [0];
    }

    private static List<NodeProto> Call(Graph graph, FunctionProto function, NodeProto call)
    {
        var names = function.Input.Select((name, i) => (name, Given: call.InputOrNull(i) ?? "")).ToDictionary(p => p.name, p => p.Given);
        var nodes = Placed(graph, call, function.Node, function.Output, names);
        foreach (var node in nodes)
            foreach (var attribute in node.Attribute.Where(a => a.HasRefAttrName).ToList())
            {
                node.Attribute.Remove(attribute);
                if ((call.Find(attribute.RefAttrName) ?? function.AttributeProto.FirstOrDefault(a => a.Name == attribute.RefAttrName)) is not { } given) continue;
                given = given.Clone();
                given.Name = attribute.Name;
                node.Attribute.Add(given);
            }
        return nodes;
    }

    private static List<NodeProto> Branch(Graph graph, GraphProto branch, NodeProto call)
    {
        var names = new Dictionary<string, string>();
        foreach (var tensor in branch.Initializer)
        {
            var copy = tensor.Clone();
            copy.Name = $"{call.Name}/{tensor.Name}";
            names[tensor.Name] = graph.AddInitializer(copy);
        }
        return Placed(graph, call, branch.Node, [.. branch.Output.Select(o => o.Name)], names);
    }

    /// <summary>Copies of <paramref name="body"/> with fresh names, its results under the names that <paramref name="call"/> gives them.</summary>
    private static List<NodeProto> Placed(Graph graph, NodeProto call, IEnumerable<NodeProto> body, IReadOnlyList<string> results, Dictionary<string, string> names)
    {
        var copies = body.Select(n => n.Clone()).ToList();
        foreach (var output in copies.SelectMany(n => n.Output).Where(o => o.Length > 0)) names[output] = graph.Fresh($"{call.Name}/{output}");
        foreach (var copy in copies)
        {
            copy.Name = graph.Fresh($"{call.Name}/{(copy.Name.Length > 0 ? copy.Name : copy.OpType)}");
            Rename(copy, names);
            for (var i = 0; i < copy.Output.Count; i++) copy.Output[i] = names.GetValueOrDefault(copy.Output[i], "");
        }
        // A result may be an input, or wanted twice: a copy serves every case.
        for (var i = 0; i < call.Output.Count; i++)
            if (call.Output[i].Length > 0)
                copies.Add(Nodes.Create("Identity", [names.GetValueOrDefault(results[i], results[i])], [call.Output[i]], graph.Fresh($"{call.Name}/result{i}")));
        return copies;
    }

    private static void Rename(NodeProto node, Dictionary<string, string> names)
    {
        for (var i = 0; i < node.Input.Count; i++) node.Input[i] = names.GetValueOrDefault(node.Input[i], node.Input[i]);
        foreach (var nested in Nested(node))
        {
            var inner = names.Where(p => !nested.Initializer.Any(t => t.Name == p.Key) && !nested.Node.Any(n => n.Output.Contains(p.Key))).ToDictionary();
            foreach (var innerNode in nested.Node) Rename(innerNode, inner);
            foreach (var output in nested.Output) output.Name = inner.GetValueOrDefault(output.Name, output.Name);
        }
    }

    private static IEnumerable<GraphProto> Nested(NodeProto node) => node.Attribute.SelectMany(a => a.G is null ? a.Graphs : a.Graphs.Append(a.G));
}
