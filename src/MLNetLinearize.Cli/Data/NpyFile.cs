using System.Buffers.Binary;

namespace MLNetLinearize.Cli.Data;

/// <summary>A NumPy array of shape [N, d…], whose rows are read one after the other.</summary>
internal static class NpyFile
{
    /// <summary>Reads the header; the rows are read as they are asked for.</summary>
    public static FixedRows Open(string name, PeekStream stream)
    {
        var header = NpyHeader.Read(name, stream);
        if (header.Shape.Count == 0) throw new InputException($"'{name}' holds a single number. Expected an array whose first axis counts the rows.");
        // In one dimension both orders are the same.
        if (header.IsFortranOrder && header.Shape.Count > 1)
            throw new InputException($"'{name}' is stored in Fortran order, so that its rows cannot be read one after the other. Save it as numpy.ascontiguousarray(array).");
        return new(name, stream, header.Shape[0], [.. header.Shape.Skip(1)], header.Size, Element(header));
    }

    private static ElementReader Element(NpyHeader header) => (header.Kind, header.Size, header.IsLittleEndian) switch
    {
        ('f', 2, true) => bytes => (double)BinaryPrimitives.ReadHalfLittleEndian(bytes),
        ('f', 2, false) => bytes => (double)BinaryPrimitives.ReadHalfBigEndian(bytes),
        ('f', 4, true) => bytes => BinaryPrimitives.ReadSingleLittleEndian(bytes),
        ('f', 4, false) => bytes => BinaryPrimitives.ReadSingleBigEndian(bytes),
        ('f', 8, true) => bytes => BinaryPrimitives.ReadDoubleLittleEndian(bytes),
        ('f', 8, false) => bytes => BinaryPrimitives.ReadDoubleBigEndian(bytes),
        ('i', 1, _) => bytes => (sbyte)bytes[0],
        ('i', 2, true) => bytes => BinaryPrimitives.ReadInt16LittleEndian(bytes),
        ('i', 2, false) => bytes => BinaryPrimitives.ReadInt16BigEndian(bytes),
        ('i', 4, true) => bytes => BinaryPrimitives.ReadInt32LittleEndian(bytes),
        ('i', 4, false) => bytes => BinaryPrimitives.ReadInt32BigEndian(bytes),
        ('i', 8, true) => bytes => BinaryPrimitives.ReadInt64LittleEndian(bytes),
        ('i', 8, false) => bytes => BinaryPrimitives.ReadInt64BigEndian(bytes),
        ('u', 2, true) => bytes => BinaryPrimitives.ReadUInt16LittleEndian(bytes),
        ('u', 2, false) => bytes => BinaryPrimitives.ReadUInt16BigEndian(bytes),
        ('u', 4, true) => bytes => BinaryPrimitives.ReadUInt32LittleEndian(bytes),
        ('u', 4, false) => bytes => BinaryPrimitives.ReadUInt32BigEndian(bytes),
        ('u', 8, true) => bytes => BinaryPrimitives.ReadUInt64LittleEndian(bytes),
        ('u', 8, false) => bytes => BinaryPrimitives.ReadUInt64BigEndian(bytes),
        _ => bytes => bytes[0],
    };
}
