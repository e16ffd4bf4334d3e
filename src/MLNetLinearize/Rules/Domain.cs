namespace MLNetLinearize.Rules;

/// <summary>Where an operator makes a finite number of a finite one, and has a finite slope.</summary>
/// <param name="HasValue">Whether its value is finite all over a range of its input.</param>
/// <param name="HasSlope">Whether its slope is.</param>
internal sealed record Domain(Func<ValueRange, bool> HasValue, Func<ValueRange, bool> HasSlope)
{
    /// <summary>The largest power of e that float32 holds, rounded down.</summary>
    private const double LargestPower = 88;

    /// <summary>Any number.</summary>
    public static readonly Domain All = Of(_ => true);

    /// <summary>Any number to which e may be raised.</summary>
    public static readonly Domain Powers = Of(r => r.High < LargestPower);

    /// <summary>The same of either sign.</summary>
    public static readonly Domain PowersOfBothSigns = Of(r => r.Low > -LargestPower && r.High < LargestPower);

    public static readonly Domain Nonzero = Of(r => r.Low > 0 || r.High < 0);

    public static readonly Domain Positive = Of(r => r.Low > 0);

    public static readonly Domain NonNegative = Of(r => r.Low >= 0);

    public static readonly Domain BetweenOnes = Of(r => r.Low > -1 && r.High < 1);

    /// <summary>From 0 on, where the slope is infinite.</summary>
    public static readonly Domain Roots = new(r => r.Low >= 0, r => r.Low > 0);

    /// <summary>From −1 to 1, where the slope is infinite.</summary>
    public static readonly Domain Sines = new(r => r.Low >= -1 && r.High <= 1, BetweenOnes.HasSlope);

    /// <summary>From 1 on, where the slope is infinite.</summary>
    public static readonly Domain HyperbolicCosines = new(r => r.Low >= 1, r => r.Low > 1);

    /// <summary>Whether there are numbers at which the value is finite and the slope is not.</summary>
    public bool HasSteepEnds => HasValue != HasSlope;

    private static Domain Of(Func<ValueRange, bool> isFinite) => new(isFinite, isFinite);
}
