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
    public static void Layer(Vjp v) => OverLastAxes(v, isCentred: true);

    /// <summary>Without a mean: h = x·r, r = 1/√(mean(x²) + ε). Zhang and Sennrich 2019 (arXiv 1910.07467).</summary>
    public static void RootMeanSquare(Vjp v) => OverLastAxes(v, isCentred: false);

    /// <summary>Over space, channel by channel; scale and shift per channel.</summary>
    public static void Instance(Vjp v)
    {
        var shape = v.InShape(0);
        var channel = PerChannel(shape, shape.Dims[1]);
        v.Offset(v.G, v.OutShape(), v.E.Reshape(v.In(2), channel.Dims), channel);
        v.Give(0, Standardize(v, v.E.Mul(v.G, v.E.Reshape(v.In(1), channel.Dims)), v.In(0), shape, From(2, shape), Epsilon(v)));
    }

    /// <summary>
    /// Over the channels of a group and space (Wu and He 2018, arXiv 1803.08494). Scale and shift are per channel since
    /// opset 21, per group in opset 18.
    /// </summary>
    public static void Group(Vjp v)
    {
        var (shape, groups) = (v.InShape(0), v.Node.Int("num_groups", 1));
        var view = new TensorShape([shape.Dims[0], groups, shape.Dims.Skip(1).Aggregate(1L, (a, d) => a * d) / groups], shape.BatchAxis);
        var isPerChannel = v.InShape(1).Dims[0] == shape.Dims[1];
        var channel = isPerChannel ? PerChannel(shape, shape.Dims[1]) : PerChannel(view, groups);
        var (g, of) = isPerChannel ? (v.G, shape) : (v.ReshapeTo(v.G, view), view);
        v.Offset(g, of, v.E.Reshape(v.In(2), channel.Dims), channel);
        var u = v.E.Mul(g, v.E.Reshape(v.In(1), channel.Dims));
        var back = Standardize(v, isPerChannel ? v.ReshapeTo(u, view) : u, v.E.Reshape(v.In(0), view.Open), view, [2], Epsilon(v));
        v.Give(0, v.ReshapeTo(back, shape));
    }

    /// <summary>Over the axes named, without scale and shift; h = (x − mean)/(√variance + 1e-9).</summary>
    public static void MeanVariance(Vjp v)
    {
        var axes = (v.Node.Ints("axes") ?? [0, 2, 3]).Select(a => (long)Structural.Axis(a, v.InShape(0)));
        v.Give(0, Standardize(v, v.G, v.In(0), v.InShape(0), [.. axes], 1e-18f)); // √1e-18 = 1e-9: the same where the variance is 0
    }

    /// <summary>
    /// y = x/n with n = Σ|x| or √Σx²: the differential applied to u is (u − y·Σ(s∘u))/n with s = ∂n/∂x = sign(x) or y; at x itself
    /// it comes to 0, so that y is the tangent's remainder. Frozen holds n. Where n is 0, so are y and the slope.
    /// </summary>
    public static void Lp(Vjp v)
    {
        var (e, x, y) = (v.E, v.In(0), v.Out());
        var axis = Structural.Axis(v.Node.Int("axis", -1), v.InShape(0));
        var isFirst = v.Node.Int("p", 2) == 1;
        var n = e.Op(isFirst ? "ReduceL1" : "ReduceL2", [x, e.Ints(axis)], ("keepdims", 1));
        var r = e.Div(e.Op("Sign", [n]), e.Op("Max", [n, e.Scalar(1e-38f)]));
        if (v.Mode == Nonlinearity.Frozen)
        {
            v.Give(0, e.Mul(v.G, r));
            return;
        }
        var s = isFirst ? e.Op("Sign", [x]) : y;
        v.Give(0, e.Mul(r, e.Sub(v.G, e.Mul(s, e.ReduceSum(e.Mul(v.G, y), axis + v.P)))));
        v.Offset(v.G, v.OutShape(), y, v.OutShape());
    }

    /// <summary>
    /// y = x·S^−β with S = κ + (α/n)·Σ x² over n neighbouring channels (Krizhevsky et al. 2012). The differential of S goes
    /// back through the same window; the tangent's remainder is 2β·y·(S − κ)/S. Frozen holds S. As the way back has S^−β,
    /// the network's own y is made of it as well.
    /// </summary>
    public static void LocalResponse(Vjp v)
    {
        var (e, x, y) = (v.E, v.In(0), v.Out());
        var beta = v.Node.Float("beta", 0.75f);
        var sum = Window(v, e.Mul(x, x));
        var s = e.Add(sum, e.Scalar(v.Node.Float("bias", 1)));
        var factor = Power(e, s, beta);
        v.Restate(e.Mul(x, factor));
        var held = e.Mul(v.G, factor);
        if (v.Mode == Nonlinearity.Frozen)
        {
            v.Give(0, held);
            return;
        }
        var back = v.Unfold(Window(v, v.Fold(e.Mul(v.G, e.Div(y, s)), v.OutShape())), v.InShape(0));
        v.Give(0, e.Sub(held, e.Mul(e.Scaled(x, 2 * beta), back)));
        v.Offset(v.G, v.OutShape(), e.Scaled(e.Mul(y, e.Div(sum, s)), 2 * beta), v.OutShape());
    }

    private static void OverLastAxes(Vjp v, bool isCentred)
    {
        if (v.Cotangents.Skip(1).Any(g => g is not null)) throw new RuleException("its mean or deviation is read as well", "export the model so that only the normalized output is read");
        var shape = v.InShape(0);
        if (v.HasInput(2)) v.Offset(v.G, v.OutShape(), v.In(2), v.InShape(2));
        v.Give(0, Standardize(v, v.E.Mul(v.G, v.In(1)), v.In(0), shape, From(Structural.Axis(v.Node.Int("axis", -1), shape), shape), Epsilon(v), isCentred));
    }

    /// <summary>Sends <paramref name="u"/>, the cotangent of h, back to <paramref name="x"/>, and the remainder to the bias.</summary>
    private static string Standardize(Vjp v, string u, string x, TensorShape shape, long[] axes, float epsilon, bool isCentred = true)
    {
        var e = v.E;
        if (axes.Contains(shape.BatchAxis)) throw new RuleException("it normalizes over the batch axis", "normalize inside a row only");
        string Mean(string t, int offset) => e.Op("ReduceMean", [t, e.Ints([.. axes.Select(a => a + offset)])], ("keepdims", 1));
        string Centred(string t, int offset) => isCentred ? e.Sub(t, Mean(t, offset)) : t;
        var centred = Centred(x, 0);
        var variance = Mean(e.Mul(centred, centred), 0);
        var r = e.Op("Reciprocal", [e.Op("Sqrt", [e.Add(variance, e.Scalar(epsilon))])]);
        if (v.Mode == Nonlinearity.Frozen) return e.Mul(r, Centred(u, v.P));
        var h = e.Mul(centred, r);
        v.Offset(u, shape, e.Mul(h, Mean(e.Mul(h, h), 0)), shape);
        return e.Mul(r, e.Sub(Centred(u, v.P), e.Mul(h, Mean(e.Mul(h, u), v.P))));
    }

    private static float Epsilon(Vjp v) => v.Node.Float("epsilon", 1e-5f);

    private static long[] From(int first, TensorShape shape) => [.. Enumerable.Range(first, shape.Rank - first).Select(i => (long)i)];

    private static TensorShape PerChannel(TensorShape shape, long channels) => new([channels, .. Enumerable.Repeat(1L, shape.Rank - 2)], -1);

    /// <summary>S^−β; for the exponents in use by square roots, which take ONNX Runtime a small part of the time of a power.</summary>
    private static string Power(Emitter e, string s, float beta)
    {
        string Root(string t) => e.Op("Sqrt", [t]);
        return beta switch
        {
            1 => e.Op("Reciprocal", [s]),
            0.5f => e.Op("Reciprocal", [Root(s)]),
            0.75f => e.Op("Reciprocal", [e.Mul(Root(s), Root(Root(s)))]),
            _ => e.Op("Pow", [s, e.Scalar(-beta)]),
        };
    }

    /// <summary>
    /// (α/n)·sum over n neighbouring channels, by a convolution with a kernel of one place, which has α/n in a band about the
    /// diagonal of its channels. These are more products than a window has that slides over one image of [channels, space], but
    /// take ONNX Runtime a quarter of the time. It runs odd windows only, which are symmetric: their own transposes.
    /// </summary>
    private static string Window(Vjp v, string x)
    {
        var (e, shape, size) = (v.E, v.InShape(0), v.Node.Int("size", 1));
        var channels = shape.Dims[1];
        var band = Enumerable.Range(0, (int)size).Select(i => i - size / 2).Where(d => Math.Abs(d) < channels).Select(d => e.Eye(channels, channels, d)).Aggregate(e.Add);
        var kernel = e.Reshape(e.Scaled(band, v.Node.Float("alpha", 1e-4f) / size), channels, channels, 1, 1);
        var isImage = shape.Rank == 4;
        var image = isImage ? x : e.Reshape(x, 0, channels, 1, shape.Dims.Skip(2).Aggregate(1L, (a, d) => a * d));
        var sum = e.Op("Conv", [image, kernel]);
        return isImage ? sum : e.Reshape(sum, [0, .. shape.Dims.Skip(1)]);
    }
}
