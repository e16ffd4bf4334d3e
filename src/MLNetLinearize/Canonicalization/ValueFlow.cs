using MLNetLinearize.Onnx;

namespace MLNetLinearize.Canonicalization;

/// <summary>Which tensors depend on what, found by walking the graph once.</summary>
internal static class ValueFlow
{
    /// <summary>Tensors computed from weights and shapes alone: the same for every row's values.</summary>
    public static HashSet<string> ValueIndependent(Graph graph)
    {
        var free = graph.Initializers.Keys.ToHashSet();
        AddIndependent(graph.Nodes, free);
        return free;
    }

    /// <summary>Adds what <paramref name="nodes"/> compute from <paramref name="free"/> and from shapes alone.</summary>
    public static void AddIndependent(IEnumerable<NodeProto> nodes, HashSet<string> free)
    {
        foreach (var node in nodes)
            if (!IsRandom(node) && (node.OpType is "Shape" or "Size" || Graph.Reads(node).All(free.Contains)))
                free.UnionWith(node.Output);
    }

    /// <summary>Tensors that vary smoothly with <paramref name="sources"/>: reached from them, but not through operators that <paramref name="stops"/> names, nor as indices or masks.</summary>
    public static HashSet<string> Reached(Graph graph, IEnumerable<string> sources, Func<NodeProto, bool> stops)
    {
        var reached = sources.ToHashSet();
        var fixedSources = reached.ToHashSet();
        foreach (var node in graph.Nodes)
            if (!stops(node) && Graph.Reads(node).Any(reached.Contains))
                reached.UnionWith((IsIndexed(node) ? node.Output.Take(1) : node.Output).Where(o => o.Length > 0 && !fixedSources.Contains(o)));
        return reached;
    }

    /// <summary>Tensors that <paramref name="target"/> depends on, itself included; only through operators that <paramref name="stops"/> does not name.</summary>
    public static HashSet<string> Behind(Graph graph, string target, Func<NodeProto, bool>? stops = null) => Behind(graph, [target], stops);

    /// <summary>Tensors that any of <paramref name="targets"/> depends on, themselves included; only through operators that <paramref name="stops"/> does not name.</summary>
    public static HashSet<string> Behind(Graph graph, IEnumerable<string> targets, Func<NodeProto, bool>? stops = null)
    {
        var behind = targets.ToHashSet();
        foreach (var node in Enumerable.Reverse(graph.Nodes))
            if (node.Output.Any(behind.Contains) && stops?.Invoke(node) != true) behind.UnionWith(Graph.Reads(node));
        return behind;
    }

    /// <summary>Tensors that depend on any of <paramref name="sources"/>, in whatever way, themselves included.</summary>
    public static HashSet<string> From(Graph graph, IEnumerable<string> sources)
    {
        var from = sources.ToHashSet();
        foreach (var node in graph.Nodes.Where(n => Graph.Reads(n).Any(from.Contains))) from.UnionWith(node.Output.Where(o => o.Length > 0));
        return from;
    }

    /// <summary>Operators whose further outputs are indices, masks or scales, which are held.</summary>
    private static bool IsIndexed(NodeProto node) => node.IsStandard() && node.OpType is "MaxPool" or "TopK" or "Dropout" or "DynamicQuantizeLinear";

    /// <summary>Whether the node, or one inside it, makes another output in every run.</summary>
    public static bool IsRandom(NodeProto node) => node.OpType.StartsWith("Random", StringComparison.Ordinal) || node.OpType is "Bernoulli" or "Multinomial" || MayDrop(node) || Nodes.Nested(node).SelectMany(g => g.Node).Any(IsRandom);

    /// <summary>Dropout that is told whether it trains. Where that is stored and false, or nothing is dropped, it has become an Identity.</summary>
    private static bool MayDrop(NodeProto node) => node.IsStandard() && node.OpType == "Dropout" && node.InputOrNull(2) is not null;
}
