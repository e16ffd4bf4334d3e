using System.Text.Json;
using Parquet;
using Parquet.Schema;

namespace MLNetLinearize.Cli.Output;

/// <summary>
/// The explanation columns as Parquet, typed: a column of several targets is a list of K, a vector a list of its M
/// features, a vector of several targets a list of K lists of M. The file's own metadata tell the names of both
/// (<c>targets</c>, <c>features</c>, JSON arrays) and the features' shape (<c>feature_shape</c>). Memory holds one row group.
/// </summary>
internal sealed class ParquetColumns : IColumnOutput
{
    private const int BytesPerGroup = 8 << 20, MostRowsPerGroup = 1 << 17;
    private readonly OutputFile file;
    private readonly ExplanationColumns columns;
    private readonly ColumnBuffer[] buffers;
    private readonly ParquetWriter writer;
    private readonly int rowsPerGroup;
    private int held;
    private long rows;
    private bool closed;

    public ParquetColumns(OutputFile file, ExplanationColumns columns)
    {
        (this.file, this.columns) = (file, columns);
        var schema = new ParquetSchema([.. columns.All.Select(FieldOf)]);
        // One leaf for each column, in their order.
        buffers = [.. columns.All.Zip(schema.DataFields, (column, field) => new ColumnBuffer(column, field, columns))];
        rowsPerGroup = (int)Math.Clamp(BytesPerGroup / columns.All.Sum(c => (long)sizeof(float) * columns.Count(c) * (c.Kind == ColumnKind.Vector ? columns.Features.Count : 1)), 1, MostRowsPerGroup);
        ParquetWriter? made = null;
        // Unless told otherwise, the library keeps every buffer that it ever used.
        var options = new ParquetOptions { CompressionMethod = CompressionMethod.Snappy, MaximumSmallPoolFreeBytes = BytesPerGroup, MaximumLargePoolFreeBytes = BytesPerGroup };
        file.Write(stream => made = Wait(ParquetWriter.CreateAsync(schema, stream, options)));
        writer = made!;
        writer.CustomMetadata = new Dictionary<string, string>
        {
            ["targets"] = JsonSerializer.Serialize(columns.Targets),
            ["features"] = JsonSerializer.Serialize(columns.Features),
            ["feature_shape"] = JsonSerializer.Serialize(columns.FeatureShape),
        };
    }

    public string Path => file.Path;

    public string Contents => $"{Words.Rows(rows)}, {Words.Number(columns.All.Count, "column")}";

    public void Add(ExplainedBlock block)
    {
        for (var i = 0; i < block.Count; i++, rows++)
        {
            foreach (var buffer in buffers) buffer.Add(block, i);
            if (++held == rowsPerGroup) WriteGroup();
        }
    }

    public void Finish()
    {
        if (held > 0) WriteGroup();
        closed = true;
        file.Write(_ => writer.DisposeAsync().AsTask().GetAwaiter().GetResult());
    }

    public void Publish() => file.Complete();

    public void Dispose()
    {
        try
        {
            if (!closed) writer.DisposeAsync().AsTask().GetAwaiter().GetResult();
        }
        catch (Exception e) when (OutputFile.IsFailure(e))
        {
            // Only where the run failed: the file is thrown away, and the failure was told.
        }
        file.Dispose();
    }

    private void WriteGroup()
    {
        file.Write(_ =>
        {
            using var group = writer.CreateRowGroup();
            foreach (var buffer in buffers) buffer.Flush(group);
            group.CompleteValidate();
        });
        held = 0;
    }

    private Field FieldOf(Column column)
    {
        var leaf = column.Kind switch
        {
            ColumnKind.Row => typeof(long),
            ColumnKind.Output => columns.HasClassNames ? typeof(string) : typeof(long),
            _ => typeof(float),
        };
        // Label and Predicted may be missing in a row.
        var optional = column.Kind == ColumnKind.Output && !column.PerTarget;
        var depth = (columns.Count(column) > 1 ? 1 : 0) + (column.Kind == ColumnKind.Vector ? 1 : 0);
        Field field = new DataField(depth == 0 ? column.Name : "element", leaf, optional);
        for (var level = depth; level > 0; level--) field = new ListField(level == 1 ? column.Name : "element", field);
        return field;
    }

    private static T Wait<T>(Task<T> task) => task.GetAwaiter().GetResult();
}
