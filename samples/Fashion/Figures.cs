using System.Globalization;

namespace Fashion;

/// <summary>Numbers as a reader expects them: with a minus sign, not a hyphen, and taken away rather than added when they are negative.</summary>
internal static class Figures
{
    public static string Text(double value, string format = "0.00") => value.ToString(format, CultureInfo.InvariantCulture).Replace('-', '−');

    /// <summary>What a score is made of, as wide as the tables' heads.</summary>
    public static string Sum(double contributions, double bias) => $"={Text(contributions),14} {Sign(bias)}{Text(Math.Abs(bias)),8}";

    /// <summary>The same within a line.</summary>
    public static string Caption(double contributions, double bias) => $"pixels {Text(contributions, "0.0")} {Sign(bias)} bias {Text(Math.Abs(bias), "0.0")}";

    private static char Sign(double value) => value < 0 ? '−' : '+';
}
