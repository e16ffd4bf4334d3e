using System.Globalization;

namespace MLNetLinearize.Cli.Data;

/// <summary>What every value is multiplied by before the network sees it: a number, or a fraction such as <c>1/255</c>, which divides once and so rounds as the training code does.</summary>
internal readonly record struct Scale(double Numerator, double Denominator)
{
    public static Scale One { get; } = new(1, 1);

    public static Scale? TryParse(string text)
    {
        var parts = text.Split('/');
        var numbers = parts.Select(p => double.TryParse(p, NumberStyles.Float, CultureInfo.InvariantCulture, out var v) && double.IsFinite(v) && v != 0 ? v : double.NaN).ToArray();
        return numbers.Length is 1 or 2 && !numbers.Any(double.IsNaN) ? new(numbers[0], numbers.Length == 2 ? numbers[1] : 1) : null;
    }

    public double Apply(double value) => value * Numerator / Denominator;
}
