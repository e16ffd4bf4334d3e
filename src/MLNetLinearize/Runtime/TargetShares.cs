using MLNetLinearize.Canonicalization;
using MLNetLinearize.Linearization;
using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Runtime;

/// <summary>
/// A linearization graph cut where the reverse passes of its targets, each by itself until there, are joined: into shares, which are the
/// forward network and the passes of some targets, and the rest behind the joins. Shares do not wait for each other.
/// </summary>
internal sealed class TargetShares
{
    private readonly Graph rest;
    private readonly List<string> given;
    private readonly HashSet<string> outputs;

    private TargetShares(Graph graph, int count)
    {
        outputs = [.. graph.Outputs.Select(o => o.Name)];
        var joins = graph.Nodes.Where(n => IsPlace(n) && n.OpType == "Concat").ToList();
        count = Math.Min(count, joins.Max(j => j.Input.Count));
        HashSet<string> behind = [.. joins.SelectMany(j => j.Output)];
        foreach (var node in graph.Nodes)
            if (Graph.Reads(node).Any(behind.Contains)) behind.UnionWith(node.Output.Where(o => o.Length > 0));
        rest = graph.Clone();
        rest.Nodes.RemoveAll(n => !n.Output.Any(behind.Contains));
        rest.RemoveDead(outputs);
        HashSet<string> made = [.. rest.Nodes.SelectMany(n => n.Output)];
        given = [.. rest.Nodes.SelectMany(Graph.Reads).Concat(outputs).Distinct().Where(t => !made.Contains(t) && !graph.Initializers.ContainsKey(t))];
        var open = given.Except(graph.Inputs.Select(i => i.Name)).ToHashSet();
        var parts = Enumerable.Range(0, count).Select(s => Taken(open, joins.SelectMany(j => Part(j.Input, s, count)))).ToList();
        // What belongs to no target is made once.
        parts[0].AddRange(open);
        Shares = [.. parts.Where(p => p.Count > 0).Select(p => (Making(graph, p), p))];
    }

    /// <summary>The shares, each with the tensors that it gives to the rest.</summary>
    public IReadOnlyList<(ModelProto Model, List<string> Outputs)> Shares { get; }

    /// <summary>Inputs of the graph and results of shares that the rest reads.</summary>
    public IReadOnlyList<string> Given => given;

    /// <summary>Whether targets go apart in a graph, and all shares see the same forward pass.</summary>
    public static bool Suits(ModelProto model) => model.Graph.Node.Any(IsPlace) && !model.Graph.Node.Any(ValueFlow.IsRandom);

    /// <param name="model">The graph.</param>
    /// <param name="count">Number of shares; of fewer targets as many as there are.</param>
    public static TargetShares Of(ModelProto model, int count)
    {
        var graph = new Graph(model);
        foreach (var loop in graph.Nodes.Where(n => IsPlace(n) && n.OpType == "Scan").ToList()) Split(graph, loop, count);
        return new(graph, count);
    }

    /// <summary>The rest, which reads <see cref="Given"/> in that order.</summary>
    /// <param name="typeOf">Element type of a tensor.</param>
    public (ModelProto Model, IReadOnlyList<string> Inputs) Rest(Func<string, DataType> typeOf)
    {
        var graph = rest.Clone();
        graph.Inputs.Clear();
        foreach (var tensor in given)
        {
            // A tensor is not input and output at once.
            var name = outputs.Contains(tensor) ? graph.Fresh($"{GraphNames.Prefix}given/{tensor}") : tensor;
            if (name != tensor) graph.Nodes.Insert(0, Nodes.Create("Identity", [name], [tensor], graph.Fresh($"{GraphNames.Prefix}node/Identity")));
            graph.Inputs.Add(new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)typeOf(tensor) } } });
        }
        return (graph.ToModel(), [.. graph.Inputs.Select(i => i.Name)]);
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

    private static ModelProto Making(Graph graph, IReadOnlyList<string> tensors)
    {
        var share = graph.Clone();
        share.Outputs.Clear();
        share.Outputs.AddRange(tensors.Select(t => new ValueInfoProto { Name = t }));
        share.RemoveDead(tensors);
        return share.ToModel();
    }
}
