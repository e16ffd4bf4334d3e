using System.Globalization;

namespace MLNetLinearize.Cli;

/// <summary>Consecutive rows of the data.</summary>
/// <param name="First">The first one's number.</param>
/// <param name="Count">How many, or <see cref="long.MaxValue"/> for all that follow.</param>
internal readonly record struct RowRange(long First, long Count)
{
    public static RowRange All { get; } = new(0, long.MaxValue);

    public static RowRange Of(long limit) => new(0, limit);

    public bool Holds(long row) => row >= First && row - First < Count;
}

/// <summary>One of n parts of the data, for jobs side by side.</summary>
internal readonly record struct Shard(int Index, int Count)
{
    /// <summary>Reads <c>i/n</c>, i from 1 to n.</summary>
    public static Shard Parse(string text)
    {
        var parts = text.Split('/').Select(p => int.TryParse(p, NumberStyles.None, CultureInfo.InvariantCulture, out var v) ? v : 0).ToArray();
        return parts is [> 0 and var index, > 0 and var count] && index <= count ? new(index, count)
            : throw new InputException($"--shard '{text}': expected i/n with i from 1 to n, such as 3/16.");
    }

    /// <summary>Whether no part follows.</summary>
    public bool IsLast => Index == Count;

    /// <summary>
    /// The rows of this part. Parts begin where blocks begin, so that every row runs through the network beside the same
    /// rows as in one run over all, and comes out the same to the last bit.
    /// </summary>
    public RowRange Of(long rows, int rowsPerBlock)
    {
        var blocks = (rows + rowsPerBlock - 1) / rowsPerBlock;
        var (from, to) = (Math.Min(rows, Bound(Index - 1, Count) * rowsPerBlock), Math.Min(rows, Bound(Index, Count) * rowsPerBlock));
        return new(from, to - from);

        long Bound(int part, int of) => (long)((Int128)blocks * part / of);
    }
}
