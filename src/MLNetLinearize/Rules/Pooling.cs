using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Rules;

/// <summary>Pools. A maximum gives all of its cotangent to one winner: the index that ONNX Runtime itself reports, of equal elements the first.</summary>
internal static class Pooling
{
    public static void MaxPool(Vjp v)
    {
        var shape = v.InShape(0);
        var kernel = v.Node.Ints("kernel_shape")!;
        var windows = Windows.Of(v.Node, shape, v.OutShape(), kernel);
        if (!windows.Tile && !v.IsGuarded && PoolWinners.CanSpread(v, windows))
        {
            v.Give(0, PoolWinners.Spread(v, windows));
            return;
        }
        var indices = Winners(v, windows);
        if (!windows.Tile || windows.Rank > 3 || v.IsGuarded)
        {
            v.Give(0, ScatterFlat(v, v.G, indices, shape, v.In(0)));
        }
        else if (v.P == 0)
        {
            v.Give(0, v.E.Op("MaxUnpool", [v.G, indices], ("kernel_shape", kernel), ("strides", kernel)));
        }
        else
        {
            // One mask of the winners serves all targets; the cotangent is only enlarged and multiplied.
            var mask = v.E.Op("MaxUnpool", [v.E.Filled(v.E.Shape(v.Out()), 1), indices], ("kernel_shape", kernel), ("strides", kernel));
            v.Give(0, v.E.Mul(v.Unfold(PoolWinners.Enlarge(v.E, v.Fold(v.G, v.OutShape()), kernel), shape), mask));
        }
    }

    public static void AveragePool(Vjp v)
    {
        var windows = Windows.Of(v.Node, v.InShape(0), v.OutShape(), v.Node.Ints("kernel_shape")!);
        var counts = windows.Counts(v.Node.Int("count_include_pad", 0) == 1);
        var even = counts.All(c => c == counts[0]);
        var g = even ? v.G : v.E.Div(v.G, v.E.Floats(counts, windows.Output));
        v.Give(0, Spread(v, g, windows, even ? 1 / counts[0] : 1));
    }

    /// <summary>y = (Σ|x|^p)^(1/p) over windows: slope sign(x)·|x|^(p−1)·y^(1−p); homogeneous, no remainder.</summary>
    public static void LpPool(Vjp v)
    {
        var windows = Windows.Of(v.Node, v.InShape(0), v.OutShape(), v.Node.Ints("kernel_shape")!);
        v.Give(0, v.E.Mul(Spread(v, v.E.Mul(v.G, OuterSlope(v)), windows, 1), InnerSlope(v)));
    }

    /// <summary>The same over all of space.</summary>
    public static void GlobalLpPool(Vjp v) => v.Give(0, v.E.Mul(v.E.Mul(v.G, OuterSlope(v)), InnerSlope(v)));

    public static void GlobalAveragePool(Vjp v)
    {
        var shape = v.InShape(0);
        var size = shape.Dims.Skip(2).Aggregate(1L, (a, d) => a * d);
        v.Give(0, v.P == 0 && NetworkBlocks.Keeps(v.Network, v.In(0), shape)
            ? BlockedLayout.Everywhere(v.E, v.G, shape, 1f / size)
            : v.ExpandTo(v.E.Scaled(v.G, 1f / size), shape));
    }

    /// <summary>The first of the largest elements, marked by a one-hot vector over space.</summary>
    public static void GlobalMaxPool(Vjp v)
    {
        var shape = v.InShape(0);
        var space = shape.Dims.Skip(2).Aggregate(1L, (a, d) => a * d);
        var flat = v.E.Reshape(v.In(0), [.. shape.Open.Take(2), space]);
        var winner = v.E.Op("ArgMax", [flat], ("axis", 2), ("keepdims", 0));
        var mask = v.E.Op("OneHot", [winner, v.E.Ints(space), v.E.Floats([0, 1], 2)], ("axis", -1));
        v.Give(0, v.Times(v.G, v.E.Reshape(mask, shape.Open)));
    }

    /// <summary>Picks by the same global indices, over the flattened cotangent.</summary>
    public static void MaxUnpool(Vjp v)
    {
        var picked = v.E.Op("GatherElements", [v.E.Reshape(v.G, v.Prefixed([-1])), FlatIndex(v, v.In(1))], ("axis", v.P));
        v.Give(0, v.ReshapeTo(picked, v.InShape(0)));
    }

    /// <summary>The winners' indices, global over rows, channels and space. Where the network counts columns first, its own are of no use here: another pool tells them.</summary>
    private static string Winners(Vjp v, Windows windows)
    {
        var isRowMajor = v.Node.Int("storage_order", 0) == 0;
        if (isRowMajor && v.Node.OutputOrNull(1) is { } told) return told;
        if (!v.IsGuarded && PoolWinners.CanFind(v, windows)) return PoolWinners.Emit(v, windows);
        return isRowMajor ? v.RequireOutput(1) : v.E.Two("MaxPool", [v.In(0)], [.. v.Node.Attribute.Where(a => a.Name != "storage_order").Select(a => (a.Name, Nodes.Value(a)))]).Second;
    }

    /// <summary>Gives each cotangent, times a weight, to every element of its window.</summary>
    private static string Spread(Vjp v, string g, Windows windows, float weight)
    {
        var shape = v.InShape(0);
        if (v.P == 0 && windows.IsGlobal && NetworkBlocks.Keeps(v.Network, v.In(0), shape)) return BlockedLayout.Everywhere(v.E, g, shape, weight);
        (string op, (string, object)[] attributes) = windows.Flipped() is { } pads ? ("Conv", [("pads", pads), ("dilations", windows.Dilations)]) : ("ConvTranspose", windows.Transposed());
        // Channel by channel. Where more than rows lead, all of that and the channels are one axis of images of one channel.
        return v.P == 0 && shape is { BatchAxis: 0, Dims: [1, var channels, ..] }
            ? ByChannel(g, channels)
            : v.ReshapeTo(ByChannel(v.E.Reshape(g, [-1, 1, .. windows.Output]), 1), shape);

        string ByChannel(string images, long channels) =>
            v.E.Op(op, [images, v.E.Filled(v.E.Ints([channels, 1, .. windows.Kernel]), weight)], [.. attributes, ("group", channels)]);
    }

    /// <summary>y^(1−p), and 0 where y is 0: all elements of that window are.</summary>
    private static string OuterSlope(Vjp v)
    {
        var sign = v.E.Op("Sign", [v.Out()]);
        var safe = v.E.Add(v.Out(), v.E.Sub(v.E.Scalar(1), sign));
        return v.E.Mul(sign, v.E.Op("Pow", [safe, v.E.Scalar(1 - v.Node.Int("p", 2))]));
    }

    private static string InnerSlope(Vjp v) => v.Node.Int("p", 2) switch
    {
        1 => v.E.Op("Sign", [v.In(0)]),
        2 => v.In(0),
        var p => v.E.Mul(v.E.Op("Sign", [v.In(0)]), v.E.Op("Pow", [v.E.Op("Abs", [v.In(0)]), v.E.Scalar(p - 1)])),
    };

    /// <summary>Adds a cotangent into zeros at global indices; windows that overlap and share a winner add up.</summary>
    private static string ScatterFlat(Vjp v, string g, string indices, TensorShape shape, string like)
    {
        var size = v.E.Reshape(v.E.Op("Size", [like]), 1);
        if (v.P == 1) size = v.E.Concat([v.E.Ints(v.Prefixed([])), size], 0);
        return v.ReshapeTo(v.E.Op("ScatterElements", [v.E.Zeros(size), FlatIndex(v, indices), v.E.Reshape(g, v.Prefixed([-1]))], ("axis", v.P), ("reduction", "add")), shape);
    }

    /// <summary>Global indices as one axis, repeated for every target.</summary>
    private static string FlatIndex(Vjp v, string indices)
    {
        var flat = v.E.Reshape(indices, -1);
        return v.P == 0 ? flat : v.E.Op("Expand", [flat, v.E.Ints(v.Prefixed([1]))]);
    }
}
