namespace MLNetLinearize.Cli.Data;

/// <summary>The rows of a table whose columns are found by name: those of each of the network's inputs, one input after the other.</summary>
internal sealed class JoinedRows : IRows
{
    private readonly IRows table;
    private readonly IReadOnlyList<InputPart> parts;
    private readonly int[] columns;
    private readonly double[] values;
    private long read;

    /// <param name="table">The table, its columns in the order of the file.</param>
    /// <param name="parts">The network's inputs.</param>
    /// <exception cref="InputException">A column is missing, there twice, or no input's.</exception>
    public JoinedRows(IRows table, IReadOnlyList<InputPart> parts)
    {
        (this.table, this.parts) = (table, [.. parts.Where(p => !p.IsText)]);
        var names = table.FeatureNames!;
        if (names.GroupBy(n => n).FirstOrDefault(g => g.Count() > 1) is { } twice) throw Wrong($"has {twice.Count()} columns of the name '{Names.Short(twice.Key)}'");
        var places = names.Index().ToDictionary(n => n.Item, n => n.Index);
        var found = this.parts.SelectMany(p => Enumerable.Range(0, p.Length).Select(i => (Name: p.ColumnNames(i).First(), Place: p.ColumnNames(i).Select(n => places.GetValueOrDefault(n, -1)).Max()))).ToList();
        if (found.Where(f => f.Place < 0).Select(f => f.Name).ToList() is { Count: > 0 } missing) throw Wrong($"lacks the column{(missing.Count > 1 ? "s" : "")} {Names.Some(missing)}");
        columns = [.. found.Select(f => f.Place)];
        if (names.Except(columns.Select(c => names[c])).ToList() is { Count: > 0 } others) throw Wrong($"has the column{(others.Count > 1 ? "s" : "")} {Names.Some(others)}, which no input is fed from");
        FeatureNames = [.. columns.Select(c => names[c])];
        values = new double[names.Count];
    }

    public string Name => table.Name;

    public long? Count => table.Count;

    public double Progress => table.Progress;

    public IReadOnlyList<string> FeatureNames { get; }

    public bool HasLabels => table.HasLabels;

    public IReadOnlyList<string> Texts => table.Texts;

    public string? Note => table.Note;

    public bool Read(Span<double> row, out string? label)
    {
        if (!table.Read(values, out label)) return false;
        for (var i = 0; i < columns.Length; i++) row[i] = values[columns[i]];
        foreach (var part in parts)
        {
            for (var i = part.Offset; i < part.Offset + part.Length; i++)
            {
                if (!part.Holds(row[i]) && !(double.IsNaN(row[i]) && !part.IsWhole)) throw new InputException($"{Where(read)}, column '{Names.Short(FeatureNames[i])}': expected {(part.ElementType == typeof(bool) ? "0 or 1" : $"a whole number that {part.ElementType.Name} holds, of at most 16,777,216 in size")}, as the network's input '{part.Name}' takes, but got {Output.Words.Plain(row[i])}.");
            }
        }
        read++;
        return true;
    }

    public long Skip(long rows)
    {
        var skipped = table.Skip(rows);
        read += skipped;
        return skipped;
    }

    public string Where(long row) => table.Where(row);

    public void Dispose() => table.Dispose();

    private InputException Wrong(string what) => new($"'{Name}' {what}. The network takes {Names.Some([.. parts.Select(p => $"'{p.Name}' {RowShapes.Text(p.RowShape)}")])}: expected the columns {Names.Some([.. parts.Select(p => p.Columns)])}, in any order. Name what is no input with --label-column or --ignore-column.");
}
