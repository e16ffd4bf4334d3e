using System.Buffers.Binary;

namespace MLNetLinearize.Cli.Data;

/// <summary>
/// The IDX format of the MNIST family: two zero bytes, a type byte, the number of dimensions, each dimension as a
/// big-endian 32-bit number, then the elements (Y. LeCun, C. Cortes and C. Burges, "The MNIST database").
/// </summary>
internal static class IdxFile
{
    public static bool IsIdx(PeekStream stream) => stream.Peek(4) is [0, 0, >= 0x08 and <= 0x0E, > 0];

    /// <summary>Reads the header; the rows are read as they are asked for.</summary>
    public static FixedRows Open(string name, PeekStream stream)
    {
        var head = Four();
        if (head is not [0, 0, _, > 0] || Element(head[2]) is not { } element)
            throw new InputException($"'{name}' is not an IDX file: it starts with the bytes {Convert.ToHexString(head)}, where IDX has 0000, a type (08, 09, 0B, 0C, 0D or 0E) and a number of dimensions of 1 or more.");
        var dims = new long[head[3]];
        for (var i = 0; i < dims.Length; i++) dims[i] = BinaryPrimitives.ReadInt32BigEndian(Four());
        return new(name, stream, dims[0], dims[1..], element.Size, element.Read);

        byte[] Four()
        {
            var bytes = new byte[4];
            return stream.ReadAtLeast(bytes, 4, throwOnEndOfStream: false) == 4 ? bytes : throw FixedRows.Cut(name, "inside its header");
        }
    }

    private static (int Size, ElementReader Read)? Element(byte type) => type switch
    {
        0x08 => (1, bytes => bytes[0]),
        0x09 => (1, bytes => (sbyte)bytes[0]),
        0x0B => (2, bytes => BinaryPrimitives.ReadInt16BigEndian(bytes)),
        0x0C => (4, bytes => BinaryPrimitives.ReadInt32BigEndian(bytes)),
        0x0D => (4, bytes => BinaryPrimitives.ReadSingleBigEndian(bytes)),
        0x0E => (8, BinaryPrimitives.ReadDoubleBigEndian),
        _ => null,
    };
}
