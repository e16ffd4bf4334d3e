namespace MLNetLinearize.Canonicalization;

/// <summary>
/// Shape of a tensor of the network: its dimensions for one row, and which of them counts rows. With N rows that
/// dimension is N times as large; −1 where the tensor is the same for every row, or the graph runs row by row.
/// </summary>
internal sealed record TensorShape(long[] Dims, int BatchAxis)
{
    /// <summary>
    /// Where several elements of a row share the batch axis (positions of a sequence merged with rows): how many of them follow
    /// each other before the next row's come. All of them where each row's are together; 1 where the rows take turns.
    /// </summary>
    public long Block { get; init; } = BatchAxis < 0 ? 1 : Dims[BatchAxis];

    public int Rank => Dims.Length;

    public long Count => Dims.Aggregate(1L, (a, d) => a * d);

    public bool HasBatch => BatchAxis >= 0;

    /// <summary>Dimensions for a Reshape target: −1 at the batch axis, so that no batch size stands in a constant.</summary>
    public long[] Open => [.. Dims.Select((d, i) => i == BatchAxis ? -1 : d)];

    /// <summary>
    /// As <see cref="Open"/>, for a Reshape of a tensor of shape <paramref name="from"/>. Where rows come first in both, the
    /// batch axis is copied, which is 0: ONNX Runtime keeps its blocked layout only where it can tell that two tensors have as many rows.
    /// </summary>
    public long[] OpenFrom(TensorShape from) => RowsFirst && from.RowsFirst ? [0, .. Dims.Skip(1)] : Open;

    /// <summary>Whether the first axis counts rows, and nothing else.</summary>
    private bool RowsFirst => BatchAxis == 0 && Dims[0] == 1;

    public bool Same(TensorShape other) => BatchAxis == other.BatchAxis && Dims.AsSpan().SequenceEqual(other.Dims);

    public override string ToString() => $"[{string.Join(", ", Dims.Select((d, i) => i == BatchAxis ? (d == 1 ? "N" : $"{d}N") : d.ToString(System.Globalization.CultureInfo.InvariantCulture)))}]";
}
