using MLNetLinearize.Onnx;

namespace MLNetLinearize.Canonicalization;

/// <summary>What known shapes and values make simpler: folded constants and shape arithmetic, one spelling for all reshapes.</summary>
internal static class Simplification
{
    /// <summary>Largest folded tensor that is bigger than what it was made of, in elements.</summary>
    private const long SmallTensor = 4096;

    /// <summary>Tensors that could become constants: computed from weights and shapes alone.</summary>
    public static HashSet<string> Foldable(Graph graph)
    {
        var free = ValueFlow.ValueIndependent(graph);
        free.ExceptWith(graph.Initializers.Keys);
        return free;
    }

    /// <summary>
    /// Replaces value-independent tensors by their value where it is the same for one row and for two. A tensor that would
    /// be stored larger than what it was made of (an expanded or tiled one) stays computed.
    /// </summary>
    public static void FoldConstants(Graph graph, Dictionary<string, TensorFact> one, Dictionary<string, TensorFact> two)
    {
        var foldable = Foldable(graph);
        foreach (var node in graph.Nodes)
        {
            if (!node.Output.Any(foldable.Contains)) continue;
            var made = node.Input.Sum(i => graph.Initializers.TryGetValue(i, out var t) ? t.Count() : 0);
            foreach (var name in node.Output.Where(o => o.Length > 0))
            {
                if (one[name].Value is not { } value || two[name].Value is not { } other) continue;
                if (!value.Dims.SequenceEqual(other.Dims) || !value.RawData.Equals(other.RawData)) continue;
                if (value.Count() <= Math.Max(made, SmallTensor)) graph.Initializers[name] = value.Clone();
            }
        }
        graph.Nodes.RemoveAll(n => n.Output.All(o => o.Length == 0 || graph.Initializers.ContainsKey(o)));
    }

    /// <summary>Every operator that only renames dimensions becomes a Reshape to a constant, −1 at the batch axis.</summary>
    public static void FixReshapes(Graph graph, Dictionary<string, TensorShape> shapes)
    {
        for (var i = 0; i < graph.Nodes.Count; i++)
        {
            var node = graph.Nodes[i];
            if (!node.IsStandard() || node.OpType is not ("Reshape" or "Flatten" or "Squeeze" or "Unsqueeze")) continue;
            var shape = shapes[node.Output[0]];
            var target = graph.AddInitializer(Tensors.Of($"{node.Name}/to", shape.Open, shape.Rank));
            shapes[target] = new TensorShape([shape.Rank], -1);
            graph.Nodes[i] = Nodes.Create("Reshape", [node.Input[0], target], [node.Output[0]], node.Name);
        }
    }
}
