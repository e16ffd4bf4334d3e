namespace MLNetLinearize.Reporting;

/// <summary>
/// How exactly contributions and bias add up to the score, in three measures. All are computed here, in double precision,
/// from the graph's own columns: the check does not rest on the graph's error column.
/// </summary>
internal sealed class ErrorStatistics
{
    /// <summary>Below this |score| the purely relative error says nothing: it divides rounding errors by almost zero.</summary>
    public const double RelativeFrom = 0.01;

    /// <summary>|F − (Σ attribution + b)| / max(1, |F|), as the column LinearizationError.</summary>
    public LogQuantiles Scaled { get; } = new();

    /// <summary>|F − (Σ attribution + b)|.</summary>
    public LogQuantiles Absolute { get; } = new();

    /// <summary>|F − (Σ attribution + b)| / |F| where |F| ≥ <see cref="RelativeFrom"/>.</summary>
    public LogQuantiles Relative { get; } = new();

    /// <summary>Row of the largest scaled error; −1 before the first.</summary>
    public long WorstRow { get; private set; } = -1;

    /// <summary>Output of the largest scaled error.</summary>
    public long WorstTarget { get; private set; }

    public void Add(long row, long target, float score, ReadOnlySpan<float> attribution, float bias)
    {
        var sum = Sum(attribution);
        var error = Math.Abs(score - (sum + bias));
        var scaled = ScaledError(score, sum, bias);
        if (WorstRow < 0 || scaled > Scaled.Worst || (double.IsNaN(scaled) && !double.IsNaN(Scaled.Worst))) (WorstRow, WorstTarget) = (row, target);
        Scaled.Add(scaled);
        Absolute.Add(error);
        if (Math.Abs(score) >= RelativeFrom) Relative.Add(error / Math.Abs((double)score));
    }

    /// <summary>|F − (Σ attribution + b)| / max(1, |F|).</summary>
    public static double ScaledError(float score, double sum, float bias) => Math.Abs(score - (sum + bias)) / Math.Max(1, Math.Abs((double)score));

    public static double Sum(ReadOnlySpan<float> values)
    {
        var sum = 0.0;
        foreach (var value in values) sum += value;
        return sum;
    }
}
