using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Rules;

/// <summary>
/// Cotangents of one target that are zero in all channels but one, another for each row: those of the output that the row itself
/// chose, as far back as the convolution before a pool over all of space. What is not zero is emitted beside them, and where that
/// convolution has a kernel of one place nothing reads the zeros, which are then not computed either.
/// </summary>
internal sealed class PickedChannels
{
    private readonly Dictionary<string, Picked> picked = [];

    /// <summary>Says what a cotangent [N, C, d…] has that is not zero.</summary>
    public void Mark(string cotangent, Picked one) => picked[cotangent] = one;

    /// <summary>The one channel of each row; null where there may be several.</summary>
    public Picked? Of(string cotangent) => picked.GetValueOrDefault(cotangent);

    /// <summary>Marks what a cotangent of a vector was reshaped to, if that differs by axes of one element only.</summary>
    /// <param name="cotangent">The cotangent.</param>
    /// <param name="reshaped">What became of it.</param>
    /// <param name="shape">Shape of the tensor whose cotangent that is.</param>
    /// <returns><paramref name="reshaped"/>.</returns>
    public string Reshaped(string cotangent, string reshaped, TensorShape shape)
    {
        if (IsVector(shape) && Of(cotangent) is { IsSameAllOver: true } one) Mark(reshaped, one);
        return reshaped;
    }

    /// <summary>Marks what a node gave, if it keeps channels apart and a rule here knows how.</summary>
    public void Pass(Vjp v)
    {
        if (v.P > 0 || v.IsGuarded || !v.Node.IsStandard() || v.Cotangents[0] is not { } g || Of(g) is not { } one || v.Given is not [var (_, given)]) return;
        var (from, to) = (v.OutShape(), v.InShape(0));
        if (!IsImage(from) || !IsImage(to)) return;
        switch (v.Node.OpType)
        {
            case "Reshape" or "Flatten" or "Squeeze" or "Unsqueeze" when IsVector(from):
                Reshaped(g, given, to);
                break;
            case "GlobalAveragePool" when one.IsSameAllOver:
                Mark(given, one with { Values = v.E.Scaled(one.Values, (float)from.Count / to.Count) });
                break;
            case "Relu":
                // The channel's own mask, [N, 1, d…].
                var value = v.E.Unsqueeze(v.E.Op("GatherND", [v.Out(), one.Channel], ("batch_dims", 1)), 1, 1);
                Mark(given, new(v.E.Mul(one.Over(v.E, to.Rank), Pointwise.IsPositive(v.E, value)), one.Channel, to.Rank == 2));
                break;
        }
    }

    private static bool IsImage(TensorShape shape) => shape is { Rank: >= 2, BatchAxis: 0, Dims: [1, ..] };

    private static bool IsVector(TensorShape shape) => IsImage(shape) && shape.Count == shape.Dims[1];
}

/// <param name="Values">What the channel has: [N, 1] where that is the same all over space, else [N, 1, d…].</param>
/// <param name="Channel">Which channel it is, Int64 [N, 1].</param>
/// <param name="IsSameAllOver">Whether it is the same all over space.</param>
internal sealed record Picked(string Values, string Channel, bool IsSameAllOver)
{
    /// <summary>The values with as many axes as an image has.</summary>
    public string Over(Emitter e, int rank) => IsSameAllOver ? e.Unsqueeze(Values, 2, rank - 2) : Values;

    /// <summary>Their sum over space, [N, 1].</summary>
    /// <param name="e">Writer.</param>
    /// <param name="image">Shape of the image.</param>
    public string Sum(Emitter e, TensorShape image) => IsSameAllOver
        ? e.Scaled(Values, (float)image.Count / image.Dims[1])
        : e.Op("ReduceSum", [Values, e.Ints([.. Enumerable.Range(2, image.Rank - 2).Select(i => (long)i)])], ("keepdims", 0));
}
