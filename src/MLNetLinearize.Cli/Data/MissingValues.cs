using System.Globalization;
using MLNetLinearize.Cli.Output;

namespace MLNetLinearize.Cli.Data;

/// <summary>What becomes of values that a table leaves out: empty cells, NaN, null.</summary>
internal sealed class MissingValues
{
    private enum Kind
    {
        Refuse,
        Pass,
        Skip,
        Fill,
    }

    public const string Spellings = "network (it puts something in their place), skip (the row), refuse, or a number to take instead";

    private readonly Kind kind;
    private readonly double value;

    private MissingValues(Kind kind, double value = double.NaN) => (this.kind, this.value) = (kind, value);

    /// <summary>Reads what an option says; without it, missing values go to a network that takes them and are refused for others.</summary>
    /// <param name="text">The option's text, or null.</param>
    /// <param name="takesMissing">Whether the network makes something of them.</param>
    public static MissingValues Parse(string? text, bool takesMissing) => text switch
    {
        null => new(takesMissing ? Kind.Pass : Kind.Refuse),
        "network" when takesMissing => new(Kind.Pass),
        "network" => throw new InputException("--missing network: the network puts nothing in the place of missing values: it has neither an Imputer nor trees. Expected skip, refuse, or a number."),
        "skip" => new(Kind.Skip),
        "refuse" => new(Kind.Refuse),
        _ => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var v) && double.IsFinite(v) ? new(Kind.Fill, v) : throw new InputException($"--missing '{text}': expected {Spellings}."),
    };

    /// <summary>Missing values so far.</summary>
    public long Cells { get; private set; }

    /// <summary>Rows so far that have some.</summary>
    public long Rows { get; private set; }

    /// <summary>Sees to the missing values of a row.</summary>
    /// <param name="row">The row as it was read.</param>
    /// <param name="refused">The error for one that may not be.</param>
    /// <returns>Whether the row counts.</returns>
    public bool Keep(double[] row, Func<int, InputException> refused)
    {
        var cells = 0;
        for (var i = 0; i < row.Length; i++)
        {
            if (!double.IsNaN(row[i])) continue;
            if (kind == Kind.Refuse) throw refused(i);
            if (kind == Kind.Fill) row[i] = value;
            cells++;
        }
        if (cells == 0) return true;
        (Cells, Rows) = (Cells + cells, Rows + 1);
        return kind != Kind.Skip;
    }

    /// <summary>What was done, for the summary; null where no value was missing.</summary>
    public string? Told => Cells == 0 ? null : $"{Words.Number(Cells, "value")} in {Words.Rows(Rows)}: {kind switch
    {
        Kind.Pass => "the network puts its own in their place",
        Kind.Skip => $"{(Rows == 1 ? "that row is" : "those rows are")} left out",
        _ => $"taken as {Words.Plain(value)}",
    }}";
}
