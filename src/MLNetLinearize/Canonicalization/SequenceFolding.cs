using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// Sequences of tensors, and optional values, whose members are known without running: what takes one out, or joins them,
/// reads the members themselves.
/// </summary>
internal static class SequenceFolding
{
    public static readonly string[] Operators =
    [
        "SequenceEmpty", "SequenceConstruct", "SequenceInsert", "SequenceErase", "SequenceAt", "SequenceLength",
        "SplitToSequence", "ConcatFromSequence", "Optional", "OptionalGetElement", "OptionalHasElement",
    ];

    public static void Apply(Graph graph, IReadOnlyDictionary<string, TensorFact> facts, int maxSteps)
    {
        if (!graph.Nodes.Any(n => n.IsStandard() && Operators.Contains(n.OpType))) return;
        var members = new Dictionary<string, IReadOnlyList<Member>>();
        var (nodes, makers) = (new List<NodeProto>(), new HashSet<NodeProto>());
        foreach (var node in graph.Nodes)
        {
            var expansion = new Expansion(graph, node, facts) { MaxSteps = maxSteps };
            try
            {
                if (node.IsStandard() && Folded(expansion, members))
                {
                    nodes.AddRange(expansion.Nodes);
                    if (!members.ContainsKey(node.Output[0])) continue;
                    makers.Add(node);
                }
            }
            catch (ExpansionException e)
            {
                graph.Object(node, e.Message, e.Remedy);
            }
            nodes.Add(node);
        }
        graph.Nodes = Needed(nodes, makers);
    }

    /// <summary>A sequence stays where something that reads it does.</summary>
    private static List<NodeProto> Needed(List<NodeProto> nodes, HashSet<NodeProto> makers)
    {
        var (kept, read) = (new List<NodeProto>(), new HashSet<string>());
        foreach (var node in Enumerable.Reverse(nodes).Where(n => !makers.Contains(n) || read.Contains(n.Output[0])))
        {
            kept.Add(node);
            read.UnionWith(Graph.Reads(node));
        }
        kept.Reverse();
        return kept;
    }

    /// <summary>How many members a sequence has, as its makers tell; null where the row decides.</summary>
    public static long? Length(Graph graph, string sequence, IReadOnlyDictionary<string, TensorFact> facts)
    {
        if (graph.Nodes.FirstOrDefault(n => n.IsStandard() && n.Output.Contains(sequence)) is not { } maker) return null;
        long? OfInput() => Length(graph, maker.Input[0], facts);
        return maker.OpType switch
        {
            "SequenceEmpty" => 0,
            "SequenceConstruct" => maker.Input.Count,
            "SequenceInsert" => OfInput() + 1,
            "SequenceErase" => OfInput() - 1,
            "SequenceMap" or "Identity" or "Optional" or "OptionalGetElement" => OfInput(),
            "SplitToSequence" when maker.InputOrNull(1) is not { } sizes || facts[sizes].Value is not null => Sizes(new Expansion(graph, maker, facts) { MaxSteps = 0 }).Length,
            _ => null,
        };
    }

    /// <summary>Whether the node is replaced by what was written, or by nothing.</summary>
    private static bool Folded(Expansion x, Dictionary<string, IReadOnlyList<Member>> members)
    {
        IReadOnlyList<Member>? Known(int i) => x.InOrNull(i) is { } name ? members.GetValueOrDefault(name) : null;
        Member Tensor(int i) => new(x.In(i), x.IsKnown(i) ? x.Dims(i) : null);
        bool Is(IReadOnlyList<Member>? list)
        {
            if (list is not null) members[x.Node.Output[0]] = list;
            return list is not null;
        }

        switch (x.Node.OpType)
        {
            case "SequenceEmpty":
                return Is([]);
            case "SequenceConstruct":
                return Is([.. x.Node.Input.Select((_, i) => Tensor(i))]);
            case "Identity" or "Optional" or "OptionalGetElement" when Known(0) is { } same:
                return Is(same);
            case "SplitToSequence":
                return Is([.. Split(x)]);
            case "SequenceInsert" when Known(0) is { } list && Position.Of(x, 2) is { } at:
                return Is(at.Inserted(list, Tensor(1)));
            case "SequenceInsert" when Known(0) is { } list:
                return Is([.. list, Tensor(1)]);
            case "SequenceErase" when Known(0) is { } list && Position.Of(x, 1) is { } at:
                return Is(at.Erased(list));
            case "SequenceErase" when Known(0) is { } list:
                return Is([.. list.SkipLast(1)]);
            case "SequenceAt" when Known(0) is { } list:
                x.Output(0, Position.Of(x, 1)!.Taken(list));
                return true;
            case "SequenceLength" when Known(0) is { } list:
                x.Output(0, x.Reshape(x.Ints(list.Count)));
                return true;
            case "ConcatFromSequence" when Known(0) is { } list:
                var axis = x.Node.Int("axis", 0);
                x.Output(0, x.Concat([.. list.Select(m => x.Node.Int("new_axis", 0) == 0 ? m.Name : x.Unsqueeze(m.Name, axis))], axis));
                return true;
            case "Optional" or "OptionalGetElement" when x.InOrNull(0) is { } tensor && x.IsKnown(0):
                // An optional tensor is the tensor.
                x.Output(0, tensor);
                return true;
            case "OptionalHasElement" when Known(0) is not null || x.InOrNull(0) is not null && x.IsKnown(0):
                x.Output(0, x.Cast(x.Reshape(x.Ints(1)), DataType.Bool));
                return true;
            default:
                return false;
        }
    }

    private static IEnumerable<Member> Split(Expansion x)
    {
        var axis = x.Axis(0, x.Node.Int("axis", 0));
        var sizes = Sizes(x);
        var parts = sizes.Length == 1 ? [x.In(0)] : x.Op("Split", sizes.Length, [x.In(0), x.Ints(sizes)], ("axis", (long)axis));
        var (before, behind) = (x.Dims(0)[..axis], x.Dims(0)[(axis + 1)..]);
        return x.InOrNull(1) is null && x.Node.Int("keepdims", 1) == 0
            ? parts.Select(p => new Member(x.Squeeze(p, axis), [.. before, .. behind]))
            : parts.Zip(sizes, (p, size) => new Member(p, [.. before, size, .. behind]));
    }

    /// <summary>The sizes of the parts that SplitToSequence makes: given one by one, as one number for all but the last, or 1 each.</summary>
    private static long[] Sizes(Expansion x)
    {
        var size = x.Dims(0)[x.Axis(0, x.Node.Int("axis", 0))];
        if (x.StoredInts(1) is not { } given) return [.. Enumerable.Repeat(1L, (int)size)];
        return x.Rank(1) == 1 ? given : [.. Enumerable.Range(0, (int)((size + given[0] - 1) / given[0])).Select(i => Math.Min(given[0], size - i * given[0]))];
    }

    /// <summary>A tensor of a sequence, with its dimensions for one row; null for a sequence in a sequence.</summary>
    private sealed record Member(string Name, long[]? Dims);

    /// <summary>
    /// Where a sequence is read or changed. A position that the row computes picks among members of one shape; it changes in
    /// steps, and is held.
    /// </summary>
    private sealed class Position
    {
        private readonly Expansion x;
        private readonly int input;
        private readonly int? stored;

        private Position(Expansion x, int input) => (this.x, this.input, stored) = (x, input, (int?)x.Value(input)?.ToInt64()[0]);

        /// <summary>The position that an input gives; null where it is left out.</summary>
        public static Position? Of(Expansion x, int input) => x.InOrNull(input) is null ? null : new Position(x, input);

        public string Taken(IReadOnlyList<Member> list) => stored is { } at ? list[at < 0 ? at + list.Count : at].Name : Picked(list, Computed(list.Count)).Name;

        public IReadOnlyList<Member> Inserted(IReadOnlyList<Member> list, Member added)
        {
            var last = list.Count;
            if (stored is { } given) return given < 0 ? [.. list.Take(given + last), added, .. list.Skip(given + last)] : [.. list.Take(given), added, .. list.Skip(given)];
            var at = Computed(last);
            // In front of it nothing moves, at it stands what is added, which is put last, and behind it everything moves by one.
            return [.. Enumerable.Range(0, last + 1).Select(i => Picked([.. list, added], x.Op("Where", [x.Op("Less", [Index(i), at]), Index(i), x.Op("Where", [x.Op("Equal", [Index(i), at]), Index(last), Index(i - 1)])])))];
        }

        public IReadOnlyList<Member> Erased(IReadOnlyList<Member> list)
        {
            if (stored is { } given) return [.. list.Where((_, i) => i != (given < 0 ? given + list.Count : given))];
            var at = Computed(list.Count);
            return [.. Enumerable.Range(0, list.Count - 1).Select(i => Picked(list, x.Op("Where", [x.Op("Less", [Index(i), at]), Index(i), Index(i + 1)])))];
        }

        /// <summary>The position as a scalar, counted from the front.</summary>
        private string Computed(int count)
        {
            var at = x.Reshape(x.Cast(x.In(input), DataType.Int64));
            return x.Op("Where", [x.Op("Less", [at, Index(0)]), x.Add(at, Index(count)), at]);
        }

        private string Index(long i) => x.Graph.AddInitializer(Tensors.Of($"{x.Node.Name}/index", [i], []));

        /// <exception cref="ExpansionException">The members differ in shape.</exception>
        private Member Picked(IReadOnlyList<Member> list, string at)
        {
            if (list.Any(m => m.Dims is null || !m.Dims.SequenceEqual(list[0].Dims!)))
                throw new ExpansionException($"its position '{x.In(input)}' is computed from the row, and the members it picks among differ in shape ({string.Join(", ", list.Select(m => m.Dims is null ? "?" : $"[{string.Join(", ", m.Dims)}]"))}), so that shapes depend on the data", "export the model so that the position is a constant, or the members are of one shape");
            return new Member(x.Op("Gather", [x.Concat([.. list.Select(m => x.Unsqueeze(m.Name, 0))], 0), at], ("axis", 0L)), list[0].Dims);
        }
    }
}
