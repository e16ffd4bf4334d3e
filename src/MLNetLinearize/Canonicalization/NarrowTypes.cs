using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// Elements that only quantized networks have: integers of 4 and 2 bits, floats of 8 and 4. ONNX Runtime computes with some of
/// them, but its .NET interface cannot hand them out, so which tensors hold them must be read off the graph.
/// </summary>
internal static class NarrowTypes
{
    private static bool IsNarrow(DataType type) => type is >= DataType.Float8E4M3Fn and <= DataType.Int2;

    /// <summary>The tensors of narrow elements.</summary>
    /// <param name="nodes">In topological order.</param>
    /// <param name="initializers">The stored tensors.</param>
    public static Dictionary<string, DataType> Find(IEnumerable<NodeProto> nodes, IEnumerable<TensorProto> initializers)
    {
        var found = initializers.Where(t => IsNarrow(t.ElementType())).ToDictionary(t => t.Name, t => t.ElementType());
        DataType Of(string? tensor) => tensor is null ? DataType.Undefined : found.GetValueOrDefault(tensor);
        foreach (var node in nodes.Where(n => n.IsStandard()))
        {
            var type = node.OpType switch
            {
                "Constant" => (DataType)(node.Find("value")?.T?.DataType ?? 0),
                "Cast" => (DataType)node.Int("to", 0),
                "CastLike" => Of(node.InputOrNull(1)),
                "QuantizeLinear" => node.InputOrNull(2) is { } zero ? Of(zero) : (DataType)node.Int("output_dtype", 0),
                "DequantizeLinear" or "Shape" or "Size" => DataType.Undefined,
                _ => Of(node.InputOrNull(0)), // it moves elements
            };
            if (!IsNarrow(type)) continue;
            foreach (var output in node.Output.Where(o => o.Length > 0)) found[output] = type;
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
