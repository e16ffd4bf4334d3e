using MLNetLinearize.Rules;

namespace MLNetLinearize.Linearization;

/// <summary>An affine map as tensors of the graph.</summary>
/// <param name="Weights">For each of its inputs [N, K, d…].</param>
/// <param name="Bias">[N, K].</param>
internal sealed record AffineFactor(IReadOnlyList<string> Weights, string Bias)
{
    /// <summary>The weights of its one input as [K, D], where they are the same for every row; null where they may not be.</summary>
    public string? Shared { get; init; }

    /// <summary>Of one target, the cotangents that its weights are, in the shape that the network has them in; empty of several.</summary>
    public IReadOnlyList<string> Cotangents { get; init; } = [];

    /// <summary>The map of <paramref name="inner"/> first and this one, of one input, behind: W·(W'x + b') + b.</summary>
    /// <param name="e">Writer.</param>
    /// <param name="inner">The map whose outputs are this one's input.</param>
    /// <param name="targets">K.</param>
    /// <param name="width">Outputs of <paramref name="inner"/>.</param>
    /// <param name="inputs">Row shapes of the inputs of <paramref name="inner"/>.</param>
    /// <param name="rows">−1, or 1 where the graph runs row by row.</param>
    public AffineFactor After(Emitter e, AffineFactor inner, long targets, long width, IEnumerable<IReadOnlyList<int>> inputs, long rows)
    {
        var outer = e.Reshape(Weights.Single(), rows, targets, width);
        var weights = inner.Weights.Zip(inputs, (w, shape) => Shared is not null && shape.Count == 3
            ? e.Op("Conv", [w, e.Reshape(Shared, targets, width, 1, 1, 1)]) // the same product, made in its final shape: of a thousand classes of images it is not copied
            : e.Reshape(e.MatMul(outer, e.Reshape(w, rows, width, shape.Aggregate(1L, (a, d) => a * d))), [rows, targets, .. shape.Select(d => (long)d)]));
        var carried = e.Reshape(e.MatMul(outer, e.Reshape(inner.Bias, rows, width, 1)), rows, targets);
        return new([.. weights], e.Add(Bias, carried));
    }

    /// <summary>The rows of a map of all C outputs, one input, that <paramref name="targets"/> [N, K] names.</summary>
    public AffineFactor Picked(Emitter e, string targets, long k, IReadOnlyList<int> input)
    {
        var index = e.Op("Expand", [e.Reshape(targets, [-1, k, .. input.Select(_ => 1L)]), e.Ints([1, 1, .. input.Select(d => (long)d)])]);
        return new([e.Op("GatherElements", [Weights.Single(), index], ("axis", 1))], e.Op("GatherElements", [Bias, targets], ("axis", 1)));
    }
}
