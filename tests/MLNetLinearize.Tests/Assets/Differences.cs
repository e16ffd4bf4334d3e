using MathNet.Numerics.LinearAlgebra;

namespace MLNetLinearize.Tests.Assets;

/// <summary>
/// Central differences of a model computed in single precision. The error of (F(x + hd) − F(x − hd)) / 2h has two parts: rounding,
/// at most a few units in the last place of F over h, and truncation, which the change from h to 2h (Richardson) and between the
/// two sides of x bounds; near a kink that is as large as the slope. Their sum is the tolerance; where it is no smaller than a
/// tenth of the slope itself, the differences say nothing.
/// </summary>
internal static class Differences
{
    private const double Step = 1.0 / 128;
    private const double RoundingUnits = 8;

    /// <summary>A difference beyond the bound, or null; and whether any output was bounded well enough to tell.</summary>
    public sealed record Outcome(string? Wrong, bool Says);

    public static Outcome Check(Func<float[], double[]?> forward, float[] x, Matrix<double> weights, long[] targets, IReadOnlyList<int> rows)
    {
        var random = new Random(99);
        double[] d = [.. x.Select(_ => random.NextDouble() * 2 - 1)]; // Math.NET fills long vectors in parallel, in no fixed order
        double[]? At(double h) => forward([.. x.Select((v, i) => (float)(v + h * d[i]))]);
        if (At(0) is not { } middle || At(Step) is not { } right || At(-Step) is not { } left || At(2 * Step) is not { } farRight || At(-2 * Step) is not { } farLeft) return new(null, false);
        // The step that single precision really takes at each element.
        var taken = Vector<double>.Build.Dense([.. x.Select((v, i) => ((float)(v + Step * d[i]) - (double)(float)(v - Step * d[i])) / (2 * Step))]);
        var says = false;
        foreach (var k in rows)
        {
            var c = (int)targets[k];
            var (near, far) = ((right[c] - left[c]) / (2 * Step), (farRight[c] - farLeft[c]) / (4 * Step));
            var rounding = RoundingUnits * Math.Pow(2, -24) * (Math.Abs(right[c]) + Math.Abs(left[c]) + Math.Abs(farRight[c]) + Math.Abs(farLeft[c])) / Step;
            var bound = rounding + Math.Abs(near - far) + Math.Abs(right[c] - 2 * middle[c] + left[c]) / Step + 1e-5 * weights.Row(k).PointwiseAbs().Sum();
            var slope = weights.Row(k) * taken;
            if (!(bound <= 0.1 * Math.Max(Math.Abs(slope), Math.Abs(near)))) continue;
            says = true;
            if (!(Math.Abs(near - slope) <= bound)) return new($"[{c}] is {slope:G6}, the differences {near:G6} within {bound:G2}", true);
        }
        return new(null, says);
    }
}
