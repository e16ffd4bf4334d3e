using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Rules;

/// <summary>Reductions whose slope depends on the elements. The cotangent is spread over the reduced axes and meets the slope.</summary>
internal static class Norms
{
    /// <summary>Σ|x|: homogeneous, no remainder.</summary>
    public static void L1(Vjp v) => Slope(v, v.E.Op("Sign", [v.In(0)]));

    /// <summary>√Σx²: slope x/y, homogeneous, no remainder. Where all elements are 0 the slope is 0 and not 0/0.</summary>
    public static void L2(Vjp v) => Slope(v, v.E.Div(v.In(0), v.E.Op("Max", [KeptOutput(v), v.E.Scalar(1e-38f)])));

    /// <summary>Σx²: slope 2x, remainder y − 2y.</summary>
    public static void SumSquare(Vjp v)
    {
        v.TakeTangent();
        Slope(v, v.E.Scaled(v.In(0), 2));
        v.Offset(v.G, v.OutShape(), v.Out(), v.OutShape(), -1);
    }

    /// <summary>log Σx: slope 1/Σx = e^−y, remainder y − 1.</summary>
    public static void LogSum(Vjp v)
    {
        v.TakeTangent();
        var slope = v.Finite(v.E.Op("Exp", [v.E.Neg(KeptOutput(v))]));
        v.Give(0, v.ExpandTo(v.Times(v.ReshapeTo(v.G, Reductions.Kept(v)), slope), v.InShape(0))); // the same for every element
        v.Offset(v.G, v.OutShape(), v.E.Sub(v.Out(), v.E.Scalar(1)), v.OutShape());
    }

    /// <summary>log Σe^x: slope softmax = e^(x−y), remainder y − Σ softmax·x.</summary>
    public static void LogSumExp(Vjp v)
    {
        v.TakeTangent();
        var slope = v.E.Op("Exp", [v.E.Sub(v.In(0), KeptOutput(v))]);
        Slope(v, slope);
        var kept = Reductions.Kept(v);
        var applied = v.E.ReduceSum(v.Applied(slope, 0), [.. Reductions.Axes(v).Select(a => (long)a)]);
        v.Offset(v.ReshapeTo(v.G, kept), kept, v.E.Sub(KeptOutput(v), applied), kept);
    }

    /// <summary>
    /// Πx over n elements: slope Π of the others, multiplied out rather than y/x, which fails at 0. Remainder y − n·y; in
    /// <see cref="Nonlinearity.Frozen"/> each of the n factors carries an equal part.
    /// </summary>
    public static void Prod(Vjp v)
    {
        var (e, shape, axes) = (v.E, v.InShape(0), Reductions.Axes(v));
        long[] order = [.. Enumerable.Range(0, shape.Rank).Except(axes).Concat(axes.Order()).Select(i => (long)i)];
        long[] moved = [.. order.Select(i => shape.Open[i])];
        var size = axes.Aggregate(1L, (a, i) => a * shape.Dims[i]);
        var row = e.Reshape(e.Transpose(v.In(0), order), [.. moved.SkipLast(axes.Length), size]);
        var axis = shape.Rank - axes.Length;
        if (size == 1)
        {
            v.Give(0, v.ReshapeTo(v.G, shape));
            return;
        }
        var others = e.Mul(Running(e, row, axis, size, isBefore: true), Running(e, row, axis, size, isBefore: false));
        var inverse = new long[shape.Rank];
        for (var i = 0; i < order.Length; i++) inverse[order[i]] = i;
        var slope = e.Transpose(e.Reshape(others, moved), inverse);
        Slope(v, e.Scaled(slope, v.Mode == Nonlinearity.Frozen ? 1f / size : 1));
        if (v.Mode == Nonlinearity.Tangent) v.Offset(v.G, v.OutShape(), v.Out(), v.OutShape(), 1 - size);
    }

    /// <summary>
    /// For each element the product of all before it, or behind it, along an axis, in log₂ n products of the whole row
    /// (Hillis and Steele 1986, Data Parallel Algorithms): the memory is that of a row, and no logarithm is taken.
    /// </summary>
    private static string Running(Emitter e, string row, int axis, long size, bool isBefore)
    {
        // Moved by some places away from the end, with 1 where nothing comes from.
        string Moved(string x, long by)
        {
            var kept = isBefore ? e.Slice(x, 0, size - by, axis) : e.Slice(x, by, size, axis);
            return e.Op("Pad", [kept, e.Ints(isBefore ? by : 0, isBefore ? 0 : by), e.Scalar(1), e.Ints(axis)]);
        }

        var product = Moved(row, 1);
        for (long by = 1; by < size; by *= 2) product = e.Mul(product, Moved(product, by));
        return product;
    }

    private static void Slope(Vjp v, string slope) => v.Give(0, v.Times(v.ReshapeTo(v.G, Reductions.Kept(v)), v.Finite(slope)));

    private static string KeptOutput(Vjp v) => v.Node.Int("keepdims", 1) != 0 ? v.Out() : v.E.Reshape(v.Out(), Reductions.Kept(v).Open);
}
