using System.Globalization;

namespace MLNetLinearize.Cli.Data;

/// <summary>The number that an element's bytes stand for.</summary>
internal delegate double ElementReader(ReadOnlySpan<byte> bytes);

/// <summary>Rows that all take the same number of bytes, one after the other, as IDX and NumPy files have them.</summary>
internal sealed class FixedRows : IRows
{
    private readonly Stream stream;
    private readonly int size;
    private readonly ElementReader element;
    private byte[] buffer = [];
    private long read;

    /// <param name="name">The file as people know it.</param>
    /// <param name="stream">The data, behind the header.</param>
    /// <param name="count">Number of rows.</param>
    /// <param name="rowShape">Shape of a row.</param>
    /// <param name="size">Bytes of one element.</param>
    /// <param name="element">What they stand for.</param>
    /// <exception cref="InputException">No array could hold a row of this shape.</exception>
    public FixedRows(string name, Stream stream, long count, IReadOnlyList<long> rowShape, int size, ElementReader element)
    {
        if (count < 0 || rowShape.Any(d => d is < 1 or > int.MaxValue) || rowShape.Aggregate(1.0, (a, d) => a * d) * size > Array.MaxLength)
            throw new InputException($"'{name}' is not usable: "
                + $"its header gives the shape [{Names.Some([.. rowShape.Prepend(count).Select(d => d.ToString(CultureInfo.InvariantCulture))])}]. "
                + "Check where the file comes from.");
        (Name, this.stream, Count, this.size, this.element) = (name, stream, count, size, element);
        RowShape = [.. rowShape.Select(d => (int)d)];
        RowLength = RowShape.Aggregate(1, (a, d) => a * d);
    }

    public string Name { get; }

    public IReadOnlyList<int> RowShape { get; }

    public int RowLength { get; }

    public long? Count { get; }

    public double Progress => Count == 0 ? 1 : (double)read / Count!.Value;

    public IReadOnlyList<string>? FeatureNames => null;

    public bool HasLabels => false;

    public bool Read(Span<double> row, out string? label)
    {
        label = null;
        if (!Next()) return false;
        for (var i = 0; i < row.Length; i++) row[i] = element(buffer.AsSpan(i * size, size));
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

    /// <summary>These rows, where they fill an input of the network.</summary>
    public FixedRows Feeding(GraphInput input)
    {
        RowShapes.Check(Name, RowShape, input);
        return this;
    }

    public static InputException Cut(string name, string where) => new($"'{name}' ends {where}: it is cut short. Copy or download it again.");

    private bool Next()
    {
        if (read == Count)
        {
            if (stream.ReadByte() >= 0) throw new InputException($"'{Name}' goes on after its {Count:N0} rows of shape {RowShapes.Text(RowShape)}. "
                + "The header and the data disagree; check where the file comes from.");
            return false;
        }
        // Here and not before: a header may claim more than there is, and rows that do not fit the network are none to make room for.
        if (buffer.Length == 0) buffer = new byte[RowLength * size];
        if (stream.ReadAtLeast(buffer, buffer.Length, throwOnEndOfStream: false) < buffer.Length) throw Cut(Name, $"in row {read:N0} of {Count:N0} "
            + "(counted from 0)");
        read++;
        return true;
    }
}
