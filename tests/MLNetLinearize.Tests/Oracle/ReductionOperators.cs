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
            "ReduceSum" => Sum(x, axes, keep).As(Role.Statistic),
            "ReduceMean" => Mean(x, axes, keep).As(Role.Statistic),
            "ReduceMax" => Maximum(x, axes, keep),
            "ReduceMin" => Negative(Maximum(Negative(x), axes, keep)),
            "ReduceProd" => Product(x, axes, keep),
            "ReduceL1" => Sum(PointwiseOperators.Absolute(x), axes, keep),
            "ReduceSumSquare" => Reading.Tangent(() => Sum(x * x, axes, keep)).As(Role.Statistic),
            "ReduceL2" => Reading.Tangent(() => PointwiseOperators.Distance(Sum(x * x, axes, keep))).As(Role.Gate),
            "ReduceLogSum" => Reading.Tangent(() => PointwiseOperators.Logarithm(Sum(x, axes, keep))),
            "ReduceLogSumExp" => Reading.Tangent(() => PointwiseOperators.Logarithm(Sum(PointwiseOperators.Exponential(x), axes, keep))),
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

    /// <summary>The product rule over n factors; read as A(x)·x, each factor carries an equal part.</summary>
    public static Dual Product(Dual x, int[] axes, bool keep)
    {
        var groups = Groups(x.Shape, axes, out var kept);
        var shape = Shape(kept, axes, keep);
        var members = groups.Select((g, i) => (Group: g, Element: i)).ToLookup(e => e.Group, e => e.Element);
        double Times(IEnumerable<int> elements) => elements.Aggregate(1.0, (p, i) => p * x.Value[i]);
        double[] value = [.. Enumerable.Range(0, Shapes.Count(kept)).Select(g => Times(members[g]))];
        if (x.IsConstant) return new(shape, value);
        var others = x.Value.Select((_, i) => Times(members[groups[i]].Where(j => j != i))).ToArray();
        var n = x.Value.Length / value.Length;
        var columns = x.Columns!.Select((column, c) =>
        {
            var sums = new double[value.Length];
            for (var i = 0; i < column.Length; i++) sums[groups[i]] += column[i] * others[i] / (Reading.IsFrozen ? n : 1);
            if (!Reading.IsFrozen && c == x.Columns!.Length - 1) for (var g = 0; g < sums.Length; g++) sums[g] -= (n - 1) * value[g];
            return sums;
        });
        return new(shape, value, [.. columns]);
    }

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
    public static Dual ArgExtremum(OracleNode node)
    {
        var x = node.X;
        var axis = Shapes.Axis(node.Int("axis", 0), x.Rank);
        var stride = Shapes.Strides(x.Shape)[axis];
        var compared = node.Operator == "ArgMin" ? Negative(x.WithoutColumns()) : x.WithoutColumns();
        var winners = Winners(compared, [axis], out var kept);
        if (node.Int("select_last_index", 0) != 0)
            winners = [.. winners.Select(first => Enumerable.Range(0, x.Shape[axis] - first / stride % x.Shape[axis]).Select(step => first + step * stride).Last(i => compared.Value[i] == compared.Value[first]))];
        return Dual.Whole(Shape(kept, [axis], node.Int("keepdims", 1) != 0), winners.Select(i => (long)(i / stride % x.Shape[axis])));
    }

    /// <summary>1 at the first largest element along an axis; since opset 13 of that axis alone.</summary>
    public static Dual Hardmax(OracleNode node)
    {
        var winners = Winners(node.X, [Shapes.Axis(node.Int("axis", -1), node.X.Rank)], out _);
        return new(node.X.Shape, [.. node.X.Value.Select((_, i) => winners.Contains(i) ? 1.0 : 0)]);
    }

    /// <summary>The k largest or smallest along an axis, best first; of equal ones the first.</summary>
    public static IReadOnlyList<Dual> TopK(OracleNode node)
    {
        var (x, k) = (node.X, (int)node[1].Value[0]);
        var axis = Shapes.Axis(node.Int("axis", -1), x.Rank);
        var (stride, sign, shape) = (Shapes.Strides(x.Shape)[axis], node.Int("largest", 1) != 0 ? -1 : 1, x.Shape.With(axis, k));
        var strides = Shapes.Strides(x.Shape);
        var index = Shapes.Map(shape, at =>
        {
            var first = Shapes.Flat(at.With(axis, 0), strides);
            return Enumerable.Range(0, x.Shape[axis]).Select(i => first + i * stride).OrderBy(i => sign * x.Value[i]).ElementAt(at[axis]);
        });
        return [x.Pick(shape, index), Dual.Whole(shape, index.Select(i => (long)(i / stride % x.Shape[axis])))];
    }

    public static Dual CumulativeSum(OracleNode node)
    {
        var x = node.X;
        var axis = Shapes.Axis((long)node[1].Value[0], x.Rank);
        var (stride, size) = (Shapes.Strides(x.Shape)[axis], x.Shape[axis]);
        var (exclusive, reverse) = (node.Int("exclusive", 0) != 0, node.Int("reverse", 0) != 0);
        return x.Linear(x.Shape, xs =>
        {
            var ys = new double[xs.Length];
            for (var i = 0; i < xs.Length; i++)
            {
                var at = i / stride % size;
                for (var j = 0; j < size; j++)
                    if (j == at ? !exclusive : j < at != reverse) ys[i] += xs[i + (j - at) * stride];
            }
            return ys;
        });
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
