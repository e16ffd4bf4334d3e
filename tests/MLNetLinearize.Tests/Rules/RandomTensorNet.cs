using MLNetLinearize.Onnx;
using static MLNetLinearize.Tests.Rules.Net;

namespace MLNetLinearize.Tests.Rules;

/// <summary>
/// A network drawn at random of what is no image: sequences and tables, moved, cut, joined, summed, multiplied and compared. Every
/// operator takes any tensor that was made before, so that ways part and meet again.
/// </summary>
internal sealed class RandomTensorNet
{
    private const int MostOperators = 9;
    private const int MostElements = 160;

    /// <summary>The usual 1e-5 makes 316 of 1 where all elements are equal, as behind Relu, and of rounding as well.</summary>
    private const float Epsilon = 0.05f;

    private readonly Random random;
    private readonly Net net;
    private readonly bool isSmooth;
    private readonly List<Tensor> made = [];

    /// <param name="seed">The same seed draws the same network.</param>
    /// <param name="isSmooth">Whether it has operators that are not piecewise linear.</param>
    public RandomTensorNet(int seed, bool isSmooth)
    {
        (random, net, this.isSmooth) = (new(seed), new(17, seed), isSmooth);
        Shape = [.. Enumerable.Range(0, random.Next(1, 4)).Select(_ => random.Next(2, 6))];
        made.Add(new(net.Input("x", ["N", .. Shape.Select(d => (object)d)]), Shape));
        for (var i = random.Next(2, MostOperators + 1); i > 0; i--) made.AddRange(Operator(Any()));
        Model = net.Build(End());
    }

    public ModelProto Model { get; }

    /// <summary>Of a row.</summary>
    public int[] Shape { get; }

    /// <summary>Number of outputs.</summary>
    public int Outputs { get; private set; }

    private IEnumerable<Tensor> Operator(Tensor x) => random.Next(isSmooth ? 20 : 16) switch
    {
        0 or 1 => [Product(x)],
        2 => [WithConstant(x)],
        3 or 4 => [WithAnother(x)],
        5 or 6 or 7 => [Activated(x)],
        8 => [Reduced(x)],
        9 => [Reshaped(x)],
        10 => [Transposed(x)],
        11 => Parts(x),
        12 => [Picked(x)],
        13 => [Padded(x)],
        14 => [Windowed(x)],
        15 => [Chosen(x)],
        16 => [Multiplied(x)],
        17 => [Normalized(x)],
        _ => [Smooth(x)],
    };

    private Tensor Product(Tensor x)
    {
        var size = random.Next(2, 6);
        switch (random.Next(4))
        {
            case 0 when x.Rank > 1:
                return x with { Name = net.Op("MatMul", [net.Weights(size, x.Shape[^2]), x.Name]), Shape = [.. x.Shape[..^2], size, x.Shape[^1]] };
            case 1 when x.Rank == 1:
                return new(net.Op("Gemm", [x.Name, net.Weights(x.Shape[0], size), net.Weights(size)], ("alpha", 0.5f), ("beta", 2f)), [size]);
            case 2 when x.Rank == 2:
                return new(net.Op("Einsum", [x.Name, net.Weights(size, x.Shape[0])], ("equation", "nij,ki->nkj")), [size, x.Shape[1]]);
            case 3 when x.Rank > 2:
                return x with { Name = net.Op("MatMul", [x.Name, net.Weights([.. x.Shape[..^2].Select(d => (long)d), x.Shape[^1], size])]), Shape = [.. x.Shape[..^1], size] };
            default:
                return x with { Name = net.Op("MatMul", [x.Name, net.Weights(x.Shape[^1], size)]), Shape = [.. x.Shape[..^1], size] };
        }
    }

    private Tensor WithConstant(Tensor x)
    {
        var constant = Constant(x.Shape[random.Next(x.Rank)..]);
        var op = Of("Add", "Sub", "Mul");
        return random.Next(4) == 0
            ? x with { Name = net.Op("Div", [x.Name, net.Positive(x.Shape[^1])]) }
            : x with { Name = net.Op(op, random.Next(2) == 0 ? [x.Name, constant] : [constant, x.Name]) };
    }

    /// <summary>Of two tensors of one shape, or of such that spread over each other; a concatenation where only one axis differs.</summary>
    private Tensor WithAnother(Tensor x)
    {
        var alike = made.Where(t => t.Rank == x.Rank && t.Shape.Zip(x.Shape).All(p => p.First == p.Second || p.First == 1 || p.Second == 1)).ToList();
        var y = alike[random.Next(alike.Count)];
        var axis = random.Next(x.Rank);
        if (random.Next(3) == 0)
        {
            var fits = made.Where(t => t.Rank == x.Rank && Enumerable.Range(0, x.Rank).All(i => i == axis || t.Shape[i] == x.Shape[i])).ToList();
            Tensor[] all = [x, .. Enumerable.Range(0, random.Next(1, 3)).Select(_ => fits[random.Next(fits.Count)])];
            if (random.Next(4) == 0) all[^1] = x with { Name = net.Op("Expand", [Constant(x.Shape), net.Op("Shape", [x.Name])]) };
            return Small(x, () => x with { Name = net.Op("Concat", [.. all.Select(t => t.Name)], ("axis", random.Next(2) == 0 ? axis + 1L : axis - x.Rank)), Shape = [.. x.Shape[..axis], all.Sum(t => t.Shape[axis]), .. x.Shape[(axis + 1)..]] });
        }
        int[] shape = [.. x.Shape.Zip(y.Shape, Math.Max)];
        var op = Of("Add", "Sub", "Max", "Min", "Sum", "Mean", "Add");
        string[] inputs = op is "Add" or "Sub" || random.Next(2) == 0 ? [x.Name, y.Name] : [x.Name, y.Name, Constant(x.Shape)];
        return new(net.Op(op, inputs), shape);
    }

    private Tensor Activated(Tensor x) => x with
    {
        Name = random.Next(9) switch
        {
            0 => net.Op("LeakyRelu", [x.Name], ("alpha", 0.1f)),
            1 => net.Op("PRelu", [x.Name, Constant(x.Shape[random.Next(x.Rank)..])]),
            2 => net.Op("Abs", [x.Name]),
            3 => net.Op("Clip", [x.Name, net.Floats([-0.4f]), net.Floats([0.5f])]),
            4 => net.Op("ThresholdedRelu", [x.Name], ("alpha", 0.3f)),
            5 => net.Op("HardSigmoid", [x.Name], ("alpha", 0.6f)),
            _ => net.Op("Relu", [x.Name]),
        },
    };

    private Tensor Reduced(Tensor x)
    {
        var op = isSmooth ? Of("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceL2", "ReduceLogSumExp", "ReduceSumSquare") : Of("ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin", "ReduceL1", "ReduceSum");
        long[] axes = [.. Enumerable.Range(0, x.Rank).Where(_ => random.Next(2) == 0).DefaultIfEmpty(x.Rank - 1).Select(i => random.Next(2) == 0 ? i + 1L : i - x.Rank)];
        var reduced = axes.Select(a => a < 0 ? (int)a + x.Rank : (int)a - 1).ToHashSet();
        var kept = random.Next(2) == 0 || reduced.Count == x.Rank;
        // Axes moved from an attribute to an input, of the sum first.
        var name = op == "ReduceSum" ? net.Op(op, [x.Name, net.Ints(axes)], ("keepdims", kept ? 1L : 0L)) : net.Op(op, [x.Name], ("axes", axes), ("keepdims", kept ? 1L : 0L));
        return new(name, [.. x.Shape.Select((d, i) => reduced.Contains(i) ? kept ? 1 : 0 : d).Where(d => d > 0)]);
    }

    private Tensor Reshaped(Tensor x)
    {
        var all = x.Elements;
        switch (random.Next(4))
        {
            case 0:
                return new(net.Op("Flatten", [x.Name]), [all]);
            case 1 when x.Rank < 4:
                var axis = random.Next(x.Rank + 1);
                return new(net.Op("Unsqueeze", [x.Name, net.Ints(axis + 1)]), [.. x.Shape[..axis], 1, .. x.Shape[axis..]]);
            case 2 when x.Rank > 1 && x.Shape.Contains(1):
                var one = Array.IndexOf(x.Shape, 1);
                return new(net.Op("Squeeze", [x.Name, net.Ints(one + 1)]), [.. x.Shape[..one], .. x.Shape[(one + 1)..]]);
            default:
                var divisors = Enumerable.Range(1, all).Where(d => all % d == 0).ToList();
                var first = divisors[random.Next(divisors.Count)];
                return new(net.Op("Reshape", [x.Name, net.Ints(0, first, random.Next(2) == 0 ? -1 : all / first)]), [first, all / first]);
        }
    }

    private Tensor Transposed(Tensor x)
    {
        int[] order = [.. Enumerable.Range(0, x.Rank)];
        random.Shuffle(order);
        return new(net.Op("Transpose", [x.Name], ("perm", L([0, .. order.Select(i => i + 1L)]))), [.. order.Select(i => x.Shape[i])]);
    }

    private IEnumerable<Tensor> Parts(Tensor x)
    {
        var axis = random.Next(x.Rank);
        if (x.Shape[axis] < 2) return [];
        var first = random.Next(1, x.Shape[axis]);
        Tensor Part(string name, int size) => new(name, [.. x.Shape[..axis], size, .. x.Shape[(axis + 1)..]]);
        if (random.Next(2) == 0)
        {
            var names = net.Ops("Split", 2, [x.Name, net.Ints(first, x.Shape[axis] - first)], ("axis", axis + 1L));
            return [Part(names[0], first), Part(names[1], x.Shape[axis] - first)];
        }
        var (begin, step) = (random.Next(x.Shape[axis]), Of(1, 2, -1, -2));
        var end = step > 0 ? int.MaxValue : int.MinValue;
        var count = step > 0 ? (x.Shape[axis] - begin + step - 1) / step : begin / -step + 1;
        return [Part(net.Op("Slice", [x.Name, net.Ints(begin), net.Ints(end), net.Ints(axis + 1), net.Ints(step)]), count)];
    }

    /// <summary>Elements by position: any number of times each, or by size.</summary>
    private Tensor Picked(Tensor x)
    {
        var axis = random.Next(x.Rank);
        long[] Places(int count) => [.. Enumerable.Range(0, count).Select(_ => (long)random.Next(-x.Shape[axis], x.Shape[axis]))];
        int[] With(params int[] sizes) => [.. x.Shape[..axis], .. sizes, .. x.Shape[(axis + 1)..]];
        var count = random.Next(1, 5);
        switch (random.Next(5))
        {
            case 0 when x.Rank < 4:
                return Small(x, () => new(net.Op("Gather", [x.Name, net.Ints(Places(2 * count), [2, count])], ("axis", axis + 1L)), With(2, count)));
            case 1 when x.Rank > 1:
                return new(net.Op("Gather", [x.Name, net.Ints(Places(1), [])], ("axis", axis + 1L)), With());
            case 2:
                var k = random.Next(1, x.Shape[axis] + 1);
                return new(net.Ops("TopK", 2, [x.Name, net.Ints(k)], ("axis", axis + 1L), ("largest", random.Next(2)))[0], With(k));
            case 3:
                return x with { Name = net.Op("CumSum", [x.Name, net.Ints([axis + 1L], [])], ("reverse", random.Next(2)), ("exclusive", random.Next(2))) };
            default:
                return Small(x, () => new(net.Op("Gather", [x.Name, net.Ints(Places(count))], ("axis", axis + 1L)), With(count)));
        }
    }

    private Tensor Padded(Tensor x)
    {
        var axis = random.Next(x.Rank);
        var mode = Of("constant", "edge", "reflect");
        var most = mode == "reflect" ? x.Shape[axis] - 1 : 2;
        var (before, after) = (random.Next(most + 1), random.Next(most + 1));
        long[] pads = new long[2 * (x.Rank + 1)];
        (pads[axis + 1], pads[x.Rank + 1 + axis + 1]) = (before, after);
        int[] shape = [.. x.Shape];
        shape[axis] += before + after;
        return random.Next(3) == 0
            ? Small(x, () => new(net.Op("Tile", [x.Name, net.Ints([1, .. Enumerable.Range(0, x.Rank).Select(i => i == axis ? 2L : 1L)])]), [.. x.Shape.Select((d, i) => i == axis ? 2 * d : d)]))
            : Small(x, () => new(net.Op("Pad", [x.Name, net.Ints(pads), net.Floats([0.3f])], ("mode", mode)), shape));
    }

    /// <summary>What slides over the last axis.</summary>
    private Tensor Windowed(Tensor x)
    {
        if (x.Rank != 2 || x.Shape[1] < 3) return Activated(x);
        var (channels, length) = (x.Shape[0], x.Shape[1]);
        var stride = Of(1, 2);
        switch (random.Next(4))
        {
            case 0:
                return new(net.Op("MaxPool", [x.Name], ("kernel_shape", L(2)), ("strides", L(stride))), [channels, (length - 2) / stride + 1]);
            case 1:
                return new(net.Op("AveragePool", [x.Name], ("kernel_shape", L(3)), ("strides", L(stride)), ("pads", L(1, 1))), [channels, (length - 1) / stride + 1]);
            case 2:
                return new(net.Op("ConvTranspose", [x.Name, net.Weights(channels, 3, 2)], ("strides", L(stride))), [3, (length - 1) * stride + 2]);
            default:
                return new(net.Op("Conv", [x.Name, net.Weights(4, channels, 3), net.Weights(4)], ("strides", L(stride)), ("pads", L(1, 0))), [4, (length - 2) / stride + 1]);
        }
    }

    /// <summary>One of two numbers each, as a condition of constants or of the network decides.</summary>
    private Tensor Chosen(Tensor x)
    {
        var same = made.Where(t => t.Shape.SequenceEqual(x.Shape)).ToList();
        var y = random.Next(3) == 0 ? Constant(x.Shape) : same[random.Next(same.Count)].Name;
        var condition = random.Next(2) == 0
            ? net.Booleans([.. Enumerable.Range(0, x.Elements).Select(_ => random.Next(2) == 0)], [.. x.Shape.Select(d => (long)d)])
            : net.Op("Greater", [same[random.Next(same.Count)].Name, net.Scalar(0.1f)]);
        return x with { Name = net.Op("Where", [condition, x.Name, y]) };
    }

    private Tensor Multiplied(Tensor x)
    {
        var same = made.Where(t => t.Shape.SequenceEqual(x.Shape)).ToList();
        var y = same[random.Next(same.Count)];
        if (x.Rank < 2 || random.Next(2) == 0) return x with { Name = net.Op("Mul", [x.Name, y.Name]) };
        int[] turned = [.. Enumerable.Range(0, x.Rank + 1)];
        (turned[^1], turned[^2]) = (turned[^2], turned[^1]);
        return x with { Name = net.Op("MatMul", [x.Name, net.Op("Transpose", [y.Name], ("perm", L([.. turned.Select(i => (long)i)])))]), Shape = [.. x.Shape[..^1], x.Shape[^2]] };
    }

    private Tensor Normalized(Tensor x) => x with
    {
        Name = random.Next(3) switch
        {
            0 => net.Op("LayerNormalization", [x.Name, net.Positive(x.Shape[^1]), net.Weights(x.Shape[^1])], ("epsilon", Epsilon)),
            1 when x.Rank > 1 => net.Op("InstanceNormalization", [x.Name, net.Positive(x.Shape[0]), net.Weights(x.Shape[0])], ("epsilon", Epsilon)),
            _ => net.Op(Of("Softmax", "LogSoftmax"), [x.Name], ("axis", (long)random.Next(1, x.Rank + 1))),
        },
    };

    private Tensor Smooth(Tensor x) => x with { Name = net.Op(Of("Sigmoid", "Tanh", "Softplus", "Elu", "HardSwish", "Erf", "Selu", "Softsign"), [x.Name]) };

    private string End()
    {
        Outputs = Of(1, 3, 6);
        var last = made[^1];
        // Something before the last is read at the end as well.
        var other = Any();
        var flat = net.Op("Concat", [net.Op("Flatten", [last.Name]), net.Op("Flatten", [other.Name])], ("axis", 1L));
        return net.Op("Gemm", [flat, net.Weights(Outputs, last.Elements + other.Elements), net.Weights(Outputs)], ("transB", 1L));
    }

    /// <summary>The tensor that is made, unless it would be large: then the one before it.</summary>
    private static Tensor Small(Tensor x, Func<Tensor> make) => x.Elements > MostElements / 4 ? x : make();

    /// <summary>Numbers that spread over a shape: some axes have one only.</summary>
    private string Constant(int[] shape) => net.Weights([.. shape.Select(d => random.Next(3) == 0 ? 1L : d)]);

    private Tensor Any() => made[Math.Max(random.Next(made.Count), random.Next(made.Count))];

    private T Of<T>(params ReadOnlySpan<T> of) => of[random.Next(of.Length)];

    /// <param name="Name">Its name.</param>
    /// <param name="Shape">Of a row.</param>
    private readonly record struct Tensor(string Name, int[] Shape)
    {
        public int Rank => Shape.Length;

        public int Elements => Shape.Aggregate(1, (a, d) => a * d);
    }
}
