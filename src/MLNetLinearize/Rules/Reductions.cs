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
        v.Give(0, BlockedLayout.Holds(v) ? BlockedLayout.EachChannel(v.E, v.G, v.OutShape(), v.E.Reshape(slope, channels, 1, 1, 1)) : v.E.Mul(v.G, v.E.Reshape(slope, shape.Dims)));
        v.Offset(v.G, v.OutShape(), v.E.Reshape(shift, shape.Dims), shape);
    }

    /// <summary>The transpose of a running sum is a running sum from the other end.</summary>
    public static void CumSum(Vjp v)
    {
        var axis = Structural.Axis(v.ConstantInts(1)![0], v.InShape(0));
        v.Give(0, v.E.Op("CumSum", [v.G, v.E.Ints(axis + v.P)], ("exclusive", v.Node.Int("exclusive", 0)), ("reverse", 1 - v.Node.Int("reverse", 0))));
    }

    /// <summary>The first of the largest (or smallest) elements over the reduced axes gets all of the cotangent.</summary>
    public static Action<Vjp> Extremum(string winner) => v =>
    {
        var (shape, axes) = (v.InShape(0), Axes(v));
        // The reduced axes go to the end and become one, over which the winner is marked.
        long[] order = [.. Enumerable.Range(0, shape.Rank).Except(axes).Concat(axes.Order()).Select(i => (long)i)];
        long[] moved = [.. order.Select(i => shape.Open[i])];
        var size = axes.Aggregate(1L, (a, i) => a * shape.Dims[i]);
        var flat = v.E.Reshape(v.E.Transpose(v.In(0), order), [.. moved.SkipLast(axes.Length), size]);
        var index = v.E.Op(winner, [flat], ("axis", -1), ("keepdims", 1)); // OneHot takes no scalar
        var hot = v.E.Op("OneHot", [index, v.E.Ints(size), v.E.Floats([0, 1], 2)], ("axis", -1));
        var inverse = new long[shape.Rank];
        for (var i = 0; i < order.Length; i++) inverse[order[i]] = i;
        var mask = v.E.Transpose(v.E.Reshape(hot, moved), inverse);
        v.Give(0, v.Times(v.E.Reshape(v.G, v.Prefixed(Kept(v).Open)), mask));
    };

    /// <summary>The input's shape with 1 at the reduced axes.</summary>
    public static TensorShape Kept(Vjp v)
    {
        var (shape, axes) = (v.InShape(0), Axes(v));
        if (shape.HasBatch && axes.Contains(shape.BatchAxis)) throw new RuleException("it reduces over the batch axis", "reduce inside a row only");
        return shape with { Dims = [.. shape.Dims.Select((d, i) => axes.Contains(i) ? 1 : d)] };
    }

    public static int[] Axes(Vjp v)
    {
        var axes = v.ConstantInts(1) is { Length: > 0 } given ? given : [.. Enumerable.Range(0, v.Node.Int("noop_with_empty_axes", 0) == 0 ? v.InShape(0).Rank : 0).Select(i => (long)i)];
        // ONNX Runtime reduces once an axis that is named twice.
        return [.. axes.Select(a => Structural.Axis(a, v.InShape(0))).Distinct()];
    }

    private static string Spread(Vjp v, string g) =>
        v.ExpandTo(v.Node.Int("keepdims", 1) != 0 ? g : v.ReshapeTo(g, Kept(v)), v.InShape(0));
}
