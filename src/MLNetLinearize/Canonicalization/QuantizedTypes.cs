using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// Elements that quantized networks have, as the graph itself tells of them. ONNX Runtime computes with narrow ones, integers of 4
/// and 2 bits and floats of 8 and 4, but its .NET interface cannot hand them out, so that no run tells which tensors hold them.
/// </summary>
internal static class QuantizedTypes
{
    /// <summary>Operators whose outputs hold elements of their first input.</summary>
    private static readonly HashSet<string> Moving = new(StringComparer.Ordinal)
    {
        "Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "Concat", "Split", "Slice", "Pad", "Expand", "Gather", "GatherElements", "GatherND", "Tile",
        "MaxPool", "Resize", "DepthToSpace", "SpaceToDepth", "Relu", "Max", "Min", "Clip",
    };

    private static bool IsNarrow(DataType type) => type is >= DataType.Float8E4M3Fn and <= DataType.Int2;

    private static bool IsQuantized(DataType type) => IsNarrow(type) || type is DataType.Uint8 or DataType.Int8 or DataType.Uint16 or DataType.Int16;

    /// <summary>The tensors of narrow elements.</summary>
    /// <param name="nodes">In topological order.</param>
    /// <param name="initializers">The stored tensors.</param>
    public static Dictionary<string, DataType> Narrow(IEnumerable<NodeProto> nodes, IEnumerable<TensorProto> initializers) => Find(nodes, initializers, IsNarrow);

    /// <summary>The tensors of quantized elements.</summary>
    /// <inheritdoc cref="Narrow"/>
    public static Dictionary<string, DataType> All(IEnumerable<NodeProto> nodes, IEnumerable<TensorProto> initializers) => Find(nodes, initializers, IsQuantized);

    /// <summary>A Cast to the type that a quantized tensor has already, as PyTorch writes between QuantizeLinear and DequantizeLinear, changes nothing.</summary>
    public static void DropCasts(Graph graph)
    {
        if (!graph.Nodes.Exists(n => IsCast(n, out var to) && IsQuantized(to))) return;
        var types = All(graph.Nodes, graph.Initializers.Values);
        foreach (var node in graph.Nodes)
            if (IsCast(node, out var to) && types.TryGetValue(node.Input[0], out var from) && from == to) (node.OpType, _) = ("Identity", node.Remove("to", "saturate", "round_mode"));
    }

    private static bool IsCast(NodeProto node, out DataType to)
    {
        to = (DataType)node.Int("to", 0);
        return node.IsStandard() && node.OpType == "Cast";
    }

    private static Dictionary<string, DataType> Find(IEnumerable<NodeProto> nodes, IEnumerable<TensorProto> initializers, Func<DataType, bool> isWanted)
    {
        var found = initializers.Where(t => isWanted(t.ElementType())).ToDictionary(t => t.Name, t => t.ElementType());
        DataType Of(string? tensor) => tensor is null ? DataType.Undefined : found.GetValueOrDefault(tensor);
        foreach (var node in nodes.Where(n => n.IsStandard()))
        {
            var type = node.OpType switch
            {
                "Constant" => (DataType)(node.Find("value")?.T?.DataType ?? 0),
                "Cast" => (DataType)node.Int("to", 0),
                "CastLike" => Of(node.InputOrNull(1)),
                "QuantizeLinear" => node.InputOrNull(2) is { } zero ? Of(zero) : (DataType)node.Int("output_dtype", (long)DataType.Uint8),
                "QLinearConv" or "QLinearMatMul" => Of(node.InputOrNull(7)),
                "DynamicQuantizeLinear" => DataType.Uint8,
                "DequantizeLinear" or "Shape" or "Size" => DataType.Undefined,
                "Where" => Of(node.InputOrNull(1)),
                // What else takes narrow elements moves them; of others there are operators that count or compare.
                _ => Of(node.InputOrNull(0)) is var moved && (IsNarrow(moved) || Moving.Contains(node.OpType)) ? moved : DataType.Undefined,
            };
            if (!isWanted(type)) continue;
            foreach (var output in (node.OpType is "DynamicQuantizeLinear" or "MaxPool" ? node.Output.Take(1) : node.Output).Where(o => o.Length > 0)) found[output] = type;
        }
        return found;
    }

    /// <summary>Adds the tensor's elements as float to the graph; gives their name.</summary>
    public static string Widen(GraphProto graph, string name)
    {
        var wide = $"{name}/as float";
        graph.Node.Add(Nodes.Create("Cast", [name], [wide], $"{wide}/node", ("to", (long)DataType.Float)));
        return wide;
    }
}
