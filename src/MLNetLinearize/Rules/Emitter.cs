using System.Globalization;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Google.Protobuf;
using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Rules;

/// <summary>
/// Appends nodes and constants to a graph. Each call returns the name of the tensor it makes; what was computed before, from
/// the same inputs by the same operator, is not computed again.
/// </summary>
internal sealed class Emitter(Graph graph, string prefix)
{
    /// <summary>float32, in which places and numbers of elements are computed, holds every integer below this.</summary>
    public const long ExactIntegers = 1 << 24;

    private readonly Dictionary<string, string> constants = [];
    private readonly Dictionary<string, NodeProto> made = [];
    private readonly Dictionary<string, string> computed = [];
    private readonly Dictionary<string, string> restated = [];

    public Graph Graph { get; } = graph;

    /// <summary>The images that were put together from parts.</summary>
    public Interleaved Interleaved { get; } = new();

    /// <summary>The cotangents of which one channel alone is not zero.</summary>
    public SingleChannels SingleChannels { get; } = new();

    /// <summary>The cotangents of which one channel of each row alone is not zero.</summary>
    public PickedChannels PickedChannels { get; } = new();

    /// <summary>The emitted node whose one output is <paramref name="tensor"/>; null where it is another's.</summary>
    public NodeProto? Maker(string tensor) => made.GetValueOrDefault(tensor);

    /// <summary>Says that an emitted tensor is the same as one of the network's.</summary>
    public void Restate(string tensor, string value) => restated[tensor] = value;

    /// <summary>Leaves the network's nodes out whose outputs were emitted as well. The graph is complete.</summary>
    public void Settle()
    {
        if (restated.Count == 0) return;
        Graph.Nodes = [.. Graph.Nodes.Select(n => restated.TryGetValue(n.Output[0], out var value) ? Nodes.Create("Identity", [value], [n.Output[0]], n.Name) : n)];
        Graph.Sort();
    }

    /// <summary>Emits a node with one output.</summary>
    public string Op(string op, IEnumerable<string> inputs, params ReadOnlySpan<(string Name, object Value)> attributes)
    {
        string[] read = [.. inputs];
        var key = Key(op, read, attributes);
        if (!computed.TryGetValue(key, out var output)) computed[key] = output = Op(op, read, Graph.Fresh($"{prefix}{op}"), attributes);
        return output;
    }

    /// <summary>Emits a node with one output of a given name.</summary>
    public string Op(string op, IEnumerable<string> inputs, string output, params ReadOnlySpan<(string Name, object Value)> attributes)
    {
        Graph.Nodes.Add(made[output] = Nodes.Create(op, inputs, [output], Graph.Fresh($"{prefix}node/{op}"), attributes));
        return output;
    }

    /// <summary>Emits a node with two outputs.</summary>
    public (string First, string Second) Two(string op, IEnumerable<string> inputs, params ReadOnlySpan<(string Name, object Value)> attributes) =>
        Many(op, inputs, 2, attributes) is [var first, var second] ? (first, second) : throw new InvalidOperationException(op);

    /// <summary>Emits a node with several outputs.</summary>
    public IReadOnlyList<string> Many(string op, IEnumerable<string> inputs, int outputs, params ReadOnlySpan<(string Name, object Value)> attributes)
    {
        string[] made = [.. Enumerable.Range(0, outputs).Select(_ => Graph.Fresh($"{prefix}{op}"))];
        Graph.Nodes.Add(Nodes.Create(op, inputs, made, Graph.Fresh($"{prefix}node/{op}"), attributes));
        return made;
    }

    public string Ints(params ReadOnlySpan<long> values)
    {
        var list = values.ToArray();
        return Shared($"i64[{string.Join(',', list)}]", () => Tensors.Of($"{prefix}ints", list, list.Length));
    }

    public string Scalar(float value) => Shared($"f32 {value:R}", () => Tensors.Of($"{prefix}scalar", [value]));

    public string Floats(float[] values, params ReadOnlySpan<long> dims)
    {
        var shape = dims.ToArray();
        var content = Convert.ToHexString(SHA256.HashData(MemoryMarshal.AsBytes<float>(values)));
        return Shared($"f32[{string.Join(',', shape)}] {content}", () => Tensors.Of($"{prefix}constant", values, shape));
    }

    /// <summary>An Int64 without dimensions.</summary>
    public string Number(long value) => Shared($"i64 {value}", () => Tensors.Of($"{prefix}number", [value]));

    public string Add(string a, string b) => Op("Add", [a, b]);

    public string Sub(string a, string b) => Op("Sub", [a, b]);

    public string Mul(string a, string b) => Op("Mul", [a, b]);

    public string Div(string a, string b) => Op("Div", [a, b]);

    public string Neg(string a) => Op("Neg", [a]);

    public string Sum(IReadOnlyList<string> terms) => terms.Count switch
    {
        1 => terms[0],
        2 => Add(terms[0], terms[1]),
        _ => Op("Sum", terms),
    };

    public string Scaled(string a, float factor) => factor == 1 ? a : factor == -1 ? Neg(a) : Mul(a, Scalar(factor));

    public string MatMul(string a, string b) => Op("MatMul", [a, b]);

    public string Reshape(string a, params ReadOnlySpan<long> dims) => Op("Reshape", [a, Ints(dims)]);

    /// <summary>A tensor with axes of one element put in. Unlike a Reshape it shows ONNX Runtime that the rows are as many, as its blocked layout asks.</summary>
    public string Unsqueeze(string a, long first, int count) => count == 0 ? a : Op("Unsqueeze", [a, Ints([.. Enumerable.Range(0, count).Select(i => first + i)])]);

    /// <summary>A tensor without an axis of one element, as <see cref="Unsqueeze"/>.</summary>
    public string Squeeze(string a, long axis) => Op("Squeeze", [a, Ints(axis)]);

    public string Transpose(string a, params long[] perm) => perm.Select((p, i) => p == i).All(same => same) ? a : Op("Transpose", [a], ("perm", perm));

    public string ReduceSum(string a, params long[] axes) => axes.Length == 0 ? a : Op("ReduceSum", [a, Ints(axes)], ("keepdims", 1));

    public string Slice(string a, long start, long end, long axis) => Op("Slice", [a, Ints(start), Ints(end), Ints(axis)]);

    /// <summary>
    /// What is the same for all rows, once for each. By sums, and not by Expand, ONNX Runtime knows the number of rows to be that of
    /// the network's, without which it leaves its blocked layout.
    /// </summary>
    /// <param name="rows">One element for each row, on the batch axis.</param>
    /// <param name="uniform">Has 1 for that axis.</param>
    public string RepeatFor(string rows, string uniform) => Add(uniform, Indicator(Op("Less", [rows, rows]))); // no number is less than itself

    public string Concat(IEnumerable<string> parts, long axis) => Op("Concat", parts, ("axis", axis));

    public string Shape(string a) => Op("Shape", [a]);

    public string Zeros(string shape) => Filled(shape, 0);

    public string Filled(string shape, float value) => Op("ConstantOfShape", [shape], ("value", Tensors.Of("", [value], 1)));

    /// <summary>A matrix [rows, columns] of zeros, with ones where column − row is <paramref name="diagonal"/>. Computed, so that the file stays small.</summary>
    public string Eye(long rows, long columns, long diagonal = 0) => Op("EyeLike", [Zeros(Ints(rows, columns))], ("k", diagonal));

    public string Cast(string a, DataType type) => Op("Cast", [a], ("to", (long)type));

    /// <summary>A boolean tensor as 0 and 1, so that a mask is applied by the fast float product.</summary>
    public string Indicator(string condition) => Cast(condition, DataType.Float);

    private static string Key(string op, string[] inputs, ReadOnlySpan<(string Name, object Value)> attributes)
    {
        var key = $"{op}({string.Join(", ", inputs)})";
        foreach (var (name, value) in attributes) key += $" {name}={Text(value)}";
        return key;
    }

    private static string Text(object value) => value switch
    {
        IEnumerable<long> list => string.Join(',', list),
        IEnumerable<float> list => string.Join(',', list.Select(f => Text(f))),
        IEnumerable<string> list => string.Join('\n', list),
        float number => BitConverter.SingleToInt32Bits(number).ToString(CultureInfo.InvariantCulture),
        TensorProto tensor => tensor.ToByteString().ToBase64(),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    private string Shared(string key, Func<TensorProto> make)
    {
        if (!constants.TryGetValue(key, out var name)) constants[key] = name = Graph.AddInitializer(make());
        return name;
    }
}
