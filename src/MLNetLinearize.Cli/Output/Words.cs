using System.Globalization;

namespace MLNetLinearize.Cli.Output;

/// <summary>Numbers as people read them; always with a point and without regard to the machine's language.</summary>
internal static class Words
{
    public static string Count(long value) => value.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>An error: two digits and a power of ten.</summary>
    public static string Error(double value) => double.IsNaN(value) ? "NaN" : value == 0 ? "0" : value.ToString("0.0e-00", CultureInfo.InvariantCulture);

    /// <summary>A score or a contribution: four significant digits or so, with its sign where <paramref name="signed"/>.</summary>
    public static string Value(double value, bool signed = false)
    {
        var size = Math.Abs(value);
        var format = size switch { >= 100_000 => "0.000e0", >= 100 => "0.0", >= 10 => "0.00", >= 0.001 or 0 => "0.000", _ => "0.00e0" };
        var text = size.ToString(format, CultureInfo.InvariantCulture);
        return (value < 0 ? "−" : signed ? "+" : "") + text;
    }

    /// <summary>A mean with its standard error, which a single value does not have; – where nothing was measured.</summary>
    public static string Measured(MeasuredValue value, long values) => values > 1 || double.IsNaN(value.Mean) ? Measured(value) : Small(value.Mean);

    /// <summary>A mean and its standard error, which keeps two digits up to 35 and one beyond (Particle Data Group, "Review of Particle Physics", 2024, 5.3); – where nothing was measured.</summary>
    public static string Measured(MeasuredValue value)
    {
        if (double.IsNaN(value.Mean)) return "–";
        var second = value.StandardError > 0 ? 1 - (int)Math.Floor(Math.Log10(value.StandardError)) : 3;
        var digits = value.StandardError * Math.Pow(10, second) > 35 ? second - 1 : second;
        if (digits > 5) return $"{Small(value.Mean)} ±{Small(value.StandardError)}";
        var format = "N" + Math.Max(0, digits).ToString(CultureInfo.InvariantCulture);
        return $"{(value.Mean < 0 ? "−" : "")}{Math.Abs(value.Mean).ToString(format, CultureInfo.InvariantCulture)} ±{value.StandardError.ToString(format, CultureInfo.InvariantCulture)}";
    }

    /// <summary>A message of the system, which may lack the point that ends a sentence.</summary>
    public static string Sentence(string message) => message.EndsWith('.') ? message : $"{message}.";

    /// <summary>A name or a sentence as a cell of a table or a part of a line shows it: escaped before the cell is measured.</summary>
    public static string Markup(string text) => Spectre.Console.Markup.Escape(Printable.Text(text));

    public static string Plain(double value) => value.ToString(CultureInfo.InvariantCulture);

    private static string Small(double number) => Math.Abs(number) is > 0 and < 0.001 ? $"{(number < 0 ? "−" : "")}{Error(Math.Abs(number))}" : Value(number);

    public static string Percent(double share) => (100 * share).ToString("0.0", CultureInfo.InvariantCulture) + " %";

    public static string Shape(IEnumerable<int> shape) => $"[{string.Join(", ", shape)}]";

    public static string Rows(long count) => Number(count, "row");

    /// <summary>A number of things, of one in the singular.</summary>
    public static string Number(long count, string thing) => count == 1 ? $"1 {thing}" : $"{Count(count)} {thing}s";

    /// <summary>How many a second; slow ones with a decimal.</summary>
    public static string Rate(double perSecond) => perSecond.ToString(perSecond < 10 ? "0.0" : "N0", CultureInfo.InvariantCulture);

    /// <summary>Multiply-adds, such as <c>1.2 M</c>.</summary>
    public static string Large(long value) => value switch
    {
        >= 1_000_000_000 => (value / 1e9).ToString("0.0", CultureInfo.InvariantCulture) + " G",
        >= 1_000_000 => (value / 1e6).ToString("0.0", CultureInfo.InvariantCulture) + " M",
        >= 10_000 => (value / 1e3).ToString("0", CultureInfo.InvariantCulture) + " k",
        _ => Count(value),
    };
}
