namespace MLNetLinearize.Tests.Oracle;

/// <summary>Reductions over axes.</summary>
internal static class ReductionOperators
{
    public static Dual Reduce(OracleNode node)
    {
        var x = node.X;
        var given = node.IntsOf("axes", 1);
        if (given is null or [] && node.Int("noop_with_empty_axes", 0) != 0) return x;
        var axes = given is null or [] ? [.. Enumerable.Range(0, x.Rank)] : Shapes.Axes(given, x.Rank);
        var keep = node.Int("keepdims", 1) != 0;
        return node.Operator switch
        {
            "ReduceSum" => Sum(x, axes, keep),
            "ReduceMean" => Mean(x, axes, keep),
            "ReduceMax" => Maximum(x, axes, keep),
            "ReduceMin" => Negative(Maximum(Negative(x), axes, keep)),
            "ReduceL1" => Sum(PointwiseOperators.Absolute(x), axes, keep),
            "ReduceSumSquare" => Sum(x * x, axes, keep),
            "ReduceL2" => PointwiseOperators.SquareRoot(Sum(x * x, axes, keep)),
            "ReduceLogSumExp" => PointwiseOperators.Logarithm(Sum(PointwiseOperators.Exponential(x), axes, keep)),
            _ => throw new NotSupportedException(node.Operator),
        };
    }

    public static Dual Sum(Dual x, int[] axes, bool keep)
    {
        var groups = Groups(x.Shape, axes, out var kept);
        return x.Linear(Shape(kept, axes, keep), xs =>
        {
            var ys = new double[Shapes.Count(kept)];
            for (var i = 0; i < xs.Length; i++) ys[groups[i]] += xs[i];
            return ys;
        });
    }

    public static Dual Mean(Dual x, int[] axes, bool keep) => Sum(x, axes, keep) * Dual.Scalar(1.0 / axes.Aggregate(1, (n, a) => n * x.Shape[a]));

    public static Dual Maximum(Dual x, int[] axes, bool keep)
    {
        var winners = Winners(x, axes, out var kept);
        return x.Pick(Shape(kept, axes, keep), winners);
    }

    /// <summary>The first largest element of each group.</summary>
    private static int[] Winners(Dual x, int[] axes, out int[] kept)
    {
        var groups = Groups(x.Shape, axes, out kept);
        var winners = Enumerable.Repeat(-1, Shapes.Count(kept)).ToArray();
        for (var i = 0; i < groups.Length; i++)
            if (winners[groups[i]] < 0 || x.Value[i] > x.Value[winners[groups[i]]]) winners[groups[i]] = i;
        return winners;
    }

    /// <summary>Which element wins is constant around the row.</summary>
    public static Dual ArgMax(OracleNode node)
    {
        var x = node.X;
        var axis = Shapes.Axis(node.Int("axis", 0), x.Rank);
        var stride = Shapes.Strides(x.Shape)[axis];
        var winners = Winners(x, [axis], out var kept);
        return Dual.Whole(Shape(kept, [axis], node.Int("keepdims", 1) != 0), winners.Select(i => (long)(i / stride % x.Shape[axis])));
    }

    private static Dual Negative(Dual x) => x * Dual.Scalar(-1);

    private static int[] Groups(int[] shape, int[] axes, out int[] kept)
    {
        kept = [.. shape.Select((d, i) => axes.Contains(i) ? 1 : d)];
        var (strides, sizes) = (Shapes.Strides(kept), kept);
        return Shapes.Map(shape, at =>
        {
            var index = 0;
            for (var d = 0; d < at.Length; d++) if (sizes[d] != 1) index += at[d] * strides[d];
            return index;
        });
    }

    private static int[] Shape(int[] kept, int[] axes, bool keep) => keep ? kept : [.. kept.Where((_, i) => !axes.Contains(i))];
}
