using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// One node that other nodes take the place of, and the words to write them with. The batch axis is not open yet, so that no
/// size of it may stand in a constant; a 0 in a Reshape copies it.
/// </summary>
internal class Replacement(Graph graph, NodeProto node)
{
    public Graph Graph { get; } = graph;

    public NodeProto Node { get; } = node;

    /// <summary>The nodes so far, in order.</summary>
    public List<NodeProto> Nodes { get; } = [];

    public string In(int i) => Node.Input[i];

    public string? InOrNull(int i) => Node.InputOrNull(i);

    /// <summary>Puts a node in place; gives the name of its one output.</summary>
    public string Op(string op, string[] inputs, params ReadOnlySpan<(string, object)> attributes) => Op(op, 1, inputs, attributes)[0];

    /// <summary>Puts a node of several outputs in place.</summary>
    public string[] Op(string op, int outputs, string[] inputs, params ReadOnlySpan<(string, object)> attributes)
    {
        string[] names = [.. Enumerable.Range(0, outputs).Select(_ => Graph.Fresh($"{Node.Name}/{op}"))];
        Nodes.Add(Onnx.Nodes.Create(op, inputs, names, Graph.Fresh($"{Node.Name}/node/{op}"), attributes));
        return names;
    }

    public string Floats(ReadOnlySpan<float> values, params ReadOnlySpan<long> dims) => Graph.AddInitializer(Tensors.Of($"{Node.Name}/floats", values, dims));

    /// <summary>One number, which broadcasts to any shape.</summary>
    public string Scalar(float value) => Floats([value]);

    public string Ints(params ReadOnlySpan<long> values) => Graph.AddInitializer(Tensors.Of($"{Node.Name}/ints", values, values.Length));

    public string Add(string a, string b) => Op("Add", [a, b]);

    public string Sub(string a, string b) => Op("Sub", [a, b]);

    public string Mul(string a, string b) => Op("Mul", [a, b]);

    public string Scaled(string a, float factor) => factor == 1 ? a : Mul(a, Scalar(factor));

    public string Reshape(string a, params ReadOnlySpan<long> dims) => Op("Reshape", [a, Ints(dims)]);

    public string Transpose(string a, params long[] perm) => Op("Transpose", [a], ("perm", perm));

    public string Unsqueeze(string a, params ReadOnlySpan<long> axes) => Op("Unsqueeze", [a, Ints(axes)]);

    public string Squeeze(string a, params ReadOnlySpan<long> axes) => Op("Squeeze", [a, Ints(axes)]);

    public string Slice(string a, long start, long end, long axis) => Op("Slice", [a, Ints(start), Ints(end), Ints(axis)]);

    public string[] Split(string a, int parts, long axis) => parts == 1 ? [a] : Op("Split", parts, [a], ("axis", axis), ("num_outputs", (long)parts));

    public string Concat(string[] parts, long axis) => parts.Length == 1 ? parts[0] : Op("Concat", parts, ("axis", axis));

    public string Cast(string a, DataType type) => Op("Cast", [a], ("to", (long)type));

    /// <summary>Whether output <paramref name="i"/> is asked for.</summary>
    public bool Makes(int i) => i < Node.Output.Count && Node.Output[i].Length > 0;

    /// <summary>Says that output <paramref name="i"/> is <paramref name="tensor"/>.</summary>
    /// <returns>All nodes so far.</returns>
    public List<NodeProto> Output(int i, string tensor)
    {
        if (Makes(i)) Nodes.Add(Onnx.Nodes.Create("Identity", [tensor], [Node.Output[i]], Graph.Fresh($"{Node.Name}/output{i}")));
        return Nodes;
    }
}
