using MLNetLinearize.Onnx;

namespace MLNetLinearize.Tests.Rules;

/// <summary>The values a case's rows are drawn from.</summary>
internal enum RowData
{
    /// <summary>Evenly spaced values of both signs in random order, slightly moved: no ties, none near zero.</summary>
    Distinct,

    /// <summary>The same, between 0.2 and 2: for logarithms, roots and divisors.</summary>
    Positive,

    /// <summary>The same, between 8 and 12: where squashing functions saturate.</summary>
    Large,
}

/// <summary>One small model that exercises an operator, and the rows to try it on.</summary>
internal sealed record RuleCase(string Name, string Operator, int[] RowShape, Func<Net, string, string> Body, long Opset = 17, RowData Data = RowData.Distinct)
{
    /// <summary>What stands for the batch axis in the model: a name, a fixed 1, or null for a model without one.</summary>
    public object? Batch { get; init; } = "N";

    /// <summary>Every operator on the way is piecewise linear.</summary>
    public bool IsPiecewiseLinear { get; init; } = true;

    /// <summary>The model rounds: W is that of the network it stands for, and differences of the model itself are those of a staircase.</summary>
    public bool IsRounded { get; init; }

    /// <summary>Nothing in the model has a slope: W is 0 and the score is bias, whatever the cotangent.</summary>
    public bool IsConstant { get; init; }

    public int RowLength => RowShape.Aggregate(1, (a, d) => a * d);

    /// <summary>Shape of a single row as the model takes it.</summary>
    public long[] InputShape => [.. Batch is null ? [] : new long[] { 1 }, .. RowShape.Select(d => (long)d)];

    /// <summary>The model and the name of the tensor to explain.</summary>
    public (ModelProto Model, string Explained) Build()
    {
        var net = new Net(Opset, Seed);
        var x = net.Input("x", [.. Batch is null ? [] : new[] { Batch }, .. RowShape.Cast<object>()]);
        var output = Body(net, x);
        return (net.Build(output), net.Explained ?? output);
    }

    public float[][] Rows(int count)
    {
        var random = new Random(Seed + 1);
        var rows = new float[count][];
        for (var r = 0; r < count; r++)
        {
            var order = Enumerable.Range(0, RowLength).ToArray();
            random.Shuffle(order);
            rows[r] = [.. order.Select(k => Spread((k + 0.25f + 0.5f * random.NextSingle()) / RowLength, random))];
        }
        return rows;
    }

    public override string ToString() => Name;

    private float Spread(float unit, Random random)
    {
        if (Data == RowData.Positive) return 0.2f + 1.8f * unit;
        if (Data == RowData.Large) return 8 + 4 * unit;
        // A single value per row would never be negative or positive otherwise.
        var z = RowLength == 1 ? random.NextSingle() * 4 - 2 : 4 * unit - 2;
        return Math.Abs(z) < 0.01f ? 0.01f : z;
    }

    /// <summary>The same in every process, unlike <see cref="string.GetHashCode()"/>.</summary>
    private int Seed => Name.Aggregate(17, (hash, c) => unchecked(hash * 31 + c)) & 0x3fffffff;
}

/// <summary>The table of cases that every rule is checked by.</summary>
internal static partial class RuleCases
{
    public static IReadOnlyList<RuleCase> All { get; } =
    [
        .. Convolution(), .. TransposedConvolution(), .. Pooling(), .. Dense(), .. Arithmetic(), .. Activations(), .. Smooth(),
        .. Normalization(), .. Shape(), .. Selection(), .. Indexing(), .. Reduction(), .. IndexTuples(), .. EinsteinSums(),
        .. OwnStatistics(), .. Recurrent(), .. Quantized(), .. QuantizedWeights(), .. Classical(), .. Attentions(), .. OtherSpellings(), .. ComputedParameters(), .. ComputedPlaces(), .. Networks(),
    ];

    public static RuleCase Named(string name) => All.Single(c => c.Name == name);

    /// <summary>A case that varies only in its opset.</summary>
    private static IEnumerable<RuleCase> AtOpsets(RuleCase one, params long[] opsets) => opsets.Select(o => one with { Name = $"{one.Name}, opset {o}", Opset = o });
}
