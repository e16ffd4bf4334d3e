using Google.Protobuf;
using AttributeType = MLNetLinearize.Onnx.AttributeProto.Types.AttributeType;

namespace MLNetLinearize.Onnx;

/// <summary>Reading and writing a node's attributes and inputs.</summary>
internal static class Nodes
{
    /// <summary>The node as people name it in errors: operator, name, and the tensor it makes.</summary>
    public static string Describe(this NodeProto node) =>
        $"{node.Operator()} '{(node.Name.Length > 0 ? node.Name : node.Output.FirstOrDefault(o => o.Length > 0) ?? "?")}'";

    /// <summary>The operator's type, with its domain unless it is the default one.</summary>
    public static string Operator(this NodeProto node) => node.IsStandard() ? node.OpType : $"{node.Domain}.{node.OpType}";

    /// <summary>The node as one that cannot be linearized, in a model of operator set <paramref name="opset"/>.</summary>
    public static UnsupportedNode Unsupported(this NodeProto node, long opset, (string Reason, string Remedy) why) => new(node.Name, node.Operator(), opset, why.Reason, why.Remedy);

    /// <summary>Whether the node's operator comes from the default ONNX domain, <c>ai.onnx</c>.</summary>
    public static bool IsStandard(this NodeProto node) => node.Domain is "" or "ai.onnx";

    /// <summary>Name of input <paramref name="i"/>, or null where the node leaves that optional input out.</summary>
    public static string? InputOrNull(this NodeProto node, int i) => i < node.Input.Count && node.Input[i].Length > 0 ? node.Input[i] : null;

    /// <summary>Name of output <paramref name="i"/>, or null where nobody asks the node for it.</summary>
    public static string? OutputOrNull(this NodeProto node, int i) => i < node.Output.Count && node.Output[i].Length > 0 ? node.Output[i] : null;

    public static AttributeProto? Find(this NodeProto node, string name) => node.Attribute.FirstOrDefault(a => a.Name == name);

    public static bool Has(this NodeProto node, string name) => node.Find(name) is not null;

    public static long Int(this NodeProto node, string name, long otherwise) => node.Find(name)?.I ?? otherwise;

    public static float Float(this NodeProto node, string name, float otherwise) => node.Find(name)?.F ?? otherwise;

    public static string Text(this NodeProto node, string name, string otherwise) => node.Find(name)?.S.ToStringUtf8() ?? otherwise;

    public static long[]? Ints(this NodeProto node, string name) => node.Find(name) is { } a ? [.. a.Ints] : null;

    /// <summary>The graphs inside a node: branches and bodies.</summary>
    public static IEnumerable<GraphProto> Nested(NodeProto node) => node.Attribute.SelectMany(a => a.G is null ? a.Graphs : a.Graphs.Append(a.G));

    public static NodeProto Remove(this NodeProto node, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
            if (node.Find(name) is { } attribute) node.Attribute.Remove(attribute);
        return node;
    }

    public static NodeProto Set(this NodeProto node, string name, object value)
    {
        node.Remove(name);
        node.Attribute.Add(Attribute(name, value));
        return node;
    }

    public static NodeProto Create(string op, IEnumerable<string> inputs, IEnumerable<string> outputs, string name, params ReadOnlySpan<(string Name, object Value)> attributes)
    {
        var node = new NodeProto { OpType = op, Name = name };
        node.Input.AddRange(inputs);
        node.Output.AddRange(outputs);
        foreach (var (key, value) in attributes) node.Attribute.Add(Attribute(key, value));
        return node;
    }

    /// <summary>An attribute's number, text or list, as <see cref="Create"/> takes it.</summary>
    public static object Value(AttributeProto attribute) => attribute.Type switch
    {
        AttributeType.Int => attribute.I,
        AttributeType.Float => attribute.F,
        AttributeType.String => attribute.S.ToStringUtf8(),
        AttributeType.Ints => attribute.Ints,
        AttributeType.Floats => attribute.Floats,
        _ => throw new ArgumentException($"Attribute '{attribute.Name}' is a {attribute.Type}, and no number, text or list of numbers.", nameof(attribute)),
    };

    /// <summary>All attributes of a node, which are numbers, texts and lists, as <see cref="Create"/> takes them.</summary>
    public static (string Name, object Value)[] Attributes(NodeProto node) => [.. node.Attribute.Select(a => (a.Name, Value(a)))];

    private static AttributeProto Attribute(string name, object value)
    {
        var a = new AttributeProto { Name = name };
        switch (value)
        {
            case int i: a.I = i; a.Type = AttributeType.Int; break;
            case long i: a.I = i; a.Type = AttributeType.Int; break;
            case float f: a.F = f; a.Type = AttributeType.Float; break;
            case string s: a.S = ByteString.CopyFromUtf8(s); a.Type = AttributeType.String; break;
            case GraphProto g: a.G = g; a.Type = AttributeType.Graph; break;
            case TensorProto t: a.T = t; a.Type = AttributeType.Tensor; break;
            case IEnumerable<long> ints: a.Ints.AddRange(ints); a.Type = AttributeType.Ints; break;
            case IEnumerable<float> floats: a.Floats.AddRange(floats); a.Type = AttributeType.Floats; break;
            case IEnumerable<string> strings: a.Strings.AddRange(strings.Select(ByteString.CopyFromUtf8)); a.Type = AttributeType.Strings; break;
            default: throw new ArgumentException($"No ONNX attribute type for {value.GetType()}.", nameof(value));
        }
        return a;
    }
}
