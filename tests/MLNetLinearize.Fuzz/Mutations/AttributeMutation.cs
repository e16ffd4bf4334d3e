using Google.Protobuf;
using MLNetLinearize.Onnx;
using AttributeType = MLNetLinearize.Onnx.AttributeProto.Types.AttributeType;

namespace MLNetLinearize.Fuzz.Mutations;

/// <summary>Attributes with hostile values, of another type, missing, twice, or where the operator knows none.</summary>
internal static class AttributeMutation
{
    private static readonly string[] Names =
    [
        "axis", "axes", "keepdims", "pads", "strides", "dilations", "group", "kernel_shape", "to", "perm", "alpha", "beta", "epsilon", "mode", "ceil_mode",
        "auto_pad",
        "output_shape", "output_padding", "hidden_size", "num_groups", "batch_dims", "direction", "size", "blocksize", "split", "num_outputs", "starts",
        "ends", "shape",
        "value", "value_ints", "transA", "transB", "allowzero", "exclusive", "reverse", "largest", "sorted", "k", "training_mode",
        "block_size", "layout", "equation",
        "num_scan_inputs", "body", "then_branch", "start", "end", "num_heads", "kv_num_heads", "is_causal", "saturate", "fmod",
        "noop_with_empty_axes", "storage_order",
    ];

    private static readonly string[] Words =
    [
        "", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID", "constant", "reflect", "edge", "wrap", "nearest", "linear", "cubic", "bilinear", "bidirectional",
        "reverse",
        "forward", "DCR", "CRD", "none", "tanh", "add", "mul", "max", "asymmetric", "align_corners", "tf_crop_and_resize", "ij,jk->ik", "...",
        "i->", "?\u0000\u2028",
    ];

    private static readonly AttributeType[] Types = Enum.GetValues<AttributeType>();

    public static string Apply(GraphProto graph, Random random)
    {
        var nodes = graph.Node.Where(n => n.Attribute.Count > 0).ToList();
        if (graph.Node.Count == 0) return "no attribute to change";
        var node = nodes.Count == 0 || random.Next(5) == 0 ? Draws.Of(random, graph.Node) : Draws.Of(random, nodes);
        var what = node.Describe();
        if (node.Attribute.Count == 0 || random.Next(6) == 0) return $"{what}: {Added(node, random)}";
        var attribute = Draws.Of(random, node.Attribute);
        var name = attribute.Name;
        switch (random.Next(8))
        {
            case 0:
                node.Attribute.Remove(attribute);
                return $"{what}: {name} removed";
            case 1:
                attribute.Type = Draws.Of(random, Types);
                return $"{what}: {name} is said to be {attribute.Type}";
            case 2:
                attribute.Name = Draws.Of(random, Names);
                return $"{what}: {name} is called {attribute.Name}";
            default:
                return $"{what}: {name} {Changed(attribute, random)}";
        }
    }

    private static string Added(NodeProto node, Random random)
    {
        var name = Draws.Of(random, Names);
        object value = random.Next(4) switch
        {
            0 => Draws.Float(random),
            1 => Draws.Of(random, Words),
            2 => Enumerable.Range(0, random.Next(5)).Select(_ => Draws.Integer(random)).ToArray(),
            _ => Draws.Integer(random),
        };
        node.Set(name, value);
        return $"{name} = {Text(value)}";
    }

    private static string Changed(AttributeProto attribute, Random random)
    {
        switch (attribute.Type)
        {
            case AttributeType.Int:
                attribute.I = Draws.Integer(random);
                return $"= {attribute.I}";
            case AttributeType.Float:
                attribute.F = Draws.Float(random);
                return $"= {attribute.F}";
            case AttributeType.String:
                attribute.S = ByteString.CopyFromUtf8(Draws.Of(random, Words));
                return $"= '{attribute.S.ToStringUtf8()}'";
            case AttributeType.Ints:
                return TensorMutation.List(attribute.Ints, Draws.Integer, random);
            case AttributeType.Floats:
                return TensorMutation.List(attribute.Floats, Draws.Float, random);
            case AttributeType.Strings:
                return TensorMutation.List(attribute.Strings, r => ByteString.CopyFromUtf8(Draws.Of(r, Words)), random);
            case AttributeType.Tensor when attribute.T is not null:
                return $"is a tensor: {TensorMutation.Change(attribute.T, random)}";
            case AttributeType.Graph when attribute.G is not null:
                if (random.Next(3) > 0) return $"is a graph: {InterfaceMutation.Apply(attribute.G, random)}";
                attribute.G = null;
                return "holds no graph";
            default:
                attribute.I = Draws.Integer(random);
                return "has a number besides";
        }
    }

    private static string Text(object value) => value is long[] list ? $"[{string.Join(", ", list)}]" : $"{value}";
}
