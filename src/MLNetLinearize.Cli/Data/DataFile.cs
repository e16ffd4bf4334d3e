using System.IO.Compression;

namespace MLNetLinearize.Cli.Data;

/// <summary>How the columns of a table are to be read.</summary>
internal sealed record ColumnChoice(string? LabelColumn, IReadOnlyList<string> IgnoredColumns, IReadOnlyList<InputPart> Parts)
{
    /// <summary>Whether the columns are found by name, because they feed several inputs.</summary>
    public bool IsByName => Parts.Count > 0;

    /// <summary>The columns that hold texts, which feed inputs of such.</summary>
    public IReadOnlyList<string> Texts { get; } = [.. Parts.Where(p => p.IsText).SelectMany(p => Enumerable.Range(0, p.Length).Select(i => p.ColumnNames(i).First()))];

    /// <summary>Whether the first line of a table names its columns; found out when null.</summary>
    public bool? HasHeader { get; init; }

    public bool IsGiven => LabelColumn is not null || IgnoredColumns.Count > 0;
}

/// <summary>Opens data by what it holds, not by what it is called.</summary>
internal static class DataFile
{
    /// <summary>Name of standard input in messages.</summary>
    public const string StandardName = "standard input";

    /// <summary>Opens a file, a folder or standard input, whose rows feed <paramref name="input"/>.</summary>
    public static IRows Open(string path, GraphInput input, ColumnChoice columns, InputPreprocessing preprocessing, Func<Stream> standard)
    {
        if (!columns.IsByName) return OpenRows(path, input, columns, preprocessing, standard);
        var rows = OpenRows(path, input, columns, preprocessing, standard);
        try
        {
            return new JoinedRows(rows, columns.Parts);
        }
        catch
        {
            rows.Dispose();
            throw;
        }
    }

    private static IRows OpenRows(string path, GraphInput input, ColumnChoice columns, InputPreprocessing preprocessing, Func<Stream> standard)
    {
        if (path != Paths.Standard && Directory.Exists(path) && columns.IsByName) throw NoTable(path, columns);
        if (path != Paths.Standard && Directory.Exists(path)) return new ImageFolder(path, input, preprocessing);
        if (preprocessing.IsForImages) throw new InputException($"'{path}' is no folder of images, and --resize, --layout and the sizes of a preprocessing file are for images. Leave them out.");
        var stream = path == Paths.Standard ? Unpack(new PeekStream(standard(), StandardName, null), StandardName) : OpenStream(path);
        var name = path == Paths.Standard ? StandardName : path;
        try
        {
            if (stream.Peek(4) is [(byte)'P', (byte)'A', (byte)'R', (byte)'1']) return OpenParquet(path, name, stream, input, columns);
            var (isIdx, isNpy) = (IdxFile.IsIdx(stream), NpyHeader.IsNpy(stream));
            if (!isIdx && !isNpy) return IsText(stream) ? new CsvRows(name, stream, input, columns) : throw NoFormat(name, stream);
            if (columns.IsByName) throw NoTable(name, columns);
            if (columns.IsGiven)
                throw new InputException($"'{name}' is an {(isIdx ? "IDX" : "NPY")} file and has no columns. Leave out --label-column and --ignore-column; give its labels as --labels FILE.");
            return (isIdx ? IdxFile.Open(name, stream) : NpyFile.Open(name, stream)).Feeding(input);
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
        return Unpack(new PeekStream(File.OpenRead(path), path, null), path);
    }

    private static PeekStream Unpack(PeekStream file, string name) =>
        file.Peek(2) is [0x1F, 0x8B] ? new PeekStream(new GZipStream(file, CompressionMode.Decompress), name, file) : file;

    /// <summary>Whether a file may be a table: text has no control characters but tabs and ends of lines, save in UTF-16, which begins with a mark.</summary>
    private static bool IsText(PeekStream stream)
    {
        var start = stream.Peek(16);
        return start is [0xFF, 0xFE, ..] or [0xFE, 0xFF, ..] || !start.ContainsAnyInRange((byte)0, (byte)8) && !start.ContainsAnyInRange((byte)0x0E, (byte)0x1F);
    }

    private static InputException NoTable(string name, ColumnChoice columns) =>
        new($"'{name}' is no table, and the network takes several inputs, which are found by the names of columns. Give a CSV, TSV or Parquet file with the columns {Names.Some([.. columns.Parts.Select(p => p.Columns)])}.");

    private static InputException NoFormat(string name, PeekStream stream) => stream.Peek(4) is [0x89, (byte)'P', (byte)'N', (byte)'G'] or [0xFF, 0xD8, 0xFF, _]
        ? new($"'{name}' is a single image. Name the folder that holds it.")
        : new($"'{name}' is none of the formats of DATA: it is no text, and begins like no Parquet, NPY or IDX file. Expected a CSV or TSV table with a header line, one of these, or a folder of images.");

    private static ParquetRows OpenParquet(string path, string name, PeekStream stream, GraphInput input, ColumnChoice columns)
    {
        Stream file = stream.IsPlainFile ? File.OpenRead(path) : Seekable(stream);
        stream.Dispose();
        try
        {
            return new ParquetRows(new ParquetFile(name, file), input, columns);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The same bytes in a file that is gone when it is closed: a Parquet file is read from its end.</summary>
    private static FileStream Seekable(PeekStream stream)
    {
        var path = TemporaryPath.New(".tmp");
        FileStream? copy = null;
        try
        {
            TemporaryPath.Try(path, () => copy = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 1 << 16, FileOptions.DeleteOnClose));
            // What cannot be read is not the temporary file's fault.
            var buffer = new byte[1 << 16];
            for (int count; (count = stream.Read(buffer)) > 0;) TemporaryPath.Try(path, () => copy!.Write(buffer, 0, count));
            TemporaryPath.Try(path, copy!.Flush);
            copy.Position = 0;
            return copy;
        }
        catch
        {
            copy?.Dispose();
            throw;
        }
    }
}
