using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Rules;

/// <summary>
/// Normalization by the row's own statistics. With h = (x − mean)·r, r = 1/√(variance + ε): the differential of h applied to
/// u is r·(u − mean(u) − h·mean(h∘u)), symmetric in u; applied to x itself it comes to h·(1 − mean(h²)), so that
/// h·mean(h²) is the tangent's remainder. Frozen holds r: the map r·(u − mean(u)) has none.
/// </summary>
internal static class Normalizations
{
    /// <summary>Over all axes from <c>axis</c> on; scale and shift per element.</summary>
    public static void Layer(Vjp v)
    {
        var shape = v.InShape(0);
        var first = Structural.Axis(v.Node.Int("axis", -1), shape);
        var axes = Enumerable.Range(first, shape.Rank - first).Select(i => (long)i).ToArray();
        Normalize(v, axes, v.In(1), v.InShape(1), v.HasInput(2) ? (v.In(2), v.InShape(2)) : null);
    }

    /// <summary>Over space, channel by channel; scale and shift per channel.</summary>
    public static void Instance(Vjp v)
    {
        var shape = v.InShape(0);
        var channel = new TensorShape([shape.Dims[1], .. Enumerable.Repeat(1L, shape.Rank - 2)], -1);
        var axes = Enumerable.Range(2, shape.Rank - 2).Select(i => (long)i).ToArray();
        Normalize(v, axes, v.E.Reshape(v.In(1), channel.Dims), channel, (v.E.Reshape(v.In(2), channel.Dims), channel));
    }

    /// <summary>
    /// y = x·S^−β with S = κ + (α/n)·Σ x² over n neighbouring channels (Krizhevsky et al. 2012). The differential of S goes
    /// back through the same window; the tangent's remainder is 2β·y·(S − κ)/S. Frozen holds S.
    /// </summary>
    public static void LocalResponse(Vjp v)
    {
        var (e, x, y) = (v.E, v.In(0), v.Out());
        var (alpha, beta, kappa) = (v.Node.Float("alpha", 1e-4f), v.Node.Float("beta", 0.75f), v.Node.Float("bias", 1));
        var size = v.Node.Int("size", 1);
        var sum = e.Scaled(Window(v, e.Mul(x, x), size, transposed: false), alpha / size);
        var s = e.Add(sum, e.Scalar(kappa));
        var held = e.Mul(v.G, e.Op("Pow", [s, e.Scalar(-beta)]));
        if (v.Mode == Nonlinearity.Frozen)
        {
            v.Give(0, held);
            return;
        }
        var back = v.Unfold(Window(v, v.Fold(e.Mul(v.G, e.Div(y, s)), v.OutShape()), size, transposed: true), v.InShape(0));
        v.Give(0, e.Sub(held, e.Mul(e.Scaled(x, 2 * alpha * beta / size), back)));
        v.Offset(v.G, v.OutShape(), e.Scaled(e.Mul(y, e.Div(sum, s)), 2 * beta), v.OutShape());
    }

    private static void Normalize(Vjp v, long[] axes, string scale, TensorShape scaleShape, (string Name, TensorShape Shape)? shift)
    {
        var (e, x, shape) = (v.E, v.In(0), v.InShape(0));
        if (axes.Contains(shape.BatchAxis)) throw new RuleException("it normalizes over the batch axis", "normalize inside a row only");
        string Mean(string u, int offset) => e.Op("ReduceMean", [u, e.Ints([.. axes.Select(a => a + offset)])], ("keepdims", 1));
        var centred = e.Sub(x, Mean(x, 0));
        var variance = Mean(e.Mul(centred, centred), 0);
        var r = e.Op("Reciprocal", [e.Op("Sqrt", [e.Add(variance, e.Scalar(v.Node.Float("epsilon", 1e-5f)))])]);
        var u = e.Mul(v.G, scale);
        var direct = e.Sub(u, Mean(u, v.P));
        if (shift is { } s) v.Offset(v.G, v.OutShape(), s.Name, s.Shape);
        if (v.Mode == Nonlinearity.Frozen)
        {
            v.Give(0, e.Mul(r, direct));
            return;
        }
        var h = e.Mul(centred, r);
        v.Give(0, e.Mul(r, e.Sub(direct, e.Mul(h, Mean(e.Mul(h, u), v.P)))));
        v.Offset(u, v.OutShape(), e.Mul(h, Mean(e.Mul(h, h), 0)), v.OutShape());
    }

    /// <summary>Sum over neighbouring channels, by a convolution of one channel over [channels, space].</summary>
    private static string Window(Vjp v, string x, long size, bool transposed)
    {
        var shape = v.InShape(0);
        long[] folded = [-1, 1, shape.Dims[1], shape.Dims.Skip(2).Aggregate(1L, (a, d) => a * d)];
        var (before, after) = ((size - 1) / 2, size - 1 - (size - 1) / 2);
        long[] pads = transposed ? [after, 0, before, 0] : [before, 0, after, 0];
        var kernel = v.E.Floats([.. Enumerable.Repeat(1f, (int)size)], 1, 1, size, 1);
        return v.E.Reshape(v.E.Op("Conv", [v.E.Reshape(x, folded), kernel], ("pads", pads)), [-1, .. shape.Dims.Skip(1)]);
    }
}
