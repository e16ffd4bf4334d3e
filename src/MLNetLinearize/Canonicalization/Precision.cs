using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// Half, bfloat16 and double networks are computed in float32: one precision for weights, cotangents and columns. What is
/// explained is then the float32 network with the same weights, which the report says.
/// </summary>
internal static class Precision
{
    /// <summary>The precisions found besides float32.</summary>
    public static IReadOnlyList<DataType> Found(Graph graph) =>
        [.. graph.Inputs.Select(i => (DataType)(i.Type?.TensorType?.ElemType ?? 0))
            .Concat(graph.Initializers.Values.Concat(Stored(graph)).Select(t => t.ElementType()))
            .Concat(TypeAttributes(graph).Select(a => (DataType)a.I))
            .Where(IsOther).Distinct().Order()];

    /// <summary>Makes it all float32, in functions and inner graphs as well.</summary>
    public static void ToSingle(Graph graph)
    {
        if (Found(graph).Count == 0) return;
        foreach (var name in graph.Initializers.Keys.ToList()) graph.Initializers[name] = Single(graph.Initializers[name]);
        foreach (var inner in Inner(graph))
            for (var i = 0; i < inner.Initializer.Count; i++) inner.Initializer[i] = Single(inner.Initializer[i]);
        foreach (var attribute in Attributes(graph).Where(a => a.T is not null)) attribute.T = Single(attribute.T);
        foreach (var attribute in TypeAttributes(graph).Where(a => IsOther((DataType)a.I))) attribute.I = (long)DataType.Float;
        var values = Inner(graph).SelectMany(g => g.Input.Concat(g.Output).Concat(g.ValueInfo)).Select(v => v.Type);
        foreach (var type in graph.Inputs.Concat(graph.Outputs).Select(v => v.Type).Concat(values).Concat(Attributes(graph).Select(a => a.Tp))) ToSingle(type);
    }

    private static void ToSingle(TypeProto? type)
    {
        if (type?.TensorType is { } tensor && IsOther((DataType)tensor.ElemType)) tensor.ElemType = (int)DataType.Float;
        foreach (var element in new[] { type?.SequenceType?.ElemType, type?.OptionalType?.ElemType, type?.MapType?.ValueType })
            if (element is not null) ToSingle(element);
    }

    private static bool IsOther(DataType type) => type is DataType.Float16 or DataType.Bfloat16 or DataType.Double;

    /// <summary>Attributes that name an element type: of what a node makes, and of what it divides in.</summary>
    private static IEnumerable<AttributeProto> TypeAttributes(Graph graph) => All(graph).Where(n => n.IsStandard())
        .SelectMany(n => n.Attribute.Where(a => a.Name is "dtype" or "output_dtype" or "output_datatype" || a.Name == "to" && n.OpType == "Cast" || a.Name == "precision" && n.OpType == "QuantizeLinear"));

    private static IEnumerable<TensorProto> Stored(Graph graph) => Attributes(graph).Where(a => a.T is not null).Select(a => a.T).Concat(Inner(graph).SelectMany(g => g.Initializer));

    private static IEnumerable<AttributeProto> Attributes(Graph graph) => All(graph).SelectMany(n => n.Attribute);

    /// <summary>Every node, in functions and inner graphs as well.</summary>
    private static IEnumerable<NodeProto> All(Graph graph) => Outer(graph).Concat(Inner(graph).SelectMany(g => g.Node));

    private static IEnumerable<NodeProto> Outer(Graph graph) => graph.Nodes.Concat(graph.Header.Functions.SelectMany(f => f.Node));

    private static IEnumerable<GraphProto> Inner(Graph graph) => Outer(graph).SelectMany(Nodes.Nested).SelectMany(WithInner);

    private static IEnumerable<GraphProto> WithInner(GraphProto graph) => graph.Node.SelectMany(Nodes.Nested).SelectMany(WithInner).Prepend(graph);

    private static TensorProto Single(TensorProto tensor) =>
        !IsOther(tensor.ElementType()) ? tensor
            : Beyond(tensor) is { } value ? throw new InvalidModelException($"Tensor '{tensor.Name}' holds {value:G6}, beyond float32 (3.4E+38), in which the library computes. Rescale the model.")
            : Tensors.Of(tensor.Name, tensor.ToSingle(), tensor.Dims.ToArray());

    private static double? Beyond(TensorProto tensor) =>
        tensor.ElementType() == DataType.Double && tensor.ToDouble().FirstOrDefault(v => double.IsFinite(v) && !float.IsFinite((float)v)) is not 0 and var value ? value : null;
}
