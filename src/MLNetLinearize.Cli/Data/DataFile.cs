using System.IO.Compression;

namespace MLNetLinearize.Cli.Data;

/// <summary>How CSV columns are to be read.</summary>
internal sealed record ColumnChoice(string? LabelColumn, IReadOnlyList<string> IgnoredColumns);

/// <summary>Opens data by what it holds, not by what it is called.</summary>
internal static class DataFile
{
    /// <summary>Opens a file or folder whose rows feed <paramref name="input"/>.</summary>
    public static IRows Open(string path, GraphInput input, ColumnChoice columns)
    {
        if (Directory.Exists(path)) return new ImageFolder(path, input);
        var stream = OpenStream(path);
        try
        {
            if (!IdxFile.IsIdx(stream)) return new CsvRows(path, stream, input, columns);
            if (columns.LabelColumn is not null || columns.IgnoredColumns.Count > 0)
                throw new InputException($"'{path}' is an IDX file and has no columns. Leave out --label-column and --ignore-column; give its labels as --labels FILE.");
            return new IdxFile(path, stream, input);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>Opens a file, unpacking gzip on the way. The first bytes can be looked at without consuming them.</summary>
    public static PeekStream OpenStream(string path)
    {
        if (!File.Exists(path)) throw new InputException($"'{path}' does not exist. Check the path; it is resolved against '{Environment.CurrentDirectory}'.");
        var file = new PeekStream(File.OpenRead(path), path, null);
        return file.Peek(2) is [0x1F, 0x8B] ? new PeekStream(new GZipStream(file, CompressionMode.Decompress), path, file) : file;
    }
}
