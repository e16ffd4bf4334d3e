using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// One node that is written out in others: what is known of its inputs, and the nodes that take its place. The batch axis is
/// not open yet, so that no size of it may stand in a constant; a 0 in a Reshape copies it.
/// </summary>
internal sealed class Expansion(Graph graph, NodeProto node, IReadOnlyDictionary<string, TensorFact> facts)
{
    private readonly List<NodeProto> nodes = [];

    public Graph Graph => graph;

    public NodeProto Node => node;

    public IReadOnlyList<NodeProto> Nodes => nodes;

    public string In(int i) => node.Input[i];

    public string? InOrNull(int i) => node.InputOrNull(i);

    /// <summary>An input's dimensions for one row.</summary>
    public long[] Dims(int i) => facts[node.Input[i]].Dims;

    /// <summary>Whether input <paramref name="i"/> is a tensor, and not a sequence or an optional value.</summary>
    public bool IsKnown(int i) => facts.ContainsKey(node.Input[i]);

    public int Rank(int i) => Dims(i).Length;

    public DataType Type(int i) => facts[node.Input[i]].Type;

    /// <summary>An input's value where it is the same for every row; null where it is computed from the row.</summary>
    public TensorProto? Value(int i) => InOrNull(i) is { } name ? facts[name].Value : null;

    /// <summary>The integers of an input that is the same for every row; null where it is left out.</summary>
    /// <exception cref="ExpansionException">It is computed from the row.</exception>
    public long[]? Ints(int i) => InOrNull(i) is null ? null : Value(i)?.ToInt64() ?? throw new ExpansionException($"its input {i} '{In(i)}' is computed from the row", "export the model so that it is a constant");

    public int Axis(int i, long axis) => (int)(axis < 0 ? axis + Rank(i) : axis);

    /// <summary>Puts a node in place; gives the name of its one output.</summary>
    public string Op(string op, string[] inputs, params ReadOnlySpan<(string, object)> attributes) => Op(op, 1, inputs, attributes)[0];

    /// <summary>Puts a node of several outputs in place.</summary>
    public string[] Op(string op, int outputs, string[] inputs, params ReadOnlySpan<(string, object)> attributes)
    {
        string[] names = [.. Enumerable.Range(0, outputs).Select(_ => graph.Fresh($"{node.Name}/{op}"))];
        nodes.Add(MLNetLinearize.Onnx.Nodes.Create(op, inputs, names, graph.Fresh($"{node.Name}/node/{op}"), attributes));
        return names;
    }

    public string Constant(params long[] values) => graph.AddInitializer(Tensors.Of($"{node.Name}/ints", values, values.Length));

    public string Constant(float value) => graph.AddInitializer(Tensors.Of($"{node.Name}/scalar", [value]));

    public string Constant(float[] values, params long[] dims) => graph.AddInitializer(Tensors.Of($"{node.Name}/table", values, dims));

    public string Add(string a, string b) => Op("Add", [a, b]);

    public string Sub(string a, string b) => Op("Sub", [a, b]);

    public string Mul(string a, string b) => Op("Mul", [a, b]);

    public string Scaled(string a, float factor) => factor == 1 ? a : Mul(a, Constant(factor));

    public string Reshape(string a, params long[] dims) => Op("Reshape", [a, Constant(dims)]);

    public string Transpose(string a, params long[] perm) => Op("Transpose", [a], ("perm", perm));

    public string Unsqueeze(string a, params long[] axes) => Op("Unsqueeze", [a, Constant(axes)]);

    public string Squeeze(string a, params long[] axes) => Op("Squeeze", [a, Constant(axes)]);

    public string Slice(string a, long start, long end, long axis) => Op("Slice", [a, Constant(start), Constant(end), Constant(axis)]);

    public string[] Split(string a, int parts, long axis) => parts == 1 ? [a] : Op("Split", parts, [a], ("axis", axis), ("num_outputs", (long)parts));

    public string Concat(string[] parts, long axis) => parts.Length == 1 ? parts[0] : Op("Concat", parts, ("axis", axis));

    public string Cast(string a, DataType type) => Op("Cast", [a], ("to", (long)type));

    /// <summary>Whether output <paramref name="i"/> is asked for.</summary>
    public bool Makes(int i) => i < node.Output.Count && node.Output[i].Length > 0;

    /// <summary>Says that output <paramref name="i"/> is <paramref name="tensor"/>.</summary>
    public void Output(int i, string tensor)
    {
        if (Makes(i)) nodes.Add(MLNetLinearize.Onnx.Nodes.Create("Identity", [tensor], [node.Output[i]], graph.Fresh($"{node.Name}/output{i}")));
    }
}

/// <summary>Why a node cannot be written out in others; told to the user where the node turns out to matter.</summary>
internal sealed class ExpansionException(string reason, string remedy) : Exception(reason)
{
    public string Remedy { get; } = remedy;
}
