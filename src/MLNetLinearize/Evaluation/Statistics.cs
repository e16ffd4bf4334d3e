using MLNetLinearize.Reporting;

namespace MLNetLinearize.Evaluation;

/// <summary>A mean and its standard error, one value at a time (B. Welford, "Note on a method for calculating corrected sums of squares and products", 1962).</summary>
internal sealed class RunningMean
{
    private long count;
    private double mean, squares;

    public double Largest { get; private set; } = double.NaN;

    /// <summary>Adds a value; NaN says that there is nothing to measure, and is left out.</summary>
    public void Add(double value)
    {
        if (double.IsNaN(value)) return;
        count++;
        var difference = value - mean;
        mean += difference / count;
        squares += difference * (value - mean);
        if (!(value <= Largest)) Largest = value;
    }

    public MeasuredValue Value => count == 0 ? new(double.NaN, double.NaN) : new(mean, count == 1 ? 0 : Math.Sqrt(squares / (count - 1) / count));
}

/// <summary>Measures of likeness and areas.</summary>
internal static class Statistics
{
    private const int Window = 7;

    /// <summary>Pearson's correlation; NaN where one side does not vary.</summary>
    public static double Pearson(IReadOnlyList<double> a, IReadOnlyList<double> b)
    {
        if (a.Count == 0) return double.NaN;
        var (meanA, meanB) = (a.Average(), b.Average());
        var (aa, bb, ab) = (0.0, 0.0, 0.0);
        for (var i = 0; i < a.Count; i++)
        {
            aa += (a[i] - meanA) * (a[i] - meanA);
            bb += (b[i] - meanB) * (b[i] - meanB);
            ab += (a[i] - meanA) * (b[i] - meanB);
        }
        return aa > 0 && bb > 0 ? ab / Math.Sqrt(aa * bb) : double.NaN;
    }

    /// <summary>Spearman's rank correlation; equal values share the mean of their ranks.</summary>
    public static double Spearman(IReadOnlyList<double> a, IReadOnlyList<double> b) => Pearson(Ranks(a), Ranks(b));

    /// <summary>Area under a curve by trapezoids.</summary>
    public static double Area(IReadOnlyList<double> x, IReadOnlyList<double> y) => Enumerable.Range(1, x.Count - 1).Sum(i => (x[i] - x[i - 1]) * (y[i] + y[i - 1]) / 2);

    /// <summary>Mean structural similarity of two maps with values from 0 to 1, one for each pixel (Z. Wang et al., IEEE TIP 2004, eq. 13), over even windows.</summary>
    public static double StructuralSimilarity(IReadOnlyList<double> a, IReadOnlyList<double> b, ImageShape shape)
    {
        const double c1 = 0.01 * 0.01, c2 = 0.03 * 0.03;
        var side = Math.Min(Window, Math.Min(shape.Height, shape.Width));
        var (sum, windows) = (0.0, 0);
        for (var top = 0; top + side <= shape.Height; top++)
            for (var left = 0; left + side <= shape.Width; left++, windows++)
            {
                var (sa, sb, saa, sbb, sab) = (0.0, 0.0, 0.0, 0.0, 0.0);
                for (var y = top; y < top + side; y++)
                    for (var x = left; x < left + side; x++)
                    {
                        var (p, q) = (a[y * shape.Width + x], b[y * shape.Width + x]);
                        (sa, sb, saa, sbb, sab) = (sa + p, sb + q, saa + p * p, sbb + q * q, sab + p * q);
                    }
                double n = side * side;
                var (ma, mb) = (sa / n, sb / n);
                sum += (2 * ma * mb + c1) * (2 * (sab / n - ma * mb) + c2) / ((ma * ma + mb * mb + c1) * (saa / n - ma * ma + (sbb / n - mb * mb) + c2));
            }
        return sum / windows;
    }

    public static double Norm(IEnumerable<double> values) => Math.Sqrt(values.Sum(v => v * v));

    /// <summary>Standard normal numbers (G. Box and M. Muller, 1958).</summary>
    public static double Normal(this Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());

    private static double[] Ranks(IReadOnlyList<double> values)
    {
        var order = Enumerable.Range(0, values.Count).OrderBy(i => values[i]).ToArray();
        var ranks = new double[values.Count];
        for (var start = 0; start < order.Length;)
        {
            var end = start + 1;
            while (end < order.Length && values[order[end]] == values[order[start]]) end++;
            for (var i = start; i < end; i++) ranks[order[i]] = (start + end - 1) / 2.0;
            start = end;
        }
        return ranks;
    }
}
