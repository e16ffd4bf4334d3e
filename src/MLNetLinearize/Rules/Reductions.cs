using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Rules;

/// <summary>Sums and means over axes, and normalization by stored statistics.</summary>
internal static class Reductions
{
    public static void Sum(Vjp v) => v.Give(0, Spread(v, v.G));

    public static void Mean(Vjp v)
    {
        var count = Axes(v).Aggregate(1L, (a, i) => a * v.InShape(0).Dims[i]);
        v.Give(0, Spread(v, v.E.Scaled(v.G, 1f / count)));
    }

    /// <summary>Inference: y = scale·(x − mean)/√(variance + ε) + bias, per channel.</summary>
    public static void BatchNormalization(Vjp v)
    {
        var channels = v.InShape(1).Dims[0];
        var shape = new TensorShape([channels, .. Enumerable.Repeat(1L, Math.Max(0, v.OutShape().Rank - 2))], -1);
        var deviation = v.E.Op("Sqrt", [v.E.Add(v.In(4), v.E.Scalar(v.Node.Float("epsilon", 1e-5f)))]);
        var slope = v.E.Div(v.In(1), deviation);
        var shift = v.E.Sub(v.In(2), v.E.Mul(v.In(3), slope));
        v.Give(0, v.E.Mul(v.G, v.E.Reshape(slope, shape.Dims)));
        v.Offset(v.G, v.OutShape(), v.E.Reshape(shift, shape.Dims), shape);
    }

    private static int[] Axes(Vjp v)
    {
        var axes = v.ConstantInts(1) is { Length: > 0 } given ? given : [.. Enumerable.Range(0, v.Node.Int("noop_with_empty_axes", 0) == 0 ? v.InShape(0).Rank : 0).Select(i => (long)i)];
        return [.. axes.Select(a => Structural.Axis(a, v.InShape(0)))];
    }

    private static string Spread(Vjp v, string g)
    {
        var (shape, axes) = (v.InShape(0), Axes(v));
        if (shape.HasBatch && axes.Contains(shape.BatchAxis)) throw new RuleException("it reduces over the batch axis", "reduce inside a row only");
        var kept = shape with { Dims = [.. shape.Dims.Select((d, i) => axes.Contains(i) ? 1 : d)] };
        return v.ExpandTo(v.Node.Int("keepdims", 1) != 0 ? g : v.ReshapeTo(g, kept), shape);
    }
}
