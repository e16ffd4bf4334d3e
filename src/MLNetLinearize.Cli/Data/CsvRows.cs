using CsvHelper;

namespace MLNetLinearize.Cli.Data;

/// <summary>
/// A table with a header line; comma, semicolon, tab or bar between the fields. Every column is an element of the
/// network's input, in the order of the file, but for the label column and those to be ignored.
/// </summary>
internal sealed class CsvRows : IRows
{
    private readonly PeekStream stream;
    private readonly CsvReader reader;
    private readonly int[] features;
    private readonly int label;

    public CsvRows(string name, PeekStream stream, GraphInput input, ColumnChoice columns)
    {
        (Name, this.stream) = (name, stream);
        reader = CsvReader.Create(stream, new CsvReaderOptions
        {
            MalformedData = CsvMalformedDataHandling.Throw,
            FieldCountMismatch = CsvFieldCountHandling.Throw,
            TrackLineNumbers = true,
            TrimWhitespace = true,
        });
        var headers = Guard(() => reader.Headers);
        if (headers.Count == 0) throw new InputException($"'{name}' is empty. Expected a header line that names the columns.");
        label = columns.LabelColumn is { } l ? Find(headers, l, "--label-column") : -1;
        var left = columns.IgnoredColumns.Select(c => Find(headers, c, "--ignore-column")).Append(label).ToHashSet();
        features = [.. Enumerable.Range(0, headers.Count).Where(i => !left.Contains(i))];
        FeatureNames = [.. features.Select(i => headers[i])];
        if (!columns.IsByName && features.Length != input.RowLength)
            throw new InputException($"'{name}' has {features.Length:N0} columns for the network's input '{input.Name}', which takes {input.RowLength:N0} values a row ([{string.Join(", ", input.RowShape)}]). Columns: {Names.Some(FeatureNames)}. Name what is no input with --label-column or --ignore-column.");
    }

    public string Name { get; }

    public long? Count => null;

    public double Progress => stream.Progress;

    public IReadOnlyList<string>? FeatureNames { get; }

    public bool HasLabels => label >= 0;

    public bool Read(Span<double> row, out string? labelText)
    {
        labelText = null;
        if (!Guard(reader.Read)) return false;
        for (var i = 0; i < features.Length; i++)
        {
            if (!reader.TryParse<double>(features[i], out row[i]) || !double.IsFinite(row[i]))
                throw new InputException($"'{Name}', line {reader.LineNumber:N0}, column '{reader.Headers[features[i]]}': expected a finite number, but got '{reader.GetString(features[i])}'.");
        }
        if (HasLabels) labelText = reader.GetString(label);
        return true;
    }

    public long Skip(long rows)
    {
        var skipped = 0L;
        while (skipped < rows && Guard(reader.Read)) skipped++;
        return skipped;
    }

    public string Where(long row) => $"'{Name}', row {row:N0} (counted from 0 after the header)";

    public void Dispose()
    {
        reader.Dispose();
        stream.Dispose();
    }

    private int Find(IReadOnlyList<string> headers, string column, string option)
    {
        var found = Enumerable.Range(0, headers.Count).Where(i => headers[i] == column).ToArray();
        return found.Length == 1 ? found[0] : throw new InputException($"{option} '{column}': '{Name}' has {(found.Length == 0 ? "no column" : "several columns")} of that name. Columns: {Names.Some(headers)}.");
    }

    private T Guard<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (CsvFormatException e)
        {
            throw new InputException($"'{Name}' is not a readable table: {e.Message}");
        }
    }
}
