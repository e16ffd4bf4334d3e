using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// The axis that counts rows. Many files fix it at 1, in their inputs and in the constants of their Reshape nodes; it is
/// opened here, and the compiler proves afterwards, on different random rows, that the opened network keeps them apart.
/// </summary>
internal static class BatchAxis
{
    public const string Symbol = "N";

    public static void Open(Graph graph, IReadOnlyList<InputPlan> inputs)
    {
        Retype(graph, inputs, Symbol);
        if (!inputs.Any(i => i.IsFixedAtOne)) return;
        // In the shape of a weight, a mask or a parameter, which are the same for every row, a 1 counts no rows.
        var rows = ValueFlow.From(graph, inputs.Where(i => i.CanBatch).Select(i => i.Name));
        rows.ExceptWith(ValueFlow.ValueIndependent(graph));
        foreach (var node in graph.Nodes.Where(n => n.IsStandard() && n.OpType == "Reshape" && rows.Contains(n.Input[0])))
        {
            if (ConstantShape(graph, node.Input[1]) is not { Length: > 1 } shape || shape[0] != 1) continue;
            // A second open dimension cannot be written as −1 as well; 0 copies the input's first dimension.
            shape[0] = shape.Contains(-1) ? 0 : -1;
            node.Input[1] = graph.AddInitializer(Tensors.Of($"{node.Name}/shape", shape, shape.Length));
        }
    }

    /// <summary>Fixes every input at one row.</summary>
    public static void Pin(Graph graph, IReadOnlyList<InputPlan> inputs) => Retype(graph, inputs, 1L);

    /// <summary>Shapes with their batch axes, from one run on one row and one on two; null, with the reason, where they do not fit a batch.</summary>
    public static Dictionary<string, TensorShape>? Shapes(Graph graph, Dictionary<string, TensorFact> one, Dictionary<string, TensorFact> two, string output, out string? reason)
    {
        var shapes = new Dictionary<string, TensorShape>();
        foreach (var (name, fact) in one)
        {
            var axis = Axis(fact.Dims, two[name].Dims);
            if (axis is null && fact.Type is DataType.Float or DataType.Double)
            {
                reason = $"tensor '{name}' is [{string.Join(", ", fact.Dims)}] for one row but [{string.Join(", ", two[name].Dims)}] for two";
                return null;
            }
            shapes[name] = new TensorShape(fact.Dims, axis ?? -1);
        }
        foreach (var node in graph.Nodes) FindBlocks(node, shapes);
        reason = shapes[output].HasBatch ? null : $"its output '{output}' is {shapes[output]} for any number of rows";
        return reason is null ? shapes : null;
    }

    /// <summary>
    /// Merging axes keeps the order of the elements, so what lies between two rows is the same before and behind it; other
    /// operators keep the axis. Where that is not so, the proof on different rows finds it.
    /// </summary>
    private static void FindBlocks(NodeProto node, Dictionary<string, TensorShape> shapes)
    {
        var inputs = node.Input.Select(shapes.GetValueOrDefault).Where(s => s?.HasBatch == true);
        foreach (var name in node.Output)
        {
            if (!shapes.TryGetValue(name, out var shape) || !shape.HasBatch || shape.Dims[shape.BatchAxis] == 1) continue;
            var size = shape.Dims[shape.BatchAxis];
            long? block = node.OpType is "Reshape" or "Flatten" or "Squeeze" or "Unsqueeze"
                ? inputs.Select(s => s!.Block * Behind(s) / Behind(shape)).FirstOrDefault()
                : inputs.FirstOrDefault(s => s!.Dims[s.BatchAxis] == size)?.Block;
            if (block > 0 && size % block == 0) shapes[name] = shape with { Block = block.Value };
        }
    }

    private static long Behind(TensorShape shape) => shape.Dims.Skip(shape.BatchAxis + 1).Aggregate(1L, (a, d) => a * d);

    private static int? Axis(long[] one, long[] two)
    {
        if (one.Length != two.Length) return null;
        var axis = -1;
        for (var i = 0; i < one.Length; i++)
        {
            if (one[i] == two[i]) continue;
            if (axis >= 0 || two[i] != 2 * one[i]) return null;
            axis = i;
        }
        return axis;
    }

    private static void Retype(Graph graph, IReadOnlyList<InputPlan> inputs, object batch)
    {
        for (var i = 0; i < graph.Inputs.Count; i++)
        {
            var plan = inputs[i];
            var dims = plan.Dims.Select((d, k) => k == 0 && plan.CanBatch ? batch : d);
            graph.Inputs[i] = Graph.Value(plan.Name, (DataType)graph.Inputs[i].Type.TensorType.ElemType, dims);
        }
    }

    private static long[]? ConstantShape(Graph graph, string name)
    {
        if (graph.Initializers.TryGetValue(name, out var tensor)) return tensor.ToInt64();
        var node = graph.Nodes.FirstOrDefault(n => n.Output.Contains(name));
        return node?.OpType == "Constant" ? node.Find("value")?.T?.ToInt64() ?? node.Ints("value_ints") : null;
    }
}
