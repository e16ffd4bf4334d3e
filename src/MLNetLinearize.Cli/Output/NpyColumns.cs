using System.IO.Compression;
using System.Runtime.ExceptionServices;

namespace MLNetLinearize.Cli.Output;

/// <summary>
/// One NumPy array for each column, all of N rows: <c>Row</c>, <c>Label</c>, <c>Predicted</c> and <c>ExplainedTarget</c>
/// as int64 (−1 where there is none), the others as float32; [N, d…] for one target, [N, K, d…] for several. As files
/// of a folder, or packed into one .npz, which is a zip of the same files.
/// </summary>
internal sealed class NpyColumns : IColumnOutput
{
    /// <summary>The time of every entry, the first that a zip can tell, as NumPy writes it: the same rows give the same bytes at any time.</summary>
    private static readonly DateTimeOffset Epoch = new(1980, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly ExplanationColumns columns;
    private readonly OutputFolder folder;
    private readonly OutputFile? archive;
    private readonly Dictionary<Column, NpyWriter<long>> wholes = [];
    private readonly Dictionary<Column, NpyWriter<float>> values = [];
    private long rows;

    /// <param name="folder">Where the arrays are written.</param>
    /// <param name="archive">The .npz to pack them into, or null to leave them as files.</param>
    /// <param name="columns">The columns.</param>
    public NpyColumns(OutputFolder folder, OutputFile? archive, ExplanationColumns columns)
    {
        (this.folder, this.archive, this.columns) = (folder, archive, columns);
        try
        {
            foreach (var column in columns.All) Open(column);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public string Path => archive?.Path ?? folder.Path;

    public string Contents => $"{Words.Rows(rows)}, {Words.Number(columns.All.Count, "array")}";

    public void Add(ExplainedBlock block) => folder.Try(() =>
    {
        for (var i = 0; i < block.Count; i++, rows++)
        {
            foreach (var (column, writer) in wholes)
            {
                for (var k = 0; k < columns.Count(column); k++) writer.Write([column.Whole(block, i, k) ?? -1]);
                writer.EndRow();
            }
            foreach (var (column, writer) in values)
            {
                for (var k = 0; k < columns.Count(column); k++) writer.Write(block.Values(column.Name, i, k));
                writer.EndRow();
            }
        }
    });

    public void Finish()
    {
        folder.Try(() =>
        {
            foreach (var writer in wholes.Values) writer.Finish();
            foreach (var writer in values.Values) writer.Finish();
        });
        folder.Try(Close);
        archive?.Write(stream =>
        {
            using var zip = new ZipArchive(stream, ZipArchiveMode.Create, leaveOpen: true);
            foreach (var column in columns.All)
            {
                var entry = zip.CreateEntry($"{column.Name}.npy", CompressionLevel.NoCompression);
                entry.LastWriteTime = Epoch;
                using var from = File.OpenRead(folder.File(entry.Name));
                using var to = entry.Open();
                from.CopyTo(to);
            }
        });
    }

    public void Publish()
    {
        if (archive is null) folder.Complete();
        else archive.Complete();
    }

    public void Dispose()
    {
        try
        {
            Close();
        }
        catch (Exception e) when (OutputFile.IsFailure(e))
        {
            // Only where the run failed: what an array still held back is thrown away with it, and the failure was told.
        }
        folder.Dispose();
        archive?.Dispose();
    }

    private void Open(Column column)
    {
        var shape = new List<int>();
        if (columns.Count(column) > 1) shape.Add(columns.Count(column));
        if (column.Kind == ColumnKind.Vector) shape.AddRange(columns.FeatureShape);
        var file = folder.Create($"{column.Name}.npy");
        if (column.Kind is ColumnKind.Row or ColumnKind.Output) wholes[column] = new(file, shape);
        else values[column] = new(file, shape);
    }

    /// <summary>Closes every array, also where one that cannot write what it holds back fails.</summary>
    private void Close()
    {
        Exception? failure = null;
        foreach (var writer in wholes.Values.Concat<IDisposable>(values.Values))
        {
            try
            {
                writer.Dispose();
            }
            catch (Exception e) when (OutputFile.IsFailure(e))
            {
                failure ??= e;
            }
        }
        if (failure is not null) ExceptionDispatchInfo.Throw(failure);
    }
}
