using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Rules;

/// <summary>Least and greatest value that the elements of a tensor may have, whatever the row.</summary>
internal readonly record struct ValueRange(double Low, double High)
{
    public static readonly ValueRange Any = new(double.NegativeInfinity, double.PositiveInfinity);

    public static readonly ValueRange NonNegative = new(0, double.PositiveInfinity);

    public static readonly ValueRange FromZeroToOne = new(0, 1);

    public static readonly ValueRange BetweenOnes = new(-1, 1);

    public ValueRange Union(ValueRange other) => new(Math.Min(Low, other.Low), Math.Max(High, other.High));

    public static ValueRange operator +(ValueRange a, ValueRange b) => new(a.Low + b.Low, a.High + b.High);

    public static ValueRange operator -(ValueRange a) => new(-a.High, -a.Low);

    public static ValueRange operator *(ValueRange a, ValueRange b)
    {
        double[] ends = [Times(a.Low, b.Low), Times(a.Low, b.High), Times(a.High, b.Low), Times(a.High, b.High)];
        return new(ends.Min(), ends.Max());
    }

    /// <summary>An end at infinity is not reached, and 0 times it is 0.</summary>
    private static double Times(double a, double b) => a == 0 || b == 0 ? 0 : a * b;
}

/// <summary>
/// Ranges of a network's tensors by interval arithmetic (Moore, Interval Analysis, 1966), as far back as elementwise operators, sums and
/// moves lead from where one is asked for. It shows that √(variance + ε) and its like never meet the ends of their domain.
/// </summary>
internal sealed class ValueRanges(CanonicalNetwork network)
{
    /// <summary>How many nodes a range is followed back over.</summary>
    private const int Deepest = 32;

    /// <summary>Constants of more elements are weights, whose range tells nothing.</summary>
    private const long MostStored = 1 << 16;

    /// <summary>Least size of a sum's one positive term that float32 does not lose in any row's.</summary>
    private const double LeastPositive = 1e-37;

    private readonly Dictionary<string, ValueRange> known = [];
    private readonly Dictionary<string, NodeProto> makers = network.Graph.Nodes.SelectMany(n => n.Output.Where(o => o.Length > 0).Select(o => (o, n))).ToDictionary(p => p.o, p => p.n);

    /// <summary>The range of a tensor.</summary>
    public ValueRange Of(string tensor) => Of(tensor, Deepest);

    private ValueRange Of(string tensor, int depth)
    {
        if (known.TryGetValue(tensor, out var range)) return range;
        if (network.Constant(tensor) is { } stored) range = Stored(stored);
        else if (depth == 0 || !makers.TryGetValue(tensor, out var maker) || !maker.IsStandard()) return ValueRange.Any;
        else range = Made(maker, i => maker.InputOrNull(i) is { } name ? Of(name, depth - 1) : null);
        if (double.IsNaN(range.Low) || double.IsNaN(range.High)) range = ValueRange.Any;
        return known[tensor] = range;
    }

    private static ValueRange Stored(TensorProto tensor)
    {
        if (tensor.ElementType() != DataType.Float || tensor.Count() is 0 or > MostStored) return ValueRange.Any;
        var values = tensor.ToSingle();
        return values.Any(float.IsNaN) ? ValueRange.Any : new(values.Min(), values.Max());
    }

    private ValueRange Made(NodeProto node, Func<int, ValueRange?> given)
    {
        var x = given(0) ?? ValueRange.Any;
        ValueRange Second() => given(1) ?? ValueRange.Any;
        ValueRange Rising(Func<double, double> f) => new(f(x.Low), f(x.High));
        switch (node.OpType)
        {
            case "Identity" or "Reshape" or "Flatten" or "Squeeze" or "Unsqueeze" or "Transpose" or "Expand" or "Tile" or "Slice" or "Split" or "Gather" or "GatherElements" or "GatherND":
            case "ReduceMax" or "ReduceMin" or "ReduceMean" or "MaxPool" or "GlobalMaxPool" or "GlobalAveragePool":
                return x;
            case "AveragePool" or "Trilu":
                return x.Union(new(0, 0));
            case "Concat" or "Max" or "Min" or "Sum" or "Mean":
                return Several(node.OpType, [.. node.Input.Select((_, i) => given(i) ?? ValueRange.Any)]);
            case "Where":
                return Second().Union(given(2) ?? ValueRange.Any);
            case "Relu":
                return Rising(v => Math.Max(0, v));
            case "Clip":
                return Rising(v => Math.Min(Math.Max(v, given(1)?.Low ?? v), given(2)?.High ?? double.PositiveInfinity));
            case "Neg":
                return -x;
            case "Add":
                return Sum(x, Second());
            case "Sub":
                return IsLessItsLargest(node) ? new(double.NegativeInfinity, 0) : x + -Second();
            case "Mul":
                return node.Input[0] == node.Input[1] ? Square(x) : x * Second();
            case "Div":
                return Second() is { Low: > 0 } or { High: < 0 } ? x * new ValueRange(1 / Second().High, 1 / Second().Low) : ValueRange.Any;
            case "Reciprocal":
                return x is { Low: > 0 } or { High: < 0 } ? new(1 / x.High, 1 / x.Low) : ValueRange.Any;
            case "Sqrt":
                return x.Low >= 0 ? Rising(Math.Sqrt) : ValueRange.NonNegative;
            case "Pow":
                return Power(node, x);
            case "Abs":
                return x.Low >= 0 ? x : x.High <= 0 ? -x : new(0, Math.Max(-x.Low, x.High));
            case "Exp":
                return Rising(Math.Exp);
            case "ReduceSum":
                return new(x.Low >= 0 ? x.Low : double.NegativeInfinity, x.High <= 0 ? x.High : double.PositiveInfinity);
            case "Sigmoid" or "HardSigmoid" or "Softmax":
                return ValueRange.FromZeroToOne;
            case "Tanh" or "Erf" or "Sin" or "Cos" or "Softsign":
                return ValueRange.BetweenOnes;
            case "Softplus" or "ReduceL1" or "ReduceL2" or "ReduceSumSquare" or "LpPool" or "GlobalLpPool" or "ThresholdedRelu":
                return ValueRange.NonNegative;
            case "Cast" when (DataType)node.Int("to", 1) == DataType.Float && network.Type(node.Input[0]) == DataType.Bool:
                return ValueRange.FromZeroToOne;
            case "Cast" when (DataType)node.Int("to", 1) == DataType.Float && network.Type(node.Input[0]) == DataType.Float:
                return x;
            default:
                return ValueRange.Any;
        }
    }

    private static ValueRange Several(string op, ValueRange[] all) => op switch
    {
        "Max" => new(all.Max(r => r.Low), all.Max(r => r.High)),
        "Min" => new(all.Min(r => r.Low), all.Min(r => r.High)),
        "Sum" => all.Aggregate(Sum),
        "Mean" => all.Aggregate((a, b) => a + b) * new ValueRange(1.0 / all.Length, 1.0 / all.Length),
        _ => all.Aggregate((a, b) => a.Union(b)),
    };

    /// <summary>A sum of what is not negative is no less than each of them, however large the others are; float32 rounds it no lower.</summary>
    private static ValueRange Sum(ValueRange a, ValueRange b)
    {
        var sum = a + b;
        return a.Low >= 0 && b.Low >= 0 && Math.Max(a.Low, b.Low) < LeastPositive ? sum with { Low = 0 } : sum;
    }

    private static ValueRange Square(ValueRange x)
    {
        var largest = Math.Max(Math.Abs(x.Low), Math.Abs(x.High));
        return new(x.Low > 0 ? x.Low * x.Low : x.High < 0 ? x.High * x.High : 0, largest * largest);
    }

    private ValueRange Power(NodeProto node, ValueRange x)
    {
        if (Exponent(network, node) is not { } c) return x.Low >= 0 ? ValueRange.NonNegative : ValueRange.Any;
        if (c == 2) return Square(x);
        if (x.Low >= 0) return c >= 0 ? new(Math.Pow(x.Low, c), Math.Pow(x.High, c)) : new(Math.Pow(x.High, c), Math.Pow(x.Low, c));
        return c % 2 == 0 ? ValueRange.NonNegative : ValueRange.Any;
    }

    /// <summary>The one number to whose power a Pow raises; null where it is computed, or several.</summary>
    public static double? Exponent(CanonicalNetwork network, NodeProto pow) =>
        network.Constant(pow.Input[1]) is not { } stored || stored.Count() != 1 ? null
        : stored.ElementType() is DataType.Float or DataType.Double ? stored.ToDouble()[0] : stored.ToInt64()[0];

    /// <summary>Whether a difference is that of elements and the largest of them, as a softmax that is written out begins with.</summary>
    private bool IsLessItsLargest(NodeProto sub) =>
        makers.GetValueOrDefault(sub.Input[1]) is { } other && other.IsStandard() && other.OpType == "ReduceMax" && other.Int("keepdims", 1) == 1 && other.Input[0] == sub.Input[0];
}
