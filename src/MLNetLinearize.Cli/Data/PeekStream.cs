namespace MLNetLinearize.Cli.Data;

/// <summary>A stream whose first bytes can be looked at before it is read, and that knows how far into its file it is.</summary>
internal sealed class PeekStream(Stream inner, string name, PeekStream? file) : Stream
{
    private readonly byte[] head = new byte[16];
    private int headLength = -1, headRead;
    private long position;

    /// <summary>Share of the file's bytes that were read; for a packed file, of the packed bytes; NaN for a stream without a known end.</summary>
    public double Progress => file?.Progress ?? (!inner.CanSeek ? double.NaN : inner.Length == 0 ? 1 : Math.Min(1, (double)position / inner.Length));

    /// <summary>Whether the bytes are those of a file, not unpacked and not of a pipe.</summary>
    public bool IsPlainFile => inner is FileStream { CanSeek: true };

    public ReadOnlySpan<byte> Peek(int count)
    {
        if (headLength < 0)
        {
            headLength = 0;
            headLength = ReadInner(head, atLeast: head.Length);
        }
        return head.AsSpan(0, Math.Min(count, headLength));
    }

    public override int Read(Span<byte> buffer)
    {
        if (headRead < headLength)
        {
            var count = Math.Min(buffer.Length, headLength - headRead);
            head.AsSpan(headRead, count).CopyTo(buffer);
            headRead += count;
            return count;
        }
        return ReadInner(buffer, atLeast: 0);
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    private int ReadInner(Span<byte> buffer, int atLeast)
    {
        try
        {
            var count = atLeast > 0 ? inner.ReadAtLeast(buffer, atLeast, throwOnEndOfStream: false) : inner.Read(buffer);
            position += count;
            return count;
        }
        catch (InvalidDataException e)
        {
            throw new InputException($"'{name}' is packed with gzip, but the packed data is corrupt: {Names.Reason(e)} Check that the file is complete.");
        }
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
            file?.Dispose();
        }
        base.Dispose(disposing);
    }

    public override bool CanRead => true;
    public override bool CanSeek => false;
    public override bool CanWrite => false;
    public override long Length => throw new NotSupportedException();
    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
    public override void Flush() { }
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
    public override void SetLength(long value) => throw new NotSupportedException();
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
}
