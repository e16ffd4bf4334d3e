namespace MLNetLinearize.Tests.Oracle;

/// <summary>Operators that read or write at given positions, and the rearrangements of channels and space.</summary>
internal static class IndexingOperators
{
    public static Dual Gather(OracleNode node)
    {
        var (x, indices) = (node.X, node[1]);
        var axis = Shapes.Axis(node.Int("axis", 0), x.Rank);
        int[] shape = [.. x.Shape[..axis], .. indices.Shape, .. x.Shape[(axis + 1)..]];
        var (strides, indexStrides) = (Shapes.Strides(x.Shape), Shapes.Strides(indices.Shape));
        return x.Pick(shape, Shapes.Map(shape, at =>
        {
            var chosen = Shapes.Axis((long)indices.Value[Shapes.Flat(at[axis..(axis + indices.Rank)], indexStrides)], x.Shape[axis]);
            return Shapes.Flat([.. at[..axis], chosen, .. at[(axis + indices.Rank)..]], strides);
        }));
    }

    /// <summary>Joins the slices, or elements, that the condition names.</summary>
    public static Dual Compress(OracleNode node)
    {
        var (x, axis) = node.Has("axis") ? (node.X, Shapes.Axis(node.Int("axis", 0), node.X.Rank)) : (node.X.Reshaped(node.X.Value.Length), 0);
        return ShapeOperators.Join([.. Enumerable.Range(0, node[1].Value.Length).Where(i => node[1].Value[i] != 0).Select(i => ShapeOperators.Range(x, axis, i, 1, 1))], axis);
    }

    public static Dual OneHot(OracleNode node)
    {
        var (indices, depth, values) = (node.X, (int)node[1].Value[0], node[2]);
        var axis = Shapes.Axis(node.Int("axis", -1), indices.Rank + 1);
        int[] shape = [.. indices.Shape[..axis], depth, .. indices.Shape[axis..]];
        var strides = Shapes.Strides(indices.Shape);
        var hot = Shapes.Map(shape, at => at[axis] == Shapes.Axis((long)indices.Value[Shapes.Flat([.. at[..axis], .. at[(axis + 1)..]], strides)], depth) ? 1 : 0);
        return values.Pick(shape, hot);
    }

    public static Dual GatherElements(OracleNode node)
    {
        var (x, indices) = (node.X, node[1]);
        return x.Pick(indices.Shape, Targets(x.Shape, indices, Shapes.Axis(node.Int("axis", 0), x.Rank)));
    }

    public static Dual ScatterElements(OracleNode node)
    {
        var (data, updates) = (node.X, node[2]);
        var target = Targets(data.Shape, node[1], Shapes.Axis(node.Int("axis", 0), data.Rank));
        return Scattered(data, updates, target, node.Text("reduction", "none"));
    }

    /// <summary>Element i of <paramref name="updates"/> replaces, or is reduced with, element <paramref name="target"/>[i].</summary>
    public static Dual Scattered(Dual data, Dual updates, int[] target, string reduction)
    {
        if (reduction == "none")
        {
            var (which, index) = (new int[data.Value.Length], Enumerable.Range(0, data.Value.Length).ToArray());
            for (var i = 0; i < target.Length; i++) (which[target[i]], index[target[i]]) = (1, i);
            return Dual.Select(data.Shape, [data, updates], which, index);
        }
        if (reduction == "add")
        {
            return data + updates.Linear(data.Shape, us =>
            {
                var sums = new double[data.Value.Length];
                for (var i = 0; i < us.Length; i++) sums[target[i]] += us[i];
                return sums;
            });
        }
        // Element by element: the datum, and then what meets it, one after the other.
        var elements = Enumerable.Range(0, data.Value.Length).Select(i => data.Pick([1], [i])).ToArray();
        for (var i = 0; i < target.Length; i++)
        {
            var (old, put) = (elements[target[i]], updates.Pick([1], [i]));
            elements[target[i]] = reduction switch
            {
                "mul" => Reading.Tangent(() => old * put),
                "max" => put.Value[0] > old.Value[0] ? put : old,
                "min" => put.Value[0] < old.Value[0] ? put : old,
                _ => throw new NotSupportedException($"Scattering with reduction {reduction}."),
            };
        }
        return Dual.Select(data.Shape, elements, [.. Enumerable.Range(0, elements.Length)], new int[elements.Length]);
    }

    public static Dual DepthToSpace(OracleNode node)
    {
        var (x, b) = (node.X, (int)node.Int("blocksize", 1));
        var (n, c, h, w) = (x.Shape[0], x.Shape[1] / (b * b), x.Shape[2], x.Shape[3]);
        var moved = node.Text("mode", "DCR") == "DCR"
            ? ShapeOperators.Permute(x.Reshaped(n, b, b, c, h, w), [0, 3, 4, 1, 5, 2])
            : ShapeOperators.Permute(x.Reshaped(n, c, b, b, h, w), [0, 1, 4, 2, 5, 3]);
        return moved.Reshaped(n, c, h * b, w * b);
    }

    public static Dual SpaceToDepth(OracleNode node)
    {
        var (x, b) = (node.X, (int)node.Int("blocksize", 1));
        var (n, c, h, w) = (x.Shape[0], x.Shape[1], x.Shape[2] / b, x.Shape[3] / b);
        return ShapeOperators.Permute(x.Reshaped(n, c, h, b, w, b), [0, 3, 5, 1, 2, 4]).Reshaped(n, c * b * b, h, w);
    }

    public static Dual Triangle(OracleNode node)
    {
        var (x, shift, upper) = (node.X, (long)(node.Optional(1)?.Value[0] ?? 0), node.Int("upper", 1) != 0);
        var strides = Shapes.Strides(x.Shape);
        return x.Pick(x.Shape, Shapes.Map(x.Shape, at =>
        {
            var offset = at[^1] - at[^2] - shift;
            return (upper ? offset >= 0 : offset <= 0) ? Shapes.Flat(at, strides) : -1;
        }));
    }

    private static int[] Targets(int[] shape, Dual indices, int axis)
    {
        var (strides, i) = (Shapes.Strides(shape), 0);
        return Shapes.Map(indices.Shape, at => Shapes.Flat(at.With(axis, Shapes.Axis((long)indices.Value[i++], shape[axis])), strides));
    }
}
