using System.Buffers.Binary;

namespace MLNetLinearize.Cli.Data;

/// <summary>The rows of a NumPy array of shape [N, d…], read one after the other.</summary>
internal sealed class NpyRows : IRows
{
    private readonly PeekStream stream;
    private readonly NpyHeader header;
    private readonly byte[] buffer;
    private readonly IReadOnlyList<int> rowShape;
    private long read;

    public NpyRows(string name, PeekStream stream, GraphInput input)
    {
        (Name, this.stream, header) = (name, stream, NpyHeader.Read(name, stream));
        if (header.Shape.Count == 0) throw new InputException($"'{name}' holds a single number. Expected an array whose first axis counts the rows.");
        // In one dimension both orders are the same.
        if (header.IsFortranOrder && header.Shape.Count > 1)
            throw new InputException($"'{name}' is stored in Fortran order, so that its rows cannot be read one after the other. Save it as numpy.ascontiguousarray(array).");
        if (header.Shape.Skip(1).Any(d => d is < 1 or > int.MaxValue) || header.Shape.Skip(1).Aggregate(1.0, (a, d) => a * d) * header.Size > int.MaxValue)
            throw new InputException($"'{name}' is not usable: its header gives the shape ({string.Join(", ", header.Shape)}).");
        (Count, rowShape) = (header.Shape[0], [.. header.Shape.Skip(1).Select(d => (int)d)]);
        RowShapes.Check(name, rowShape, input);
        buffer = new byte[input.RowLength * header.Size];
    }

    public string Name { get; }

    public long? Count { get; }

    public double Progress => Count == 0 ? 1 : (double)read / Count!.Value;

    public IReadOnlyList<string>? FeatureNames => null;

    public bool HasLabels => false;

    public bool Read(Span<double> row, out string? label)
    {
        label = null;
        if (!Next()) return false;
        for (var i = 0; i < row.Length; i++) row[i] = Element(buffer.AsSpan(i * header.Size, header.Size));
        return true;
    }

    public long Skip(long rows)
    {
        var first = read;
        while (read - first < rows && Next()) { }
        return read - first;
    }

    public string Where(long row) => $"'{Name}', row {row:N0} (counted from 0)";

    public void Dispose() => stream.Dispose();

    private bool Next()
    {
        if (read == Count)
        {
            if (stream.ReadByte() >= 0) throw new InputException($"'{Name}' goes on after its {Count:N0} rows of shape {RowShapes.Text(rowShape)}. The header and the data disagree; check where the file comes from.");
            return false;
        }
        if (stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false) < buffer.Length)
            throw new InputException($"'{Name}' ends in row {read:N0} of {Count:N0} (counted from 0): it is cut short. Copy or download it again.");
        read++;
        return true;
    }

    private double Element(ReadOnlySpan<byte> bytes) => (header.Kind, header.Size, header.IsLittleEndian) switch
    {
        ('f', 2, true) => (double)BinaryPrimitives.ReadHalfLittleEndian(bytes),
        ('f', 2, false) => (double)BinaryPrimitives.ReadHalfBigEndian(bytes),
        ('f', 4, true) => BinaryPrimitives.ReadSingleLittleEndian(bytes),
        ('f', 4, false) => BinaryPrimitives.ReadSingleBigEndian(bytes),
        ('f', 8, true) => BinaryPrimitives.ReadDoubleLittleEndian(bytes),
        ('f', 8, false) => BinaryPrimitives.ReadDoubleBigEndian(bytes),
        ('i', 1, _) => (sbyte)bytes[0],
        ('i', 2, true) => BinaryPrimitives.ReadInt16LittleEndian(bytes),
        ('i', 2, false) => BinaryPrimitives.ReadInt16BigEndian(bytes),
        ('i', 4, true) => BinaryPrimitives.ReadInt32LittleEndian(bytes),
        ('i', 4, false) => BinaryPrimitives.ReadInt32BigEndian(bytes),
        ('i', 8, true) => BinaryPrimitives.ReadInt64LittleEndian(bytes),
        ('i', 8, false) => BinaryPrimitives.ReadInt64BigEndian(bytes),
        ('u', 2, true) => BinaryPrimitives.ReadUInt16LittleEndian(bytes),
        ('u', 2, false) => BinaryPrimitives.ReadUInt16BigEndian(bytes),
        ('u', 4, true) => BinaryPrimitives.ReadUInt32LittleEndian(bytes),
        ('u', 4, false) => BinaryPrimitives.ReadUInt32BigEndian(bytes),
        ('u', 8, true) => BinaryPrimitives.ReadUInt64LittleEndian(bytes),
        ('u', 8, false) => BinaryPrimitives.ReadUInt64BigEndian(bytes),
        _ => bytes[0],
    };
}
