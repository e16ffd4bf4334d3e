using MLNetLinearize.Onnx;

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
        var members = new Dictionary<string, IReadOnlyList<string>>();
        var nodes = new List<NodeProto>();
        foreach (var node in graph.Nodes)
        {
            var expansion = new Expansion(graph, node, facts) { MaxSteps = maxSteps };
            try
            {
                nodes.AddRange(node.IsStandard() && Folded(expansion, members) ? expansion.Nodes : [node]);
            }
            catch (ExpansionException e)
            {
                graph.Object(node, e.Message, e.Remedy);
                nodes.Add(node);
            }
        }
        graph.Nodes = nodes;
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
    private static bool Folded(Expansion x, Dictionary<string, IReadOnlyList<string>> members)
    {
        IReadOnlyList<string>? Known(int i) => x.InOrNull(i) is { } name ? members.GetValueOrDefault(name) : null;
        bool Is(IReadOnlyList<string>? list)
        {
            if (list is not null) members[x.Node.Output[0]] = list;
            return list is not null;
        }

        switch (x.Node.OpType)
        {
            case "SequenceEmpty":
                return Is([]);
            case "SequenceConstruct":
                return Is([.. x.Node.Input]);
            case "Identity" or "Optional" or "OptionalGetElement" when Known(0) is { } same:
                return Is(same);
            case "SplitToSequence":
                return Is(Split(x));
            case "SequenceInsert" when Known(0) is { } list:
                return Is([.. list.Take(At(x, 2, list.Count)), x.In(1), .. list.Skip(At(x, 2, list.Count))]);
            case "SequenceErase" when Known(0) is { } list:
                return Is([.. list.Where((_, i) => i != At(x, 1, list.Count - 1, list.Count))]);
            case "SequenceAt" when Known(0) is { } list:
                x.Output(0, list[At(x, 1, 0, list.Count)]);
                return true;
            case "SequenceLength" when Known(0) is { } list:
                x.Output(0, x.Reshape(x.Ints(list.Count)));
                return true;
            case "ConcatFromSequence" when Known(0) is { } list:
                var axis = x.Node.Int("axis", 0);
                x.Output(0, x.Concat([.. x.Node.Int("new_axis", 0) == 0 ? list : list.Select(m => x.Unsqueeze(m, axis))], axis));
                return true;
            case "Optional" or "OptionalGetElement" when x.InOrNull(0) is { } tensor && x.IsKnown(0):
                // An optional tensor is the tensor.
                x.Output(0, tensor);
                return true;
            case "OptionalHasElement" when Known(0) is not null || x.InOrNull(0) is not null && x.IsKnown(0):
                x.Output(0, x.Cast(x.Reshape(x.Ints(1)), TensorProto.Types.DataType.Bool));
                return true;
            default:
                return false;
        }
    }

    private static int At(Expansion x, int input, int otherwise, int? count = null)
    {
        if (x.StoredInts(input) is not { } given) return otherwise;
        var at = (int)given[0];
        return at < 0 ? at + (count ?? otherwise) : at;
    }

    private static string[] Split(Expansion x)
    {
        var axis = x.Axis(0, x.Node.Int("axis", 0));
        var sizes = Sizes(x);
        var parts = sizes.Length == 1 ? [x.In(0)] : x.Op("Split", sizes.Length, [x.In(0), x.Ints(sizes)], ("axis", (long)axis));
        return x.InOrNull(1) is null && x.Node.Int("keepdims", 1) == 0 ? [.. parts.Select(p => x.Squeeze(p, axis))] : parts;
    }

    /// <summary>The sizes of the parts that SplitToSequence makes: given one by one, as one number for all but the last, or 1 each.</summary>
    private static long[] Sizes(Expansion x)
    {
        var size = x.Dims(0)[x.Axis(0, x.Node.Int("axis", 0))];
        if (x.StoredInts(1) is not { } given) return [.. Enumerable.Repeat(1L, (int)size)];
        return x.Rank(1) == 1 ? given : [.. Enumerable.Range(0, (int)((size + given[0] - 1) / given[0])).Select(i => Math.Min(given[0], size - i * given[0]))];
    }
}
