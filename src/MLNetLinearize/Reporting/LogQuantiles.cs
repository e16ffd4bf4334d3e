namespace MLNetLinearize.Reporting;

/// <summary>
/// Quantiles of non-negative numbers in constant memory, within 1 % of the true value: counts in buckets of geometrically
/// growing width (C. Masson, J. Rim, H. Lee, "DDSketch", VLDB 2019). Values below 1e-12 count as zero. The largest value is exact.
/// </summary>
internal sealed class LogQuantiles
{
    private const double Accuracy = 0.01, Smallest = 1e-12, Largest = 1e12;
    private static readonly double LogGrowth = Math.Log((1 + Accuracy) / (1 - Accuracy));
    private readonly long[] counts = new long[Bucket(Largest) + 1];
    private long zeros;

    public long Count { get; private set; }

    public double Worst { get; private set; }

    public void Add(double value)
    {
        Count++;
        // NaN is worse than any number: it must not vanish in a comparison.
        if (double.IsNaN(value) || value > Worst) Worst = double.IsNaN(Worst) ? Worst : value;
        if (value < Smallest) zeros++;
        else counts[double.IsNaN(value) || value >= Largest ? counts.Length - 1 : Bucket(value)]++;
    }

    /// <summary>The value that the share <paramref name="q"/> of all values does not exceed; NaN where there are none.</summary>
    public double Quantile(double q)
    {
        if (Count == 0) return double.NaN;
        var rank = Math.Max(1, (long)Math.Ceiling(q * Count));
        if (rank == Count) return Worst;
        var seen = zeros;
        if (seen >= rank) return 0;
        for (var i = 0; i < counts.Length; i++)
            if ((seen += counts[i]) >= rank) return Math.Min(Smallest * Math.Exp((i + 0.5) * LogGrowth), Worst);
        return Worst;
    }

    private static int Bucket(double value) => (int)(Math.Log(value / Smallest) / LogGrowth);
}
