using Parquet;
using Parquet.Schema;

namespace MLNetLinearize.Cli.Data;

/// <summary>
/// The rows of a Parquet file. Flat columns of numbers are elements of the network's input in the order of the file; a
/// column of lists, nested or not, is as many elements as its lists have. Memory holds one row group.
/// </summary>
internal sealed class ParquetRows : IRows
{
    /// <summary>Unless told otherwise, the library keeps every buffer that it ever used.</summary>
    private const int MostPooledBytes = 8 << 20;

    private readonly Stream stream;
    private readonly ParquetReader reader;
    private readonly GraphInput input;
    private readonly DataField[] features;
    private readonly DataField[] texts;
    private readonly DataField? label;
    private readonly int[] lengths;
    private ParquetColumn[] columns = [];
    private ParquetColumn[] textColumns = [];
    private ParquetColumn? labels;
    private int group = -1, row, rowsInGroup;
    private long read;

    public ParquetRows(string name, Stream stream, GraphInput input, ColumnChoice choice)
    {
        (Name, this.stream, this.input) = (name, stream, input);
        reader = Guard(() => ParquetReader.CreateAsync(stream, new ParquetOptions { MaximumSmallPoolFreeBytes = MostPooledBytes, MaximumLargePoolFreeBytes = MostPooledBytes }).GetAwaiter().GetResult());
        var fields = reader.Schema.DataFields;
        label = choice.LabelColumn is { } l ? Find(fields, l, "--label-column") : null;
        texts = [.. choice.Texts.Select(t => Find(fields, t, "text column"))];
        Texts = texts.Length == 0 ? [] : new string[texts.Length];
        var left = choice.IgnoredColumns.SelectMany(c => fields.Where(f => Top(f) == Top(Find(fields, c, "--ignore-column")))).Concat(texts).Append(label).ToHashSet();
        features = [.. fields.Where(f => !left.Contains(f))];
        if (features.FirstOrDefault(f => !ParquetColumn.IsNumber(f)) is { } text)
            throw new InputException($"'{name}', column '{Top(text)}': holds {text.ClrType.Name} values, and the network takes numbers. Name it with --label-column or --ignore-column.");
        Count = reader.Metadata!.NumRows;
        HasLabels = label is not null;
        NextGroup();
        lengths = rowsInGroup == 0 ? [.. features.Select(_ => 1)] : [.. columns.Select(c => c.Length(0))];
        FeatureNames = !choice.IsByName && lengths.Length == 1 && features[0].MaxRepetitionLevel > 0 ? null : [.. features.SelectMany((f, c) => f.MaxRepetitionLevel == 0 ? [Top(f)] : Enumerable.Range(0, lengths[c]).Select(i => $"{Top(f)}[{i}]"))];
        if (!choice.IsByName && Count > 0 && lengths.Sum() != input.RowLength)
            throw new InputException($"'{name}' has {lengths.Sum():N0} values a row for the network's input '{input.Name}', which takes {input.RowLength:N0} ({RowShapes.Text(input.RowShape)}). Columns: {Names.Some([.. features.Select(Top)])}. Name what is no input with --label-column or --ignore-column.");
    }

    public string Name { get; }

    public long? Count { get; }

    public double Progress => Count == 0 ? 1 : (double)read / Count!.Value;

    public IReadOnlyList<string>? FeatureNames { get; }

    public bool HasLabels { get; }

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
                throw new InputException($"{Where(read)}, column '{Top(features[c])}': its list has {column.Length(row):N0} values, and that of row 0 has {lengths[c]:N0}. Lists must be of one length.");
            for (var i = 0; i < lengths[c]; i++, at++)
            {
                values[at] = column.IsPresent(start + i) ? column.Number(start + i) : double.NaN;
            }
        }
        for (var i = 0; i < texts.Length; i++)
            ((string[])Texts)[i] = textColumns[i].IsPresent(textColumns[i].Start(row)) ? textColumns[i].Text(textColumns[i].Start(row)) : "";
        if (labels is not null) labelText = labels.IsPresent(labels.Start(row)) ? labels.Text(labels.Start(row)) : throw new InputException($"{Where(read)}, column '{Top(label!)}': the label is missing.");
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

    public void Dispose()
    {
        reader.DisposeAsync().AsTask().GetAwaiter().GetResult();
        stream.Dispose();
    }

    private bool NextGroup()
    {
        if (++group >= reader.RowGroupCount) return false;
        Guard(() =>
        {
            using var open = reader.OpenRowGroupReader(group);
            columns = [.. features.Select(f => ParquetColumn.Read(open, f))];
            textColumns = [.. texts.Select(f => ParquetColumn.Read(open, f))];
            labels = label is null ? null : ParquetColumn.Read(open, label);
            (row, rowsInGroup) = (0, checked((int)open.RowCount));
            return true;
        });
        return true;
    }

    private DataField Find(DataField[] fields, string column, string option)
    {
        var found = fields.Where(f => Top(f) == column).ToArray();
        if (found.Length == 0) throw new InputException($"{option} '{column}': '{Name}' has no column of that name. Columns: {Names.Some([.. fields.Select(Top).Distinct()])}.");
        if (option != "--ignore-column" && found is not [{ MaxRepetitionLevel: 0 }]) throw new InputException($"{option} '{column}': '{Name}' holds lists or records there, where one value is expected.");
        return found[0];
    }

    private static string Top(DataField field) => field.Path.FirstPart!;

    private T Guard<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (InputException e)
        {
            throw new InputException($"'{Name}', {e.Message}");
        }
        // What the reader throws at damaged bytes is of many kinds: the format's parts are parsed without checks of their own.
        catch (Exception e) when (e is not (OutOfMemoryException or OperationCanceledException))
        {
            throw new InputException($"'{Name}' is not a readable Parquet file: {e.Message} Check that it is complete.");
        }
    }
}
