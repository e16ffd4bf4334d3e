using MLNetLinearize.Onnx;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// Puts MaxPool before the Relu that it alone reads. The two commute, max(relu(x)) = relu(max(x)), and so do their slopes: a
/// window that Relu closed gives nothing on, whichever element wins it. Behind the pool Relu's values and mask are smaller.
/// </summary>
internal static class PoolOrder
{
    /// <param name="graph">Rewritten in place.</param>
    /// <param name="kept">Tensors that must keep existing.</param>
    public static void Apply(Graph graph, IReadOnlyCollection<string> kept)
    {
        var readers = graph.Nodes.SelectMany(Graph.Reads).GroupBy(name => name).ToDictionary(g => g.Key, g => g.Count());
        var makers = graph.Nodes.Where(n => n.IsStandard() && n.OpType == "Relu").ToDictionary(n => n.Output[0]);
        for (var i = 0; i < graph.Nodes.Count; i++)
        {
            var pool = graph.Nodes[i];
            // Where Relu is closed all of its window ties, so that Indices, which tell of the first, would change.
            if (!pool.IsStandard() || pool.OpType != "MaxPool" || pool.OutputOrNull(1) is not null) continue;
            if (!makers.TryGetValue(pool.Input[0], out var relu) || kept.Contains(relu.Output[0]) || readers[relu.Output[0]] != 1) continue;
            var (between, output) = (relu.Output[0], pool.Output[0]);
            (pool.Input[0], pool.Output[0]) = (relu.Input[0], between);
            (relu.Input[0], relu.Output[0]) = (between, output);
            graph.Nodes.Remove(relu);
            graph.Nodes.Insert(graph.Nodes.IndexOf(pool) + 1, relu);
        }
    }
}
