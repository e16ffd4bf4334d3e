using System.Globalization;
using System.Text;

namespace MLNetLinearize.Cli.Data;

/// <summary>
/// The numbers of one table as it writes them: with a decimal point or, as spreadsheets of half of Europe do, with a decimal comma. The
/// first number that has either decides, and all others must agree; what could also be thousands is no number.
/// </summary>
/// <param name="separator">What stands between fields.</param>
internal sealed class CsvNumbers(char separator)
{
    /// <summary>Most bytes of a number. Doubles take 24; what is longer has no more to tell.</summary>
    public const int MostDigits = 64;

    /// <summary>Bytes that a message shows the beginning of.</summary>
    private const int MostRead = 1024;

    private static readonly string[] Missing = ["nan", "null", "na", "n/a"];

    private char? mark;
    private string? evidence;

    /// <summary>Whether a field says that there is no value.</summary>
    public static bool IsMissing(ReadOnlySpan<byte> field)
    {
        if (field.IsEmpty) return true;
        foreach (var word in Missing)
            if (Ascii.EqualsIgnoreCase(field, word)) return true;
        return false;
    }

    /// <summary>Reads a number; NaN where there is none to read.</summary>
    /// <param name="field">The field's bytes.</param>
    /// <param name="place">Names the field, for messages.</param>
    /// <exception cref="InputException">It is no finite number, or not written as the others are.</exception>
    public double Read(ReadOnlySpan<byte> field, Func<string> place)
    {
        if (IsMissing(field)) return double.NaN;
        var comma = field.IndexOf((byte)',');
        var point = field.IndexOf((byte)'.');
        if (comma < 0)
        {
            if (point >= 0) Agree('.', field, place);
            return double.TryParse(field, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && double.IsFinite(value) ? value : throw Wrong(field, place, "expected a finite number");
        }
        if (point >= 0 || field[(comma + 1)..].Contains((byte)',')) throw Wrong(field, place, "expected a number whose thousands are not separated");
        // In a file of commas a number in quotes may be of either kind, unless its digits tell.
        var behind = field[(comma + 1)..].IndexOfAnyExceptInRange((byte)'0', (byte)'9');
        if (separator == ',' && (behind < 0 ? field.Length - comma - 1 : behind) == 3)
            throw Wrong(field, place, "expected a number with a decimal point, since a comma before three digits may mean thousands");
        Agree(',', field, place);
        Span<byte> written = stackalloc byte[MostDigits];
        if (field.Length > MostDigits) throw Wrong(field, place, "expected a finite number");
        field.CopyTo(written);
        written[comma] = (byte)'.';
        return double.TryParse(written[..field.Length], NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) ? number : throw Wrong(field, place, "expected a finite number");
    }

    private void Agree(char used, ReadOnlySpan<byte> field, Func<string> place)
    {
        if (mark == used) return;
        if (mark is not null) throw Wrong(field, place, $"expected a decimal {(mark == ',' ? "comma" : "point")} as in {evidence}");
        (mark, evidence) = (used, $"'{Text(field)}' ({place()})");
    }

    private static InputException Wrong(ReadOnlySpan<byte> field, Func<string> place, string why) => new($"{place()}: {why}, but got '{Text(field)}'.");

    private static string Text(ReadOnlySpan<byte> field) => Names.Short(Encoding.UTF8.GetString(field.Length > MostRead ? field[..MostRead] : field));
}
