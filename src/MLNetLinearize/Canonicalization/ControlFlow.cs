using MLNetLinearize.Onnx;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// If, Loop, Scan and SequenceMap, of which one run of the network tells the branch that is taken or the number of rounds:
/// where that is the same for every row, the branch, or the body as often as it runs, is put in place.
/// </summary>
internal static class ControlFlow
{
    private const string Unrolled = "export the model unrolled";

    public static bool Is(NodeProto node) => node.IsStandard() && node.OpType is "If" or "Loop" or "Scan" or "SequenceMap";

    /// <summary>Puts in place what one run decides.</summary>
    /// <param name="graph">Rewritten in place.</param>
    /// <param name="facts">What the run told.</param>
    /// <param name="limit">Most rounds.</param>
    /// <param name="budget">Most nodes.</param>
    /// <returns>Whether anything was.</returns>
    public static bool Replace(Graph graph, IReadOnlyDictionary<string, TensorFact> facts, int limit, NodeBudget budget)
    {
        var replaced = false;
        var nodes = (long)graph.Nodes.Count;
        graph.Nodes = [.. graph.Nodes.SelectMany(n =>
        {
            if (!Is(n)) return [n];
            try
            {
                Limits limits = new(limit, budget, nodes);
                var made = n.OpType switch
                {
                    "If" => Branch(graph, n, facts),
                    "Loop" => Loop(graph, n, facts, limits),
                    "Scan" => Scan(graph, n, facts, limits),
                    _ => Map(graph, n, facts, limits),
                };
                replaced = true;
                nodes += made.Count;
                return made;
            }
            catch (ExpansionException e)
            {
                graph.Object(n, e.Message, e.Remedy);
                return [n];
            }
        })];
        return replaced;
    }

    private static List<NodeProto> Branch(Graph graph, NodeProto node, IReadOnlyDictionary<string, TensorFact> facts)
    {
        var condition = facts[node.Input[0]].Value ?? throw new ExpansionException($"its condition '{node.Input[0]}' is computed from the row", "export the branch that is used");
        return Inlining.Branch(graph, node.Find(condition.ToInt64() is [0] ? "else_branch" : "then_branch")!.G, node);
    }

    /// <summary>The body gets the round, the condition and what is carried; it gives the condition, what is carried, and what is collected.</summary>
    private static List<NodeProto> Loop(Graph graph, NodeProto node, IReadOnlyDictionary<string, TensorFact> facts, Limits limits)
    {
        var rounds = LoopCounters.Rounds(node, facts) ?? throw new ExpansionException("when it ends is computed from the row", Unrolled);
        var carried = node.Input.Skip(2).ToList();
        var run = new Rounds(graph, node, node.Find("body")!.G, rounds, limits);
        for (var i = 0L; i < rounds; i++)
        {
            var round = graph.AddInitializer(Tensors.Of($"{node.Name}/round", [i]));
            var more = graph.AddInitializer(Tensors.Raw($"{node.Name}/more", TensorProto.Types.DataType.Bool, [1], []));
            carried = run.Next([round, more, .. carried], carried.Count, skipped: 1);
        }
        return run.Finish(carried);
    }

    /// <summary>The body gets what is carried and one slice of each sequence; it gives what is carried and what is collected. Before operator set 9 all had a batch axis in front, and the first input told the lengths.</summary>
    private static List<NodeProto> Scan(Graph graph, NodeProto node, IReadOnlyDictionary<string, TensorFact> facts, Limits limits)
    {
        var (isBatched, sequences) = (graph.Opset < 9, (int)node.Int("num_scan_inputs", 1));
        var given = node.Input.Skip(isBatched ? 1 : 0).ToList();
        var (axes, reversed) = (node.Ints("scan_input_axes") ?? new long[sequences], node.Ints(isBatched ? "directions" : "scan_input_directions") ?? new long[sequences]);
        var dims = facts[given[^sequences]].Dims;
        if (isBatched && dims[0] != 1) throw new ExpansionException($"it scans {dims[0]} rows at once", "export the model for a batch of one row");
        if (isBatched) dims = dims[1..];
        var rounds = dims[axes[0] < 0 ? axes[0] + dims.Length : axes[0]];
        if (isBatched && node.InputOrNull(0) is { } lengths && facts[lengths].Value?.ToInt64().All(l => l == rounds) != true)
            throw new ExpansionException($"the length of each sequence is computed, or is not all of it ('{lengths}')", "leave it out, for sequences of one length");
        var run = new Rounds(graph, node, node.Find("body")!.G, rounds, limits);
        if (isBatched) given = [.. given.Select(run.WithoutBatch)];
        var carried = given.SkipLast(sequences).ToList();
        var slices = given.TakeLast(sequences).Select((name, k) => run.Split(name, axes[k])).ToList();
        for (var i = 0L; i < rounds; i++)
            carried = run.Next([.. carried, .. slices.Select((s, k) => run.Member(s, reversed[k] != 0 ? rounds - 1 - i : i))], carried.Count, skipped: 0);
        return run.Finish(carried, isBatched);
    }

    /// <summary>The body gets one member of each sequence, and each tensor whole; each of its results becomes a member of an output.</summary>
    private static List<NodeProto> Map(Graph graph, NodeProto node, IReadOnlyDictionary<string, TensorFact> facts, Limits limits)
    {
        var members = SequenceFolding.Length(graph, node.Input[0], facts) ?? throw new ExpansionException($"the length of its sequence '{node.Input[0]}' depends on the row", Unrolled);
        var run = new Rounds(graph, node, node.Find("body")!.G, members, limits);
        for (var i = 0L; i < members; i++)
            run.Next([.. node.Input.Select(name => facts.ContainsKey(name) ? name : run.Member(name, i))], carried: 0, skipped: 0);
        return run.FinishSequences();
    }

    /// <param name="Rounds">Most of one loop.</param>
    /// <param name="Budget">Most nodes of the network.</param>
    /// <param name="Others">Nodes that it has already.</param>
    private readonly record struct Limits(int Rounds, NodeBudget Budget, long Others);

    /// <summary>The body, put in place once a round. Sequences are taken apart and collected by sequence operators, which fold later.</summary>
    private sealed class Rounds
    {
        private readonly Graph graph;
        private readonly NodeProto call;
        private readonly GraphProto body;
        private readonly Dictionary<string, string> stored;
        private readonly List<NodeProto> nodes = [];
        private readonly List<List<string>> collected = [];

        public Rounds(Graph graph, NodeProto call, GraphProto body, long count, Limits limits)
        {
            ExpansionException.ThrowIfAbove(limits.Rounds, count, $"it runs {count:N0} rounds");
            limits.Budget.Check(call, count, body, limits.Others);
            (this.graph, this.call, this.body) = (graph, call, body);
            stored = Inlining.Stored(graph, body, call.Name);
        }

        /// <summary>Places one round; gives what it carries on.</summary>
        public List<string> Next(IReadOnlyList<string> given, int carried, int skipped)
        {
            var names = new Dictionary<string, string>(stored);
            foreach (var (input, name) in body.Input.Zip(given)) names[input.Name] = name;
            nodes.AddRange(Inlining.Placed(graph, call.Name, body.Node, names));
            var results = body.Output.Skip(skipped).Select(o => names.GetValueOrDefault(o.Name, o.Name)).ToList();
            collected.Add(results[carried..]);
            return results[..carried];
        }

        public string Split(string tensor, long axis) => Emit("SplitToSequence", [tensor], ("axis", axis), ("keepdims", 0L));

        public string Member(string sequence, long i) => Emit("SequenceAt", [sequence, graph.AddInitializer(Tensors.Of($"{call.Name}/index", [i]))]);

        /// <summary>One row of a tensor of rows.</summary>
        public string WithoutBatch(string tensor) => Emit("Squeeze", [tensor], ("axes", new[] { 0L }));

        public List<NodeProto> Finish(List<string> carried, bool isBatched = false)
        {
            var (axes, reversed) = (call.Ints("scan_output_axes"), call.Ints("scan_output_directions"));
            var outputs = carried.ToList();
            for (var k = 0; k < call.Output.Count - carried.Count; k++)
                outputs.Add(Emit("ConcatFromSequence", [Collected(k, reversed is not null && reversed[k] != 0)], ("axis", axes is null ? 0L : axes[k]), ("new_axis", 1L)));
            if (isBatched) outputs = [.. outputs.Select(o => Emit("Unsqueeze", [o], ("axes", new[] { 0L })))];
            nodes.AddRange(Inlining.Results(graph, call, outputs));
            return nodes;
        }

        /// <summary>What was collected stays sequences.</summary>
        public List<NodeProto> FinishSequences()
        {
            string[] outputs = [.. call.Output.Select((_, k) => Collected(k, isReversed: false))];
            nodes.AddRange(Inlining.Results(graph, call, outputs));
            return nodes;
        }

        /// <summary>The sequence of what each round gave as its <paramref name="k"/>-th result that is collected.</summary>
        private string Collected(int k, bool isReversed)
        {
            if (collected.Count == 0) throw new ExpansionException("it runs no round, and collects nothing", "remove it from the model");
            var values = collected.Select(c => c[k]);
            return Emit("SequenceConstruct", isReversed ? values.Reverse() : values);
        }

        private string Emit(string op, IEnumerable<string> inputs, params ReadOnlySpan<(string, object)> attributes)
        {
            var output = graph.Fresh($"{call.Name}/{op}");
            nodes.Add(Nodes.Create(op, inputs, [output], graph.Fresh($"{call.Name}/node/{op}"), attributes));
            return output;
        }
    }
}
