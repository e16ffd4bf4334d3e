using CsvHelper;

namespace MLNetLinearize.Cli.Output;

/// <summary>The explanation columns as CSV, one line for each row of the data, one field for each element of a vector.</summary>
internal sealed class CsvColumns : IColumnOutput
{
    private readonly OutputFile file;
    private readonly ExplanationColumns columns;
    private readonly CsvWriter writer;
    private readonly int width;
    private long rows;

    /// <param name="file">Where to write.</param>
    /// <param name="columns">The columns.</param>
    /// <param name="hasHeader">Whether their names come first.</param>
    public CsvColumns(OutputFile file, ExplanationColumns columns, bool hasHeader = true)
    {
        (this.file, this.columns) = (file, columns);
        CsvWriter? made = null;
        var names = columns.All.SelectMany(columns.FlatNames).ToArray();
        file.Write(stream =>
        {
            made = CsvText.Writer(stream);
            if (hasHeader) made.WriteRecord(names);
        });
        (writer, width) = (made!, names.Length);
    }

    public string Path => file.Path;

    public string Contents => $"{Words.Rows(rows)}, {Words.Number(width, "column")}";

    public void Add(ExplainedBlock block) => file.Write(_ =>
    {
        for (var i = 0; i < block.Count; i++, rows++)
        {
            foreach (var column in columns.All)
                for (var k = 0; k < columns.Count(column); k++) Write(column, block, i, k);
            writer.EndRecord();
        }
    });

    public void Finish() => file.Write(_ => writer.Dispose());

    public void Publish() => file.Complete();

    public void Dispose()
    {
        try
        {
            writer.Dispose();
        }
        catch (Exception e) when (OutputFile.IsFailure(e))
        {
            // Only where the run failed: the rows held back are thrown away with the file, and the failure was told.
        }
        file.Dispose();
    }

    private void Write(Column column, ExplainedBlock block, int i, int k)
    {
        switch (column.Kind)
        {
            case ColumnKind.Row:
                writer.WriteField(block.RowNumber(i));
                break;
            case ColumnKind.Output:
                // What has no name is a number, and −1 none that a text should be made of.
                var output = column.Whole(block, i, k);
                if (output is >= 0 && columns.HasClassNames) writer.WriteField(columns.Text(output.Value));
                else writer.WriteField(output);
                break;
            default:
                foreach (var value in block.Values(column.Name, i, k)) writer.WriteField(value);
                break;
        }
    }
}
