using Parquet.Schema;

namespace MLNetLinearize.Cli.Data;

/// <summary>
/// The rows of a Parquet file. Flat columns of numbers are elements of the network's input in the order of the file; a
/// column of lists, nested or not, is as many elements as its lists have. Memory holds one row group.
/// </summary>
internal sealed class ParquetRows : IRows
{
    private readonly ParquetFile file;
    private readonly DataField[] features;
    private readonly DataField[] texts;
    private readonly DataField? label;
    private readonly int[] lengths;
    private ParquetColumn[] columns = [];
    private ParquetColumn[] textColumns = [];
    private ParquetColumn? labels;
    private int group = -1, row, rowsInGroup;
    private long read;

    /// <param name="file">The file, which is closed with its rows.</param>
    /// <param name="input">The network's input.</param>
    /// <param name="choice">How columns are to be read.</param>
    public ParquetRows(ParquetFile file, GraphInput input, ColumnChoice choice)
    {
        this.file = file;
        var fields = file.Fields;
        label = choice.LabelColumn is { } l ? Find(fields, l, "--label-column") : null;
        texts = [.. choice.Texts.Select(t => Find(fields, t, "text column"))];
        Texts = texts.Length == 0 ? [] : new string[texts.Length];
        var left = choice.IgnoredColumns.SelectMany(c => fields.Where(f => Top(f) == Top(Find(fields, c, "--ignore-column")))).Concat(texts).Append(label).ToHashSet();
        features = [.. fields.Where(f => !left.Contains(f))];
        if (features.FirstOrDefault(f => !ParquetColumn.IsNumber(f)) is { } text)
            throw new InputException($"'{Name}', column '{Named(text)}': holds {text.ClrType.Name} values, and the network takes numbers. Name it with --label-column or --ignore-column.");
        NextGroup();
        lengths = rowsInGroup == 0 ? [.. features.Select(_ => 1)] : [.. columns.Select(c => c.Length(0))];
        FeatureNames = !choice.IsByName && lengths.Length == 1 && features[0].MaxRepetitionLevel > 0 ? null : [.. features.SelectMany((f, c) => f.MaxRepetitionLevel == 0 ? [Top(f)] : Enumerable.Range(0, lengths[c]).Select(i => $"{Top(f)}[{i}]"))];
        if (!choice.IsByName && Count > 0 && lengths.Sum(l => (long)l) != input.RowLength)
            throw new InputException($"'{Name}' has {lengths.Sum(l => (long)l):N0} values a row for the network's input '{input.Name}', which takes {input.RowLength:N0} ({RowShapes.Text(input.RowShape)}). Columns: {Names.Some([.. features.Select(Top)])}. Name what is no input with --label-column or --ignore-column.");
    }

    public string Name => file.Name;

    public long? Count => file.Rows;

    public double Progress => Count == 0 ? 1 : (double)read / Count!.Value;

    public IReadOnlyList<string>? FeatureNames { get; }

    public bool HasLabels => label is not null;

    public IReadOnlyList<string> Texts { get; }

    public bool Read(Span<double> values, out string? labelText)
    {
        labelText = null;
        while (row == rowsInGroup)
            if (!NextGroup()) return false;
        var at = 0;
        for (var c = 0; c < columns.Length; c++)
        {
            var (column, start) = (columns[c], columns[c].Start(row));
            if (column.Length(row) != lengths[c])
                throw new InputException($"{Where(read)}, column '{Named(features[c])}': its list has {column.Length(row):N0} values, and that of row 0 has {lengths[c]:N0}. Lists must be of one length.");
            for (var i = 0; i < lengths[c]; i++, at++)
            {
                values[at] = column.IsPresent(start + i) ? column.Number(start + i) : double.NaN;
            }
        }
        for (var i = 0; i < texts.Length; i++)
            ((string[])Texts)[i] = textColumns[i].IsPresent(textColumns[i].Start(row)) ? textColumns[i].Text(textColumns[i].Start(row)) : "";
        if (labels is not null) labelText = labels.IsPresent(labels.Start(row)) ? labels.Text(labels.Start(row)) : throw new InputException($"{Where(read)}, column '{Named(label!)}': the label is missing.");
        row++;
        read++;
        return true;
    }

    public long Skip(long rows)
    {
        var skipped = 0L;
        while (skipped < rows)
        {
            if (row == rowsInGroup && !NextGroup()) break;
            var step = Math.Min(rows - skipped, rowsInGroup - row);
            row += (int)step;
            skipped += step;
        }
        read += skipped;
        return skipped;
    }

    public string Where(long row) => $"'{Name}', row {row:N0} (counted from 0)";

    public void Dispose() => file.Dispose();

    private bool NextGroup()
    {
        if (++group >= file.Groups) return false;
        (row, rowsInGroup) = (0, file.Open(group));
        columns = [.. features.Select(f => ParquetColumn.Read(file, f, rowsInGroup))];
        textColumns = [.. texts.Select(f => ParquetColumn.Read(file, f, rowsInGroup))];
        labels = label is null ? null : ParquetColumn.Read(file, label, rowsInGroup);
        return true;
    }

    private DataField Find(DataField[] fields, string column, string option)
    {
        var found = fields.Where(f => Top(f) == column).ToArray();
        if (found.Length == 0) throw new InputException($"{option} '{column}': '{Name}' has no column of that name. Columns: {Names.Some([.. fields.Select(Top).Distinct()])}.");
        if (option != "--ignore-column" && found is not [{ MaxRepetitionLevel: 0 }]) throw new InputException($"{option} '{column}': '{Name}' holds lists or records there, where one value is expected.");
        return found[0];
    }

    private static string Top(DataField field) => field.Path.FirstPart ?? "";

    private static string Named(DataField field) => Names.Short(Top(field));
}
