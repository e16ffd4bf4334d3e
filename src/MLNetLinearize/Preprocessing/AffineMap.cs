namespace MLNetLinearize.Preprocessing;

/// <summary>
/// What one stage does to the slots of its columns. Where each output takes one input (normalizers, selections,
/// concatenation) it is kept as <c>(x − Offset)·Scale</c>, which is how ML.NET computes it, so that nothing cancels; else
/// (projections) as <c>A·x + Constant</c>.
/// </summary>
internal sealed class AffineMap
{
    // Half a unit in the last place, relative: the error of one operation in float32.
    private const double Unit = 1.0 / (1 << 24);

    // A rounded probe, a rounded slope, and the shift and product on either side.
    private const int RoundingsBesidesSums = 4;

    // Below it float32 has no full digits.
    private const double SmallestNormal = 1.1754943508222875e-38;

    /// <summary>Number of inputs, the slots of all input columns one after the other.</summary>
    public required int Inputs { get; init; }

    /// <summary>For each output the input that it takes, or −1 where it is <see cref="Constant"/>; null for a dense stage.</summary>
    public int[]? Source { get; init; }

    public float[] Scale { get; init; } = [];

    public float[] Offset { get; init; } = [];

    /// <summary>A of a dense stage, input after input: [Inputs, Outputs].</summary>
    public float[] Matrix { get; init; } = [];

    /// <summary>What the stage makes of zeros.</summary>
    public required float[] Constant { get; init; }

    /// <summary>What each output is where its input is NaN: a number where the stage replaces it, else NaN.</summary>
    public float[]? Missing { get; set; }

    public int Outputs => Constant.Length;

    public bool ReplacesMissing => Missing?.Any(float.IsFinite) == true;

    /// <summary>Whether it hands its inputs on as they are.</summary>
    public bool IsIdentity => Source is not null && !ReplacesMissing && Inputs == Outputs
        && Enumerable.Range(0, Outputs).All(i => Source[i] == i && Scale[i] == 1 && Offset[i] == 0);

    /// <summary>
    /// Output <paramref name="i"/> at <paramref name="x"/>, and how far a sum of n products in float32, in any order, may be
    /// from it: (n + 4)·u·Σ|terms|, as in Higham, "Accuracy and Stability of Numerical Algorithms" (2002), 3.1.
    /// </summary>
    public (double Value, double Bound) At(int i, ReadOnlySpan<double> x)
    {
        if (Source is not null)
        {
            if (Source[i] < 0) return (Constant[i], 0);
            var input = x[Source[i]];
            if (double.IsNaN(input)) return (Missing is null ? double.NaN : Missing[i], 0);
            return ((input - Offset[i]) * Scale[i], Bound(1, Math.Abs((double)Scale[i]) * (Math.Abs(input) + Math.Abs(Offset[i]))));
        }
        var (sum, size) = ((double)Constant[i], Math.Abs((double)Constant[i]));
        for (var j = 0; j < Inputs; j++)
        {
            var term = Matrix[(long)j * Outputs + i] * x[j];
            sum += term;
            size += Math.Abs(term);
        }
        return (sum, Bound(Inputs, size));
    }

    /// <summary>Whether a stage's own value of an output is what the map gives, up to rounding.</summary>
    public bool Gives(int i, ReadOnlySpan<double> x, double value, out double expected)
    {
        (expected, var bound) = At(i, x);
        return expected.Equals(value) || Math.Abs(value - expected) <= bound;
    }

    private static double Bound(int terms, double size) => (terms + RoundingsBesidesSums) * (Unit * size + SmallestNormal);
}
