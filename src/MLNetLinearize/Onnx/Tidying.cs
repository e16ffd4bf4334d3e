using System.Runtime.InteropServices;
using Google.Protobuf.Collections;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Onnx;

/// <summary>
/// What files say in several ways, said in one, with the meaning that ONNX Runtime gives it: of a domain that is imported more than once
/// the last version counts; nodes may stand in any order, and stand behind those that they read here; tensors that are stored by their
/// elements other than 0 are stored whole; what is left out at the end of a node's inputs is not named as left out.
/// </summary>
internal static class Tidying
{
    /// <returns>The model itself where nothing is to be done.</returns>
    /// <exception cref="InvalidModelException">The model is not sound, its nodes read each other in a cycle, or a sparse tensor is damaged.</exception>
    public static ModelProto Apply(ModelProto model)
    {
        if (model.Graph is null) throw new InvalidModelException("The model holds no graph. Check the file with onnx.checker.");
        var graphs = Graphs(model).ToList();
        if (Lists(model, graphs).SelectMany(n => n).Any(EndsEmpty))
        {
            model = model.Clone();
            graphs = [.. Graphs(model)];
            foreach (var node in Lists(model, graphs).SelectMany(n => n)) DropEmptyEnd(node);
        }
        Soundness.Check(model);
        if (!Imports(model).Any(IsTwice) && Lists(model, graphs).All(IsSorted) && !graphs.Exists(HasSparse)) return model;
        model = model.Clone();
        graphs = [.. Graphs(model)];
        foreach (var imports in Imports(model)) KeepLast(imports);
        foreach (var graph in graphs) StoreWhole(graph);
        foreach (var nodes in Lists(model, graphs).Where(n => !IsSorted(n)))
        {
            var sorted = Sorted([.. nodes]);
            nodes.Clear();
            nodes.AddRange(sorted);
        }
        return model;
    }

    /// <summary>Nodes behind those whose outputs they read; apart from that they stay in order.</summary>
    /// <exception cref="InvalidModelException">Some read each other in a cycle.</exception>
    public static List<NodeProto> Sorted(IReadOnlyList<NodeProto> nodes)
    {
        var makers = new Dictionary<string, int>();
        for (var i = 0; i < nodes.Count; i++)
            foreach (var output in nodes[i].Output.Where(o => o.Length > 0)) makers[output] = i;
        var sorted = new List<NodeProto>(nodes.Count);
        var state = new Visit[nodes.Count];
        // A stack of its own: a chain may be longer than the thread's.
        var open = new Stack<(int Node, IEnumerator<string> Reads)>();
        for (var first = 0; first < nodes.Count; first++)
        {
            Open(first);
            while (open.TryPeek(out var top))
            {
                if (top.Reads.MoveNext())
                {
                    if (makers.TryGetValue(top.Reads.Current, out var maker)) Open(maker);
                    continue;
                }
                open.Pop();
                state[top.Node] = Visit.Placed;
                sorted.Add(nodes[top.Node]);
            }
        }
        return sorted;

        void Open(int node)
        {
            if (state[node] == Visit.Placed) return;
            if (state[node] == Visit.Open) throw new InvalidModelException($"The model's nodes read each other in a cycle: {Cycle(node)}. Check the file with onnx.checker.");
            state[node] = Visit.Open;
            open.Push((node, Graph.Reads(nodes[node]).GetEnumerator()));
        }

        string Cycle(int node)
        {
            var names = open.Select(o => o.Node).TakeWhile(n => n != node).Append(node).Select(n => nodes[n].Describe()).ToList();
            const int most = 4;
            return string.Join(" reads ", names.Take(most)) + (names.Count > most ? $" … ({names.Count} nodes)" : "");
        }
    }

    private static bool EndsEmpty(NodeProto node) => EndsEmpty(node.Input) || EndsEmpty(node.Output);

    private static bool EndsEmpty(RepeatedField<string> names) => names.Count > 0 && names[^1].Length == 0;

    private static void DropEmptyEnd(NodeProto node)
    {
        while (EndsEmpty(node.Input)) node.Input.RemoveAt(node.Input.Count - 1);
        while (EndsEmpty(node.Output)) node.Output.RemoveAt(node.Output.Count - 1);
    }

    private static bool IsSorted(IReadOnlyCollection<NodeProto> nodes)
    {
        var unmade = nodes.SelectMany(n => n.Output).Where(o => o.Length > 0).ToHashSet();
        foreach (var node in nodes)
        {
            if (Graph.Reads(node).Any(unmade.Contains)) return false;
            unmade.ExceptWith(node.Output);
        }
        return true;
    }

    /// <summary>The model's graph, those of its functions' nodes, and all inside them.</summary>
    private static IEnumerable<GraphProto> Graphs(ModelProto model) => Graphs(model.Functions.SelectMany(f => f.Node).Concat(model.Graph.Node)).Prepend(model.Graph);

    private static IEnumerable<GraphProto> Graphs(IEnumerable<NodeProto> nodes) => nodes.SelectMany(Nodes.Nested).SelectMany(g => Graphs(g.Node).Prepend(g));

    private static IEnumerable<RepeatedField<NodeProto>> Lists(ModelProto model, IEnumerable<GraphProto> graphs) => model.Functions.Select(f => f.Node).Concat(graphs.Select(g => g.Node));

    private static IEnumerable<RepeatedField<OperatorSetIdProto>> Imports(ModelProto model) => model.Functions.Select(f => f.OpsetImport).Prepend(model.OpsetImport);

    private static bool IsTwice(RepeatedField<OperatorSetIdProto> imports) => imports.GroupBy(o => Domain(o.Domain)).Any(g => g.Count() > 1);

    private static void KeepLast(RepeatedField<OperatorSetIdProto> imports)
    {
        var last = imports.GroupBy(o => Domain(o.Domain)).Select(g => g.Last()).ToList();
        imports.Clear();
        imports.AddRange(last);
    }

    private static string Domain(string name) => name == "ai.onnx" ? "" : name;

    private static bool HasSparse(GraphProto graph) => graph.SparseInitializer.Count > 0 || graph.Node.Any(n => IsConstant(n) && n.Has("sparse_value"));

    private static bool IsConstant(NodeProto node) => node.IsStandard() && node.OpType == "Constant";

    private static void StoreWhole(GraphProto graph)
    {
        graph.Initializer.AddRange(graph.SparseInitializer.Select(Whole));
        graph.SparseInitializer.Clear();
        foreach (var node in graph.Node.Where(IsConstant))
            if (node.Find("sparse_value")?.SparseTensor is { } sparse) node.Remove("sparse_value").Set("value", Whole(sparse));
    }

    /// <summary>Indices are those of the flattened tensor, or one for each axis.</summary>
    private static TensorProto Whole(SparseTensorProto sparse)
    {
        var (name, dims, type) = (sparse.Values.Name, sparse.Dims.ToArray(), sparse.Values.ElementType());
        InvalidModelException Damaged(string why) => new($"The sparse tensor '{name}' is damaged: {why}. Check the file with onnx.checker.");
        var size = ElementSize(type) ?? throw Damaged($"it holds {type}, which is not stored so");
        var length = dims.Aggregate(1L, (a, d) => d < 0 || a > int.MaxValue ? long.MaxValue : a * d);
        if (length > int.MaxValue / size) throw Damaged($"its shape [{string.Join(", ", dims)}] is larger than a file can hold");
        var (count, indices) = (sparse.Values.Count(), sparse.Indices?.ToInt64() ?? []);
        var perElement = sparse.Indices?.Dims.Count == 2 ? dims.Length : 1;
        if (indices.Length != count * perElement) throw Damaged($"it has {count} values and {indices.Length} indices");
        var values = sparse.Values.HasRawData ? sparse.Values.RawData.Span : Bytes(sparse.Values);
        if (values.Length != count * size) throw Damaged($"it has {values.Length} bytes for {count} values of {type}");
        var whole = new byte[length * size];
        for (var i = 0; i < count; i++)
        {
            var at = 0L;
            for (var k = 0; k < perElement; k++)
            {
                var index = indices[i * perElement + k];
                if (perElement > 1 && (index < 0 || index >= dims[k])) throw Damaged($"index {index} is not within axis {k} of [{string.Join(", ", dims)}]");
                at = perElement > 1 ? at * dims[k] + index : index;
            }
            if (at < 0 || at >= length) throw Damaged($"index {at} is not within its {length} elements");
            values.Slice(i * size, size).CopyTo(whole.AsSpan((int)at * size));
        }
        return Tensors.Raw(name, type, whole, dims);
    }

    private static ReadOnlySpan<byte> Bytes(TensorProto tensor) => tensor.ElementType() switch
    {
        DataType.Float => MemoryMarshal.AsBytes<float>(tensor.ToSingle()),
        DataType.Double => MemoryMarshal.AsBytes<double>(tensor.ToDouble()),
        DataType.Int64 => MemoryMarshal.AsBytes<long>(tensor.ToInt64()),
        DataType.Int32 => MemoryMarshal.AsBytes<int>(tensor.ToInt64().Select(v => (int)v).ToArray()),
        _ => [],
    };

    private static int? ElementSize(DataType type) => type switch
    {
        DataType.Double or DataType.Int64 or DataType.Uint64 => 8,
        DataType.Float or DataType.Int32 or DataType.Uint32 => 4,
        DataType.Float16 or DataType.Bfloat16 or DataType.Int16 or DataType.Uint16 => 2,
        DataType.Bool or DataType.Int8 or DataType.Uint8 => 1,
        _ => null,
    };

    private enum Visit
    {
        Unseen,
        Open,
        Placed,
    }
}
