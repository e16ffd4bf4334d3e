using System.Globalization;
using System.Text;
using CsvHelper;

namespace MLNetLinearize.Cli.Data;

/// <summary>
/// A table, with a header line or without; comma, semicolon, tab or bar between the fields. Every column is an element of the
/// network's input, in the order of the file, but for the label column and those to be ignored.
/// </summary>
internal sealed class CsvRows : IRows
{
    /// <summary>Most bytes of a line: what a row's values need, however they are written, and so much besides for columns that are no input.</summary>
    private const int MostBesides = 4 << 20;

    private readonly PeekStream stream;
    private readonly int mostBytes;
    private readonly CsvReader reader;
    private readonly CsvNumbers numbers;
    private readonly IReadOnlyList<string> headers;
    private readonly int[] features;
    private readonly int[] texts;
    private readonly int label;
    private readonly Func<string> place;
    private readonly string[] row;
    private bool isFirstRow;
    private long read;
    private int at;

    public CsvRows(string name, PeekStream stream, GraphInput input, ColumnChoice columns)
    {
        (Name, this.stream) = (name, stream);
        mostBytes = (int)Math.Min(MostBesides + (long)CsvNumbers.MostDigits * input.RowLength, Array.MaxLength / 2);
        reader = CsvReader.Create(stream, new CsvReaderOptions
        {
            MalformedData = CsvMalformedDataHandling.Throw,
            FieldCountMismatch = CsvFieldCountHandling.Throw,
            TrackLineNumbers = true,
            TrimWhitespace = true,
            MaxRecordSize = mostBytes,
        });
        headers = Guard(() => reader.Headers);
        if (headers.Count == 0) throw new InputException($"'{name}' is empty. Expected a header line that names the columns.");
        numbers = new((char)reader.Separator);
        isFirstRow = !(columns.HasHeader ?? !IsRow(headers));
        if (isFirstRow)
        {
            (row, headers) = ([.. headers], Positions(input, headers.Count));
            Note = columns.HasHeader is null ? "the table has no header line: "
                + "its first line holds numbers alone, and is a row (--header yes takes it for names)" : null;
        }
        else row = [];
        label = columns.LabelColumn is { } l ? Find(headers, l, "--label-column") : -1;
        texts = [.. columns.Texts.Select(t => Find(headers, t, "text column"))];
        var left = columns.IgnoredColumns.Select(c => Find(headers, c, "--ignore-column")).Concat(texts).Append(label).ToHashSet();
        features = [.. Enumerable.Range(0, headers.Count).Where(i => !left.Contains(i))];
        FeatureNames = [.. features.Select(i => headers[i])];
        place = () => $"'{Name}', line {(isFirstRow ? 1 : reader.LineNumber):N0}, column '{Names.Short(headers[at])}'";
        Texts = texts.Length == 0 ? [] : new string[texts.Length];
        if (!columns.IsByName && features.Length != input.RowLength)
            throw new InputException($"'{name}' has {features.Length:N0} columns for the network's input '{input.Name}', "
                + $"which takes {input.RowLength:N0} values a row ([{string.Join(", ", input.RowShape)}]). Columns: {Names.Some(FeatureNames)}. "
                + "Name what is no input with --label-column or --ignore-column.");
    }

    public string Name { get; }

    public long? Count => null;

    public double Progress => stream.Progress;

    public IReadOnlyList<string>? FeatureNames { get; }

    public bool HasLabels => label >= 0;

    public IReadOnlyList<string> Texts { get; }

    public string? Note { get; }

    public bool Read(Span<double> values, out string? labelText)
    {
        labelText = null;
        if (!isFirstRow && !Guard(reader.Read)) return false;
        for (var i = 0; i < features.Length; i++)
        {
            at = features[i];
            values[i] = numbers.Read(isFirstRow ? Encoding.UTF8.GetBytes(row[at]) : reader.GetSpan(at), place);
        }
        for (var i = 0; i < texts.Length; i++) ((string[])Texts)[i] = Text(texts[i]);
        if (HasLabels) labelText = Text(label);
        isFirstRow = false;
        read++;
        return true;
    }

    public long Skip(long rows)
    {
        var skipped = 0L;
        while (skipped < rows && (isFirstRow || Guard(reader.Read)))
        {
            isFirstRow = false;
            skipped++;
        }
        read += skipped;
        return skipped;
    }

    public string Where(long row) => row == read - 1 ? $"'{Name}', line {reader.LineNumber:N0}" : $"'{Name}', "
        + $"row {row:N0} (counted from 0{(this.row.Length > 0 ? "" : " after the header")})";

    public void Dispose()
    {
        reader.Dispose();
        stream.Dispose();
    }

    private string Text(int column) => isFirstRow ? row[column] : reader.GetString(column);

    /// <summary>Whether a first line is no header: it holds numbers alone, and not those that columns without names are counted by.</summary>
    private static bool IsRow(IReadOnlyList<string> line)
    {
        double?[] values = [.. line.Select(f => double.TryParse(f.Replace(',', '.'), NumberStyles.Float, CultureInfo.InvariantCulture, out var v) ? v : (double?)null)];
        if (values.Length == 0 || values.Any(v => v is null)) return false;
        return values.Length == 1 || !Enumerable.Range(0, values.Length).All(i => values[i] == values[0] + i) || values[0] is not (0 or 1);
    }

    private static IReadOnlyList<string> Positions(GraphInput input, int count) => count == input.RowLength ? Reporting.FeatureNames.Positions(input) : [.. Enumerable.Range(0, count).Select(i => $"[{i}]")];

    private int Find(IReadOnlyList<string> headers, string column, string option)
    {
        var found = Enumerable.Range(0, headers.Count).Where(i => headers[i] == column).ToArray();
        return found.Length == 1 ? found[0] : throw new InputException($"{option} '{column}': "
            + $"'{Name}' has {(found.Length == 0 ? "no column" : "several columns")} of that name. Columns: {Names.Some(headers)}.");
    }

    private T Guard<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        // The library throws one type for all that it does not read.
        catch (CsvFormatException e) when (e.Message.Contains(nameof(CsvReaderOptions.MaxRecordSize), StringComparison.Ordinal))
        {
            throw new InputException($"'{Name}', line {e.LineNumber:N0}, has more than {mostBytes:N0} bytes, "
                + "the most that a row of a table for this network may have. Check that its lines end and its quotes are closed.");
        }
        catch (CsvFormatException e)
        {
            throw new InputException($"'{Name}' is not a readable table: {Names.Reason(e)}");
        }
    }
}
