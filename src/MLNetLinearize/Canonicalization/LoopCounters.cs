using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// How many rounds a Loop runs, where no row has a say in it: its bound and its conditions are computed from weights, shapes
/// and the number of the round. One run of the network tells, by a collected output that is added to each such loop.
/// </summary>
internal static class LoopCounters
{
    /// <summary>The network with every such loop counted; itself where it has none.</summary>
    public static Graph Added(Graph graph)
    {
        var free = ValueFlow.ValueIndependent(graph);
        if (!graph.Nodes.Any(n => IsLoop(n) && IsFixed(n, free))) return graph;
        graph = graph.Clone();
        foreach (var loop in graph.Nodes.Where(n => IsLoop(n) && IsFixed(n, free))) Count(graph, loop);
        return graph;
    }

    /// <summary>How many rounds a loop of the network ran; null where the row decides it.</summary>
    /// <param name="loop">The loop.</param>
    /// <param name="facts">What the run of the counted network told.</param>
    public static long? Rounds(NodeProto loop, IReadOnlyDictionary<string, TensorFact> facts) => facts.GetValueOrDefault(Counter(loop))?.Dims[0];

    private static bool IsLoop(NodeProto node) => node.IsStandard() && node.OpType == "Loop";

    private static string Counter(NodeProto loop) => $"{loop.Output.First(o => o.Length > 0)}/rounds";

    /// <summary>Whether what ends the loop is the same for every row: what is carried is so where it begins so and every round makes it so. ONNX Runtime heeds the condition of the body also where none is given to begin with.</summary>
    private static bool IsFixed(NodeProto loop, HashSet<string> free)
    {
        if (loop.Input.Take(2).Any(i => i.Length > 0 && !free.Contains(i))) return false;
        var body = loop.Find("body")!.G;
        var carried = loop.Input.Skip(1).Select((given, i) => (Given: given, In: body.Input[i + 1].Name, Out: body.Output[i].Name)).Where(c => c.Given.Length == 0 || free.Contains(c.Given)).ToList();
        if (loop.Input.Count < 2) carried.Add(("", body.Input[1].Name, body.Output[0].Name));
        while (true)
        {
            var inner = free.Append(body.Input[0].Name).Concat(body.Initializer.Select(t => t.Name)).Concat(carried.Select(c => c.In)).ToHashSet();
            ValueFlow.AddIndependent(body.Node, inner);
            if (carried.RemoveAll(c => !inner.Contains(c.Out)) == 0) return inner.Contains(body.Output[0].Name);
        }
    }

    /// <summary>Collects the condition of each round.</summary>
    private static void Count(Graph graph, NodeProto loop)
    {
        var (body, counter) = (loop.Find("body")!.G, Counter(loop));
        while (loop.Output.Count < body.Output.Count - 1) loop.Output.Add(graph.Fresh($"{counter}/unread"));
        loop.Output.Add(counter);
        var collected = graph.Fresh($"{counter}/condition");
        body.Node.Add(Nodes.Create("Identity", [body.Output[0].Name], [collected], graph.Fresh($"{counter}/node")));
        body.Output.Add(Graph.Value(collected, DataType.Bool, []));
    }
}
