namespace MLNetLinearize.Rules;

/// <summary>
/// What a node adds to the bias. A convolution's term is the product of two vectors, the means of the cotangent's channels and what
/// each counts; those of several nodes are one product of longer vectors, where each by itself would be as many small operators.
/// </summary>
internal sealed record BiasTerm
{
    private readonly string? sum;
    private readonly (string Means, string Counts, long Channels) channels;

    /// <param name="sum">The term, [K, N], or [N] when K = 1.</param>
    public BiasTerm(string sum) => this.sum = sum;

    /// <param name="means">Means over space, [N, C, 1, 1].</param>
    /// <param name="counts">What each counts, [1, C].</param>
    /// <param name="channels">C.</param>
    public BiasTerm(string means, string counts, long channels) => this.channels = (means, counts, channels);

    /// <summary>Whether it has 1 for N, since it is the same for every row.</summary>
    public bool IsUniform { get; init; }

    /// <summary>The sum of all terms, [K, N], or [N] when K = 1.</summary>
    /// <param name="e">Writer.</param>
    /// <param name="terms">The terms, one or more.</param>
    public static string Sum(Emitter e, IReadOnlyList<BiasTerm> terms) =>
        e.Sum([.. terms.Select(t => t.sum).OfType<string>(), .. terms.Where(t => t.sum is null).GroupBy(t => t.IsUniform).Select(g => Product(e, [.. g.Select(t => t.channels)]))]);

    private static string Product(Emitter e, List<(string Means, string Counts, long Channels)> of)
    {
        string Joined(IEnumerable<string> parts) => of.Count == 1 ? parts.Single() : e.Concat(parts, 1);
        return Product(e, e.Reshape(Joined(of.Select(c => c.Means)), -1, of.Sum(c => c.Channels)), Joined(of.Select(c => c.Counts)), [-1]);
    }

    /// <summary>The scalar product of each row with a vector. ONNX Runtime is slow with the vector on the right.</summary>
    /// <param name="e">Writer.</param>
    /// <param name="rows">[rows, n].</param>
    /// <param name="vector">[1, n].</param>
    /// <param name="shape">Shape of the result.</param>
    public static string Product(Emitter e, string rows, string vector, long[] shape) => e.Reshape(e.Op("Gemm", [vector, rows], ("transB", 1L)), shape);
}
