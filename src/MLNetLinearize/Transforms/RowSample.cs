namespace MLNetLinearize.Transforms;

/// <summary>A uniform sample of the rows seen so far, of a fixed size: algorithm R of J. Vitter, "Random sampling with a reservoir", ACM TOMS 11(1), 1985.</summary>
internal sealed class RowSample(int size)
{
    // Fixed, so that a summary is the same each time.
    private readonly Random random = new(20_250_101);
    private readonly List<float[]> rows = [];
    private long seen;

    public int Count => rows.Count;

    public IReadOnlyList<float[]> Rows => rows;

    /// <summary>Whether the next row is in, and where; the row that is overwritten may be reused.</summary>
    public void Add(ReadOnlySpan<float> row)
    {
        seen++;
        if (rows.Count < size)
        {
            rows.Add(row.ToArray());
            return;
        }
        var place = random.NextInt64(seen);
        if (place < size) row.CopyTo(rows[(int)place]);
    }

    /// <summary>The quantiles of each element: for each of <paramref name="quantiles"/>, the smallest sampled value that at least that share of the sample does not exceed.</summary>
    public IReadOnlyList<double>[] Quantiles(IReadOnlyList<double> quantiles, int elements)
    {
        var result = quantiles.Select(_ => new double[elements]).ToArray();
        var column = new float[rows.Count];
        for (var i = 0; i < elements; i++)
        {
            for (var r = 0; r < column.Length; r++) column[r] = rows[r][i];
            Array.Sort(column);
            for (var q = 0; q < result.Length; q++)
                result[q][i] = column.Length == 0 ? double.NaN : column[Math.Max(0, (int)Math.Ceiling(quantiles[q] * column.Length) - 1)];
        }
        return result;
    }
}
