using System.Globalization;

namespace MLNetLinearize.Cli.Data;

/// <summary>Rows with the labels of a file of their own: IDX (as MNIST has them) or text with one label a line.</summary>
internal sealed class LabelFile : IRows
{
    private readonly IRows rows;
    private readonly string name;
    private readonly FixedRows? idx;
    private readonly StreamReader? text;
    private long read;

    public LabelFile(IRows rows, string name)
    {
        (this.rows, this.name) = (rows, name);
        if (rows.HasLabels) throw new InputException($"'{rows.Name}' brings its own labels, and --labels names '{name}'. Give one of them.");
        var stream = DataFile.OpenStream(name);
        if (!IdxFile.IsIdx(stream))
        {
            text = new StreamReader(stream);
            return;
        }
        idx = IdxFile.Open(name, stream);
        if (idx.RowLength != 1) throw new InputException($"--labels: '{name}' holds {idx.RowLength} values a row, where a label is one. Is it the file of images?");
        if (rows.Count is { } count && count != idx.Count) throw new InputException($"--labels: '{name}' holds {idx.Count:N0} labels, but '{rows.Name}' holds {count:N0} rows.");
    }

    public string Name => rows.Name;

    public long? Count => rows.Count;

    public double Progress => rows.Progress;

    public IReadOnlyList<string>? FeatureNames => rows.FeatureNames;

    public bool HasLabels => true;

    public IReadOnlyList<string> Texts => rows.Texts;

    public string? Note => rows.Note;

    public bool Read(Span<double> row, out string? label)
    {
        var more = rows.Read(row, out _);
        label = Next();
        if (more && label is null) throw new InputException($"--labels: '{name}' ends after {read:N0} labels, but '{rows.Name}' has more rows.");
        if (!more && label is not null) throw new InputException($"--labels: '{name}' has more labels than the {read:N0} rows of '{rows.Name}'.");
        if (more) read++;
        return more;
    }

    public long Skip(long count)
    {
        var skipped = rows.Skip(count);
        for (var i = 0L; i < skipped; i++, read++)
            if (Next() is null) throw new InputException($"--labels: '{name}' ends after {read:N0} labels, but '{rows.Name}' has more rows.");
        return skipped;
    }

    public string Where(long row) => $"'{name}', label {row:N0} (counted from 0)";

    public void Dispose()
    {
        rows.Dispose();
        idx?.Dispose();
        text?.Dispose();
    }

    private string? Next()
    {
        if (text is not null)
        {
            var line = TextFile.ReadLine(text, () => $"--labels: '{name}', line {read + 1:N0}")?.Trim();
            return string.IsNullOrEmpty(line) && text.EndOfStream ? null : line;
        }
        var value = new double[1];
        return idx!.Read(value, out _) ? value[0].ToString(CultureInfo.InvariantCulture) : null;
    }
}
