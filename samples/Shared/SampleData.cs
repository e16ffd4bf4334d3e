using System.Buffers.Binary;
using System.IO.Compression;

namespace Samples.Shared;

/// <summary>Where the samples' data lie, and how they are read.</summary>
internal static class SampleData
{
    /// <summary>The folder <c>samples</c> of the repository, wherever inside it the program was started.</summary>
    public static string Folder { get; } = Find();

    /// <summary>
    /// The values of a gzipped IDX file of bytes: a header of big-endian counts, as long as there are dimensions, then the
    /// values (Y. LeCun, C. Cortes and C. Burges, "The MNIST database", file format).
    /// </summary>
    /// <exception cref="InvalidDataException">The file holds fewer or more values than its header announces, or none of this type.</exception>
    public static byte[] ReadIdx(string file) => ReadIdx(file, 0x08, 1);

    /// <summary>The values of a gzipped IDX file of big-endian floats.</summary>
    /// <inheritdoc cref="ReadIdx(string)"/>
    public static float[] ReadIdxSingles(string file) => [.. ReadIdx(file, 0x0D, 4).Chunk(4).Select(bytes => BinaryPrimitives.ReadSingleBigEndian(bytes))];

    private static byte[] ReadIdx(string file, byte type, int size)
    {
        using var stream = new GZipStream(File.OpenRead(file), CompressionMode.Decompress);
        using var all = new MemoryStream();
        stream.CopyTo(all);
        var bytes = all.ToArray();
        if (bytes[2] != type) throw new InvalidDataException($"{file}: values of type 0x{type:X2} expected, 0x{bytes[2]:X2} found.");
        var header = 4 + 4 * bytes[3];
        var count = 1;
        for (var at = 4; at < header; at += 4) count *= BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(at));
        return bytes.Length == header + count * size
            ? bytes[header..]
            : throw new InvalidDataException($"{file}: {count} values announced, {(bytes.Length - header) / size} found.");
    }

    private static string Find()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
            if (File.Exists(Path.Combine(at.FullName, "MLNetLinearize.sln"))) return Path.Combine(at.FullName, "samples");
        throw new DirectoryNotFoundException($"The samples read their data from the repository, and {AppContext.BaseDirectory} lies outside of it.");
    }
}
