using System.Numerics;
using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// Shapes of tensors as arithmetic tells them, before anything is run: of the operators that can make much of little, and of those that stand
/// between them. What it does not follow is unknown, and every shape that it knows is the one that a run would find.
/// Source of the shapes: the operators' specifications at onnx.ai/onnx/operators.
/// </summary>
internal sealed class KnownShapes
{
    /// <summary>Longest tensor of whole numbers whose values are followed, as shapes are made of them.</summary>
    private const int LongestValue = 1024;

    private static readonly HashSet<string> Alike =
    [
        "Abs", "Cast", "Ceil", "Celu", "Clip", "Cos", "CumSum", "Dropout", "Elu", "Erf", "Exp", "EyeLike", "Floor", "Gelu", "HardSigmoid", "HardSwish", "Identity",
        "IsInf", "IsNaN", "LRN", "LeakyRelu", "Log", "LogSoftmax", "LpNormalization", "Mish", "Neg", "Not", "Reciprocal", "Relu", "Round", "Selu", "Sigmoid", "Sign", "Sin",
        "Softmax", "Softplus", "Softsign", "Sqrt", "Tan", "Tanh", "ThresholdedRelu", "Trilu", "BatchNormalization", "InstanceNormalization", "LayerNormalization",
        "GroupNormalization", "RMSNormalization", "QuantizeLinear", "DequantizeLinear", "BitwiseNot", "ScatterElements", "ScatterND", "Swish",
    ];

    private static readonly HashSet<string> Broadcast =
    [
        "Add", "Sub", "Mul", "Div", "Pow", "Mod", "And", "Or", "Xor", "Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual", "Max", "Min", "Sum", "Mean", "Where",
        "PRelu", "BitShift", "BitwiseAnd", "BitwiseOr", "BitwiseXor",
    ];

    private readonly Dictionary<string, long[]> shapes;
    private readonly Dictionary<string, long[]> values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, TensorProto> stored;

    /// <param name="inputs">Shapes of the network's inputs.</param>
    /// <param name="stored">Its stored tensors.</param>
    public KnownShapes(IEnumerable<(string Name, long[] Shape)> inputs, Dictionary<string, TensorProto> stored)
    {
        this.stored = stored;
        shapes = inputs.ToDictionary(i => i.Name, i => i.Shape, StringComparer.Ordinal);
        foreach (var (name, tensor) in stored) Keep(name, tensor);
    }

    /// <summary>Follows a node; its inputs' makers must have been followed.</summary>
    /// <returns>The shape of its first output; null where it is unknown.</returns>
    public long[]? Follow(NodeProto node)
    {
        if (!node.IsStandard() || node.Output.Count == 0) return null;
        if (node.OpType == "Constant" && node.Find("value")?.T is { } tensor) Keep(node.Output[0], tensor);
        if (Value(node) is { Length: <= LongestValue } value) values[node.Output[0]] = value;
        var shape = ShapeOf(node);
        if (shape is null || Array.Exists(shape, d => d < 0)) return null;
        return shapes[node.Output[0]] = shape;
    }

    /// <summary>How many elements a shape has, however many.</summary>
    public static BigInteger Elements(IEnumerable<long> shape) => shape.Aggregate(BigInteger.One, (a, d) => a * d);

    private void Keep(string name, TensorProto tensor)
    {
        shapes[name] = [.. tensor.Dims];
        if (tensor.ElementType() is DataType.Int64 or DataType.Int32 && Elements(tensor.Dims) <= LongestValue) values[name] = tensor.ToInt64();
    }

    private long[]? ShapeOf(NodeProto node)
    {
        var x = Shape(node, 0);
        if (Alike.Contains(node.OpType)) return x;
        if (Broadcast.Contains(node.OpType)) return Broadcasted([.. Enumerable.Range(0, node.Input.Count).Select(i => Shape(node, i))]);
        return node.OpType switch
        {
            "ConstantOfShape" => Number(node, 0),
            "Expand" => Broadcasted([x, Number(node, 1)]),
            "Tile" => x is not null && Number(node, 1) is { } repeats && repeats.Length == x.Length ? [.. x.Zip(repeats, Product)] : null,
            "Range" => Number(node, 0) is [var from] && Number(node, 1) is [var to] && Number(node, 2) is [var step and not 0] ? [Math.Max(0, (to - from + step - Math.Sign(step)) / step)] : null,
            "OneHot" => x is not null && Number(node, 1) is [var depth] && node.Int("axis", -1) is var axis && axis >= -x.Length - 1 && axis <= x.Length ? Inserted(x, axis, depth) : null,
            "Pad" => x is not null && node.InputOrNull(3) is null && (node.Ints("pads") ?? Number(node, 1)) is { } pads && pads.Length == 2 * x.Length
                ? [.. x.Select((d, i) => d + pads[i] + pads[i + x.Length])] : null,
            "Resize" or "Upsample" => Resized(node, x),
            "Concat" => Joined(node),
            "Slice" => x is not null && node.Input.Count > 2 ? Sliced(node, x) : null,
            "MatMul" => Multiplied(x, Shape(node, 1)),
            "Gemm" => x is [var rows, var inner] && Shape(node, 1) is [var p, var q] ? [node.Int("transA", 0) == 0 ? rows : inner, node.Int("transB", 0) == 0 ? q : p] : null,
            "Conv" => x is not null && Shape(node, 1) is { } w && w.Length == x.Length && x.Length > 2 ? Convolved(node, x, w) : null,
            "ConvTranspose" => x is not null && Shape(node, 1) is { } w && w.Length == x.Length && x.Length > 2 ? Deconvolved(node, x, w) : null,
            "Gather" => x is not null && Shape(node, 1) is { } at && node.Int("axis", 0) is var axis && axis >= -x.Length && axis < x.Length
                ? [.. x[..(int)(axis < 0 ? axis + x.Length : axis)], .. at, .. x[((int)(axis < 0 ? axis + x.Length : axis) + 1)..]] : null,
            "Transpose" => x is null ? null : node.Ints("perm") is { } perm ? perm.Length == x.Length && perm.All(p => p >= 0 && p < x.Length) ? [.. perm.Select(p => x[p])] : null : [.. Enumerable.Reverse(x)],
            "Reshape" => x is not null && Number(node, 1) is { } target ? Reshaped(x, target) : null,
            "Flatten" => x is not null && node.Int("axis", 1) is var axis && Math.Abs(axis) <= x.Length ? Flattened(x, (int)(axis < 0 ? axis + x.Length : axis)) : null,
            "Shape" => x is null || node.Has("start") || node.Has("end") ? null : [x.Length],
            "Unsqueeze" => x is not null && (node.Ints("axes") ?? Number(node, 1)) is { } axes ? axes.Order().Aggregate((long[]?)x, (s, a) => s is null ? null : Inserted(s, a, 1)) : null,
            _ => null,
        };
    }

    private long[]? Shape(NodeProto node, int i) => node.InputOrNull(i) is { } name ? shapes.GetValueOrDefault(name) : null;

    private long[]? Number(NodeProto node, int i) => node.InputOrNull(i) is { } name ? values.GetValueOrDefault(name) : null;

    /// <summary>The values of what shapes are computed from.</summary>
    private long[]? Value(NodeProto node) => node.OpType switch
    {
        "Shape" when !node.Has("start") && !node.Has("end") => Shape(node, 0),
        "Cast" or "Identity" or "Unsqueeze" or "Squeeze" or "Reshape" => Number(node, 0),
        "Concat" when Enumerable.Range(0, node.Input.Count).Select(i => Number(node, i)).ToList() is var parts && parts.TrueForAll(p => p is not null) => [.. parts.SelectMany(p => p!)],
        "Gather" when Number(node, 0) is { } from && Number(node, 1) is { } at && at.All(i => i >= -from.Length && i < from.Length) => [.. at.Select(i => from[i < 0 ? i + from.Length : i])],
        "Add" => Combined(node, (a, b) => a + b),
        "Sub" => Combined(node, (a, b) => a - b),
        "Mul" => Combined(node, (a, b) => a * b),
        "Div" => Combined(node, (a, b) => b == 0 ? 0 : a / b),
        _ => null,
    };

    private long[]? Combined(NodeProto node, Func<BigInteger, BigInteger, BigInteger> with)
    {
        if (Number(node, 0) is not { Length: > 0 } a || Number(node, 1) is not { Length: > 0 } b || a.Length != b.Length && a.Length != 1 && b.Length != 1) return null;
        var made = Enumerable.Range(0, Math.Max(a.Length, b.Length)).Select(i => with(a[Math.Min(i, a.Length - 1)], b[Math.Min(i, b.Length - 1)])).ToList();
        return made.TrueForAll(v => BigInteger.Abs(v) <= long.MaxValue) ? [.. made.Select(v => (long)v)] : null;
    }

    private long[]? Resized(NodeProto node, long[]? x)
    {
        if (x is null) return null;
        if (node.InputOrNull(3) is not null) return node.Has("axes") ? null : Number(node, 3);
        var name = node.InputOrNull(node.OpType == "Upsample" ? 1 : node.Input.Count == 2 ? 1 : 2);
        if (name is null || !stored.TryGetValue(name, out var scales) || scales.ElementType() != DataType.Float || node.Has("axes")) return null;
        var factors = scales.ToSingle();
        return factors.Length == x.Length ? [.. x.Zip(factors, (d, f) => d * (double)f is var size and >= 0 and < 9e18 ? (long)size : long.MaxValue)] : null;
    }

    private long[]? Joined(NodeProto node)
    {
        List<long[]?> parts = [.. Enumerable.Range(0, node.Input.Count).Select(i => Shape(node, i))];
        if (parts is not [{ } first, ..] || parts.Exists(p => p is null || p.Length != first.Length)) return null;
        var axis = node.Int("axis", 1);
        if (axis < -first.Length || axis >= first.Length) return null;
        var at = (int)(axis < 0 ? axis + first.Length : axis);
        return [.. first.Select((d, i) => i == at ? Sum(parts.Select(p => p![i])) : d)];
    }

    private long[]? Sliced(NodeProto node, long[] x)
    {
        if (Number(node, 1) is not { } starts || Number(node, 2) is not { } ends || starts.Length != ends.Length) return null;
        var axes = node.InputOrNull(3) is null ? [.. Enumerable.Range(0, starts.Length).Select(i => (long)i)] : Number(node, 3);
        var steps = node.InputOrNull(4) is null ? [.. Enumerable.Repeat(1L, starts.Length)] : Number(node, 4);
        if (axes?.Length != starts.Length || steps?.Length != starts.Length || steps.Contains(0)) return null;
        long[] shape = [.. x];
        for (var i = 0; i < axes.Length; i++)
        {
            if (axes[i] < -x.Length || axes[i] >= x.Length) return null;
            var size = x[axes[i] < 0 ? axes[i] + x.Length : axes[i]];
            // A place from the end counts from there; beyond either end it is that end, which backwards lies before the first.
            long Place(long at, long least, long most) => Math.Max(least, Math.Min(at < 0 ? at + size : at, most));
            var (from, to) = steps[i] > 0 ? (Place(starts[i], 0, size), Place(ends[i], 0, size)) : (Place(starts[i], 0, size - 1), Place(ends[i], -1, size - 1));
            shape[axes[i] < 0 ? axes[i] + x.Length : axes[i]] = (long)Math.Max(0, Math.Ceiling((to - from) / (double)steps[i]));
        }
        return shape;
    }

    private static long[]? Broadcasted(List<long[]?> parts)
    {
        if (parts.Exists(p => p is null)) return null;
        var rank = parts.Max(p => p!.Length);
        return [.. Enumerable.Range(0, rank).Select(i => parts.Select(p => i < rank - p!.Length ? 1 : p[i - (rank - p.Length)]).Aggregate(1L, (a, d) => a == 1 ? d : a))];
    }

    private static long[]? Multiplied(long[]? a, long[]? b)
    {
        if (a is not { Length: > 1 } || b is not { Length: > 1 }) return null;
        return [.. Broadcasted([a[..^2], b[..^2]])!, a[^2], b[^1]];
    }

    private static long[]? Convolved(NodeProto node, long[] x, long[] w)
    {
        if (node.Text("auto_pad", "NOTSET") != "NOTSET") return null;
        var (pads, strides, dilations) = Window(node, x.Length - 2);
        return [x[0], w[0], .. x.Skip(2).Select((d, i) => (d + pads[i] + pads[i + x.Length - 2] - dilations[i] * (w[i + 2] - 1) - 1) / Math.Max(1, strides[i]) + 1)];
    }

    private static long[]? Deconvolved(NodeProto node, long[] x, long[] w)
    {
        if (node.Text("auto_pad", "NOTSET") != "NOTSET" || node.Has("output_shape")) return null;
        var (pads, strides, dilations) = Window(node, x.Length - 2);
        var extra = node.Ints("output_padding") ?? new long[x.Length - 2];
        return [x[0], Product(w[1], node.Int("group", 1)), .. x.Skip(2).Select((d, i) => Product(d - 1, strides[i]) + extra[i] + dilations[i] * (w[i + 2] - 1) + 1 - pads[i] - pads[i + x.Length - 2])];
    }

    private static (long[] Pads, long[] Strides, long[] Dilations) Window(NodeProto node, int axes)
    {
        long[] Of(string name, int count, long otherwise) => node.Ints(name) is { } given && given.Length == count ? given : [.. Enumerable.Repeat(otherwise, count)];
        return (Of("pads", 2 * axes, 0), Of("strides", axes, 1), Of("dilations", axes, 1));
    }

    private static long[]? Reshaped(long[] x, long[] target)
    {
        long[] shape = [.. target.Select((d, i) => d == 0 && i < x.Length ? x[i] : d)];
        if (!shape.Contains(-1)) return shape;
        var (all, known) = (Elements(x), Elements(shape.Where(d => d != -1)));
        return known.IsZero || all % known != 0 ? null : [.. shape.Select(d => d == -1 ? (long)(all / known) : d)];
    }

    private static long[]? Flattened(long[] x, int axis)
    {
        BigInteger[] sides = [Elements(x[..axis]), Elements(x[axis..])];
        return Array.TrueForAll(sides, s => s <= long.MaxValue) ? [.. sides.Select(s => (long)s)] : null;
    }

    private static long[]? Inserted(long[] x, long axis, long size)
    {
        if (axis < -x.Length - 1 || axis > x.Length) return null;
        var at = (int)(axis < 0 ? axis + x.Length + 1 : axis);
        return [.. x[..at], size, .. x[at..]];
    }

    private static long Product(long a, long b) => (BigInteger)a * b is var product && BigInteger.Abs(product) < long.MaxValue ? (long)product : long.MaxValue;

    private static long Sum(IEnumerable<long> sizes) => sizes.Aggregate(BigInteger.Zero, (a, d) => a + d) is var sum && sum < long.MaxValue ? (long)sum : long.MaxValue;
}
