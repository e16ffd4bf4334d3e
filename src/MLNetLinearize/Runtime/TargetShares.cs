using MLNetLinearize.Canonicalization;
using MLNetLinearize.Linearization;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Runtime;

/// <summary>
/// A linearization graph cut where the reverse passes of its targets, each by itself until there, are joined: into shares, which are
/// the passes of some targets, and the rest behind the joins. Shares do not wait for each other. What they all need, the forward
/// network above all, is in each of them, or goes before them.
/// </summary>
internal sealed class TargetShares
{
    private TargetShares(Graph graph, int count, bool isForwardOnce)
    {
        List<string> outputs = [.. graph.Outputs.Select(o => o.Name)];
        var joins = graph.Nodes.Where(n => IsPlace(n) && n.OpType == "Concat").ToList();
        count = Math.Min(count, joins.Max(j => j.Input.Count));
        List<List<string>> targets = [.. Enumerable.Range(0, count).Select(s => joins.SelectMany(j => Part(j.Input, s, count)).ToList())];
        List<string> inputs = [.. graph.Inputs.Select(i => i.Name)];
        HashSet<string> before = [.. ValueFlow.From(graph, inputs).Except(inputs).Except(ValueFlow.From(graph, joins.SelectMany(j => j.Output)))];
        Rest = new(graph, outputs, before);
        // What the rest takes comes from one run each.
        var open = Rest.Given.Where(before.Contains).ToHashSet();
        HashSet<string> once = [];
        if (isForwardOnce)
        {
            var needs = targets.ConvertAll(t => ValueFlow.Behind(graph, t));
            HashSet<string> forward = [.. before.Where(t => needs.Count(n => n.Contains(t)) != 1)];
            var read = graph.Nodes.Where(n => !n.Output.Any(forward.Contains)).SelectMany(Graph.Reads).Concat(outputs).ToHashSet();
            once = [.. forward.Where(read.Contains)];
            // A linear network's shares may need nothing that rows decide.
            if (once.Count > 0) Forward = new(graph, [.. once], new HashSet<string>());
            open.ExceptWith(once);
        }
        var parts = targets.ConvertAll(t => Taken(open, t));
        // What belongs to no target is made once.
        parts[0].AddRange(open);
        Shares = [.. parts.Where(p => p.Count > 0).Select(p => new GraphPart(graph, p, once))];
    }

    /// <summary>What goes before the shares; null where each makes it.</summary>
    public GraphPart? Forward { get; }

    /// <summary>The shares.</summary>
    public IReadOnlyList<GraphPart> Shares { get; }

    /// <summary>What goes behind the shares.</summary>
    public GraphPart Rest { get; }

    /// <summary>Whether targets go apart in a graph, and all shares see the same forward pass.</summary>
    public static bool Suits(ModelProto model) => model.Graph.Node.Any(IsPlace) && !model.Graph.Node.Any(ValueFlow.IsRandom);

    /// <param name="model">The graph.</param>
    /// <param name="count">Number of shares; of fewer targets as many as there are.</param>
    /// <param name="isForwardOnce">Whether what all shares need goes before them.</param>
    public static TargetShares Of(ModelProto model, int count, bool isForwardOnce)
    {
        var graph = new Graph(model);
        foreach (var loop in graph.Nodes.Where(n => IsPlace(n) && n.OpType == "Scan").ToList()) Split(graph, loop, count);
        return new(graph, count, isForwardOnce);
    }

    private static bool IsPlace(NodeProto node) => node.Name.StartsWith(TargetsApart.NodeName, StringComparison.Ordinal);

    /// <summary>One loop as several, each over some of its turns, whose results are joined.</summary>
    private static void Split(Graph graph, NodeProto loop, int count)
    {
        var stacked = graph.Nodes.Single(n => n.Output.Contains(loop.Input[0])); // a Reshape to [turns, targets of a turn, …]
        var all = graph.Initializers[stacked.Input[1]].ToInt64()[0];
        count = (int)Math.Min(count, all);
        var sizes = Enumerable.Range(0, count).Select(s => First(s + 1, all, count) - First(s, all, count)).ToArray();
        string[] Fresh(string hint) => [.. Enumerable.Range(0, count).Select(_ => graph.Fresh(hint))];
        var turns = Fresh(loop.Input[0]);
        var results = loop.Output.Select(Fresh).ToList();
        var at = graph.Nodes.IndexOf(loop);
        graph.Nodes.RemoveAt(at);
        graph.Nodes.InsertRange(at,
        [
            Nodes.Create("Split", [loop.Input[0], graph.AddInitializer(Tensors.Of($"{GraphNames.Prefix}turns", sizes, count))], turns, graph.Fresh(loop.Name), ("axis", 0)),
            .. turns.Select((turn, s) =>
            {
                var some = loop.Clone();
                some.Name = graph.Fresh(loop.Name);
                some.Input[0] = turn;
                for (var i = 0; i < results.Count; i++) some.Output[i] = results[i][s];
                return some;
            }),
            .. results.Select((parts, i) => Nodes.Create("Concat", parts, [loop.Output[i]], graph.Fresh(TargetsApart.NodeName), ("axis", 0))),
        ]);
    }

    private static IEnumerable<string> Part(IList<string> all, int share, int shares) =>
        all.Take((int)First(share + 1, all.Count, shares)).Skip((int)First(share, all.Count, shares));

    /// <summary>The first of some things that falls to a share.</summary>
    private static long First(int share, long things, int shares) => share * things / shares;

    /// <summary>Those that are open, which they are no longer then.</summary>
    private static List<string> Taken(HashSet<string> open, IEnumerable<string> tensors) => [.. tensors.Where(open.Remove)];
}
