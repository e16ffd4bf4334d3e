using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace MLNetLinearize.Cli.Output;

/// <summary>
/// Writes one NumPy array row by row: magic, version 1.0, a header of fixed length that says type and shape, then the
/// elements in C order (NumPy Enhancement Proposal 1, "A Simple File Format for NumPy Arrays"). The number of rows is
/// known only at the end, so the header leaves room for it, as NumPy's own does.
/// </summary>
internal sealed class NpyWriter<T>(Stream stream, IReadOnlyList<int> rowShape) : IDisposable where T : unmanaged
{
    private const int Alignment = 64, Magic = 10;

    private long rows;

    /// <summary>Writes elements of the rows, in order.</summary>
    public void Write(ReadOnlySpan<T> values)
    {
        if (rows == 0 && stream.Position == 0) stream.Write(Header(0));
        stream.Write(MemoryMarshal.AsBytes(values));
    }

    /// <summary>Tells that a row is complete.</summary>
    public void EndRow() => rows++;

    /// <summary>Completes the file.</summary>
    public void Finish()
    {
        stream.Position = 0;
        stream.Write(Header(rows));
        stream.Flush();
    }

    public void Dispose() => stream.Dispose();

    private byte[] Header(long count)
    {
        var most = Dictionary(long.MaxValue).Length;
        var length = (Magic + most + 1 + Alignment - 1) / Alignment * Alignment;
        var header = new byte[length];
        header.AsSpan(Magic).Fill((byte)' ');
        ((ReadOnlySpan<byte>)[0x93, .. "NUMPY"u8, 1, 0]).CopyTo(header);
        BinaryPrimitives.WriteUInt16LittleEndian(header.AsSpan(8), checked((ushort)(length - Magic)));
        Encoding.ASCII.GetBytes(Dictionary(count), header.AsSpan(Magic));
        header[^1] = (byte)'\n';
        return header;
    }

    private string Dictionary(long count)
    {
        var type = (BitConverter.IsLittleEndian ? "<" : ">") + (typeof(T) == typeof(float) ? "f4" : "i8");
        var shape = rowShape.Count == 0 ? $"({count},)" : $"({count}, {string.Join(", ", rowShape)})";
        return $"{{'descr': '{type}', 'fortran_order': False, 'shape': {shape}, }}";
    }
}
