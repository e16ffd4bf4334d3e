using System.Buffers.Binary;

namespace MLNetLinearize.Cli.Data;

/// <summary>
/// The IDX format of the MNIST family: two zero bytes, a type byte, the number of dimensions, each dimension as a
/// big-endian 32-bit number, then the elements (Y. LeCun, C. Cortes and C. Burges, "The MNIST database").
/// </summary>
internal sealed class IdxFile : IRows
{
    private readonly PeekStream stream;
    private readonly byte type;
    private readonly byte[] buffer;
    private long read;

    /// <summary>Opens rows that feed an input of the network.</summary>
    public IdxFile(string name, PeekStream stream, GraphInput input) : this(name, stream)
    {
        RowShapes.Check(name, RowShape, input);
    }

    /// <summary>Opens rows of any shape.</summary>
    public IdxFile(string name, PeekStream stream)
    {
        (Name, this.stream) = (name, stream);
        var head = new byte[4];
        if (stream.ReadAtLeast(head, 4, throwOnEndOfStream: false) < 4) throw Cut("inside its header");
        type = head[2];
        if (head[0] != 0 || head[1] != 0 || Size(type) == 0 || head[3] == 0)
            throw new InputException($"'{name}' is not an IDX file: it starts with the bytes {Convert.ToHexString(head)}, where IDX has 0000, a type (08, 09, 0B, 0C, 0D or 0E) and a number of dimensions of 1 or more.");
        var dims = new int[head[3]];
        for (var i = 0; i < dims.Length; i++)
        {
            if (stream.ReadAtLeast(head, 4, throwOnEndOfStream: false) < 4) throw Cut("inside its header");
            dims[i] = BinaryPrimitives.ReadInt32BigEndian(head);
        }
        var length = dims.Skip(1).Aggregate(1L, (a, d) => a > int.MaxValue ? a : a * d);
        if (dims[0] < 0 || dims.Skip(1).Any(d => d < 1) || length * Size(type) > int.MaxValue)
            throw new InputException($"'{name}' is not a usable IDX file: its header gives the dimensions {RowShapes.Text(dims)}.");
        (Count, RowShape) = (dims[0], dims[1..]);
        buffer = new byte[length * Size(type)];
    }

    public string Name { get; }

    public IReadOnlyList<int> RowShape { get; }

    public int RowLength => buffer.Length / Size(type);

    public long? Count { get; }

    public double Progress => Count == 0 ? 1 : (double)read / Count!.Value;

    public IReadOnlyList<string>? FeatureNames => null;

    public bool HasLabels => false;

    public static bool IsIdx(PeekStream stream) => stream.Peek(4) is [0, 0, >= 0x08 and <= 0x0E, > 0];

    public bool Read(Span<double> row, out string? label)
    {
        label = null;
        if (!Next()) return false;
        for (var i = 0; i < row.Length; i++) row[i] = Element(i);
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
            if (stream.ReadByte() >= 0) throw new InputException($"'{Name}' goes on after its {Count:N0} rows of shape {RowShapes.Text(RowShape)}. The header and the data disagree; check where the file comes from.");
            return false;
        }
        if (stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false) < buffer.Length) throw Cut($"in row {read:N0} of {Count:N0} (counted from 0)");
        read++;
        return true;
    }

    private double Element(int i) => type switch
    {
        0x08 => buffer[i],
        0x09 => (sbyte)buffer[i],
        0x0B => BinaryPrimitives.ReadInt16BigEndian(buffer.AsSpan(2 * i)),
        0x0C => BinaryPrimitives.ReadInt32BigEndian(buffer.AsSpan(4 * i)),
        0x0D => BinaryPrimitives.ReadSingleBigEndian(buffer.AsSpan(4 * i)),
        _ => BinaryPrimitives.ReadDoubleBigEndian(buffer.AsSpan(8 * i)),
    };

    private static int Size(byte type) => type switch { 0x08 or 0x09 => 1, 0x0B => 2, 0x0C or 0x0D => 4, 0x0E => 8, _ => 0 };

    private InputException Cut(string where) => new($"'{Name}' ends {where}: it is cut short. Copy or download it again.");
}
