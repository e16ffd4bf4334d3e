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
                if (!one.TryGetValue(name, out var fact) || fact.Value is not { } value || two[name].Value is not { } other) continue; // sequences have no value here
                if (!value.Dims.SequenceEqual(other.Dims) || !value.RawData.Equals(other.RawData)) continue;
                if (value.Count() <= Math.Max(made, SmallTensor)) graph.Initializers[name] = value.Clone();
            }
        }
        graph.Nodes.RemoveAll(n => n.Output.All(o => o.Length == 0 || graph.Initializers.ContainsKey(o)));
    }

    /// <summary>Every operator that only renames dimensions becomes a Reshape to a constant that names no number of rows.</summary>
    public static void FixReshapes(Graph graph, Dictionary<string, TensorShape> shapes)
    {
        for (var i = 0; i < graph.Nodes.Count; i++)
        {
            var node = graph.Nodes[i];
            if (!node.IsStandard() || node.OpType is not ("Reshape" or "Flatten" or "Squeeze" or "Unsqueeze")) continue;
            var shape = shapes[node.Output[0]];
            var target = graph.AddInitializer(Tensors.Of($"{node.Name}/to", shape.OpenFrom(shapes[node.Input[0]]), shape.Rank));
            shapes[target] = new TensorShape([shape.Rank], -1);
            graph.Nodes[i] = Nodes.Create("Reshape", [node.Input[0], target], [node.Output[0]], node.Name);
        }
    }

    /// <summary>A slice that keeps all rows is written without the batch axis, so that it keeps them for any number of rows.</summary>
    public static void FixSlices(Graph graph, Dictionary<string, TensorShape> shapes)
    {
        foreach (var node in graph.Nodes.Where(n => n.IsStandard() && n.OpType == "Slice"))
        {
            var shape = shapes[node.Input[0]];
            if (!shape.HasBatch || shapes[node.Output[0]].BatchAxis != shape.BatchAxis || shapes[node.Output[0]].Dims[shape.BatchAxis] != shape.Dims[shape.BatchAxis]) continue;
            var parts = Enumerable.Range(1, 4).Select(i => node.InputOrNull(i) is { } name && graph.Initializers.TryGetValue(name, out var t) ? t.ToInt64() : null).ToArray();
            if (parts[0] is not { } starts || parts[1] is not { } ends) continue;
            var axes = parts[2] ?? [.. Enumerable.Range(0, starts.Length).Select(i => (long)i)];
            var steps = parts[3] ?? [.. Enumerable.Repeat(1L, starts.Length)];
            var at = Array.FindIndex(axes, a => (a < 0 ? a + shape.Rank : a) == shape.BatchAxis);
            if (at < 0 || starts[at] != 0 || steps[at] != 1) continue;
            while (node.Input.Count < 5) node.Input.Add("");
            foreach (var (i, values) in new[] { (1, starts), (2, ends), (3, axes), (4, steps) })
            {
                long[] rest = [.. values.Where((_, k) => k != at)];
                node.Input[i] = graph.AddInitializer(Tensors.Of($"{node.Name}/rows{i}", rest, rest.Length));
                shapes[node.Input[i]] = new TensorShape([rest.Length], -1);
            }
        }
    }
}
