using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json;
using MLNetLinearize.Cli.Data;
using MLNetLinearize.Runtime;

namespace MLNetLinearize.Cli;

/// <summary>
/// What a run has finished, kept beside its output so that a run after an interruption goes on from there. A file that only
/// grows: a header that says what the run is of, then one record for each block of rows with the network's results. A
/// record carries a checksum, so whatever moment the run was killed at, the whole records before it count and the rest does
/// not; and a checksum of the rows it explains, which are read again and must still be the same.
/// </summary>
internal sealed class Journal : IDisposable
{
    private const int Digest = SHA256.HashSizeInBytes, Head = Digest + sizeof(long) + sizeof(int) + Digest;
    private static readonly byte[] Magic = "mlnet-linearize journal 1\n"u8.ToArray();
    private readonly FileStream file;
    private readonly string path;
    private readonly LinearizationGraph graph;
    private readonly IReadOnlyList<string> outputs;
    private bool replaying;
    private long headerLength;

    /// <param name="path">The journal's file.</param>
    /// <param name="identity">What the results depend on, by name: another run with the same identity gives the same results.</param>
    /// <param name="graph">The compiled graph.</param>
    /// <param name="outputs">Its outputs that a run gives.</param>
    public Journal(string path, IReadOnlyDictionary<string, string> identity, LinearizationGraph graph, IReadOnlyList<string> outputs)
    {
        (this.path, this.graph, this.outputs) = (path, graph, outputs);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
            file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None, 1 << 16);
        }
        catch (IOException e)
        {
            throw new InputException($"--resume: '{path}' cannot be opened: {Output.Words.Sentence(e.Message)} Is another run with the same output still under way?");
        }
        try
        {
            Open(identity);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Number of rows that were taken over from an earlier run.</summary>
    public long Replayed { get; private set; }

    /// <summary>The results for a block that an earlier run finished, or null from the first block on that it did not.</summary>
    /// <exception cref="InputException">The rows are not those that the results are of.</exception>
    public ExplanationBatch? Replay(RowBlock block)
    {
        if (!replaying) return null;
        var start = file.Position;
        if (Next(block) is { } batch)
        {
            Replayed += block.Count;
            return batch;
        }
        // The rest was not finished.
        replaying = false;
        file.SetLength(start);
        file.Position = start;
        return null;
    }

    /// <summary>Keeps the results for a block.</summary>
    public void Append(RowBlock block, ExplanationBatch batch)
    {
        try
        {
            var head = new byte[Head];
            BinaryPrimitives.WriteInt64LittleEndian(head.AsSpan(Digest), block.FirstRow);
            BinaryPrimitives.WriteInt32LittleEndian(head.AsSpan(Digest + sizeof(long)), block.Count);
            Rows(block).CopyTo(head.AsSpan(Head - Digest));
            Checksum(head, batch).CopyTo(head, 0);
            file.Write(head);
            foreach (var output in outputs) file.Write(Bytes(batch.All(output)));
            file.Flush();
        }
        catch (IOException e)
        {
            throw new InputException($"--resume: '{path}' cannot be written: {Output.Words.Sentence(e.Message)} Make room on its disk and give the same command again: it goes on from there.");
        }
    }

    /// <summary>Takes the journal away: the run is complete.</summary>
    public void Delete()
    {
        file.Dispose();
        File.Delete(path);
    }

    /// <summary>Closes the journal. One without results says nothing to a later run and is taken away.</summary>
    public void Dispose()
    {
        var isEmpty = file.CanRead && file.Length == headerLength;
        file.Dispose();
        if (isEmpty) File.Delete(path);
    }

    private void Open(IReadOnlyDictionary<string, string> identity)
    {
        var wanted = JsonSerializer.SerializeToUtf8Bytes(identity);
        var header = new byte[Magic.Length + sizeof(int) + wanted.Length];
        Magic.CopyTo(header, 0);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(Magic.Length), wanted.Length);
        wanted.CopyTo(header, Magic.Length + sizeof(int));

        headerLength = header.Length;
        var found = new byte[Math.Min(file.Length, header.Length)];
        file.ReadExactly(found);
        if (found.AsSpan().SequenceEqual(header))
        {
            replaying = file.Length > header.Length;
            return;
        }
        // A run killed while it wrote the header leaves the beginning of one.
        if (!found.AsSpan().SequenceEqual(header.AsSpan(0, found.Length)) || found.Length == header.Length) throw Mismatch(identity);
        file.SetLength(0);
        file.Position = 0;
        file.Write(header);
        file.Flush();
    }

    private InputException Mismatch(IReadOnlyDictionary<string, string> identity)
    {
        var remedy = $"Give the same arguments and files to go on with that run, or delete '{path}' to start anew.";
        file.Position = 0;
        var start = new byte[Magic.Length + sizeof(int)];
        if (file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) < start.Length || !start.AsSpan(0, Magic.Length).SequenceEqual(Magic))
            return new($"--resume: '{path}' is in the way: it is no journal of this tool. Move it away.");
        var length = BinaryPrimitives.ReadInt32LittleEndian(start.AsSpan(Magic.Length));
        var text = new byte[Math.Clamp(length, 0, file.Length - file.Position)];
        file.ReadExactly(text);
        try
        {
            var earlier = JsonSerializer.Deserialize<Dictionary<string, string>>(text) ?? [];
            var names = identity.Keys.Union(earlier.Keys).Where(n => identity.GetValueOrDefault(n) != earlier.GetValueOrDefault(n));
            return new($"--resume: '{path}' belongs to another run: {string.Join("; ", names.Select(n => $"{n} was {earlier.GetValueOrDefault(n, "not given")}, now {identity.GetValueOrDefault(n, "not given")}"))}. {remedy}");
        }
        catch (JsonException)
        {
            return new($"--resume: '{path}' is damaged at its beginning. Delete it to start anew.");
        }
    }

    /// <summary>Reads the record at the file's position; null where there is no whole one.</summary>
    private ExplanationBatch? Next(RowBlock block)
    {
        var head = new byte[Head];
        if (file.ReadAtLeast(head, Head, throwOnEndOfStream: false) < Head) return null;
        var (first, count) = (BinaryPrimitives.ReadInt64LittleEndian(head.AsSpan(Digest)), BinaryPrimitives.ReadInt32LittleEndian(head.AsSpan(Digest + sizeof(long))));
        // Other bounds than the block's: a torn head, or data that ended elsewhere then.
        if (first != block.FirstRow || count != block.Count) return null;
        var batch = new ExplanationBatch(graph, outputs, count, isPinned: false);
        foreach (var output in outputs)
        {
            var bytes = Bytes(batch.All(output));
            if (file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) < bytes.Length) return null;
        }
        if (!Checksum(head, batch).AsSpan().SequenceEqual(head.AsSpan(0, Digest))) return null;
        if (!Rows(block).AsSpan().SequenceEqual(head.AsSpan(Head - Digest)))
            throw new InputException($"--resume: the rows {block.FirstRow} to {block.FirstRow + count - 1} of the data are not those that the interrupted run explained. Give the same data, or delete '{path}' to start anew.");
        return batch;
    }

    private byte[] Checksum(byte[] head, ExplanationBatch batch)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(head.AsSpan(Digest));
        foreach (var output in outputs) hash.AppendData(Bytes(batch.All(output)));
        return hash.GetHashAndReset();
    }

    /// <summary>Checksum of what the rows are: the values that the network sees, and the labels.</summary>
    private static byte[] Rows(RowBlock block)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(MemoryMarshal.CreateReadOnlySpan(ref MemoryMarshal.GetArrayDataReference(block.Values), Buffer.ByteLength(block.Values) / block.Capacity * block.Count));
        foreach (var text in block.Texts.AsSpan(0, block.Texts.Length / block.Capacity * block.Count)) hash.AppendData(System.Text.Encoding.UTF8.GetBytes(text + "\0"));
        foreach (var label in block.Labels.AsSpan(0, block.Count)) hash.AppendData(BitConverter.GetBytes(label ?? -1));
        return hash.GetHashAndReset();
    }

    private static Span<byte> Bytes(Array values) => values is float[] singles ? MemoryMarshal.AsBytes(singles.AsSpan()) : MemoryMarshal.AsBytes(((long[])values).AsSpan());
}
