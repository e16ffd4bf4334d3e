namespace MLNetLinearize.Tests.Oracle;

/// <summary>Resize and GridSample by the formulas of the ONNX specification: each output element is a weighted sum of inputs.</summary>
internal static class ResamplingOperators
{
    public static Dual Resize(OracleNode node)
    {
        if (node.Int("exclude_outside", 0) != 0 || node.Int("antialias", 0) != 0) throw new NotSupportedException("Resize with exclude_outside or antialias.");
        var x = node.X;
        var oldStyle = node.Operator == "Upsample" || node.Opset < 11;
        var given = node.Floats("scales")?.Select(s => (double)s).ToArray() ?? node.Optional(oldStyle ? 1 : 2)?.Value ?? [];
        var axes = node.Ints("axes") is { } named ? [.. named.Select(a => Shapes.Axis(a, x.Rank))] : Enumerable.Range(0, x.Rank).ToArray();
        for (var i = 0; i < axes.Length; i++)
        {
            var from = x.Shape[axes[i]];
            var to = given.Length > 0 ? (int)Math.Floor(from * given[i]) : (int)node[3].Integers[i];
            var scale = given.Length > 0 ? given[i] : (double)to / from;
            if (scale * from != to && node.Text("coordinate_transformation_mode", "") == "align_corners") throw new NotSupportedException("align_corners with a scale that reaches no whole size: the last corner is read in two ways.");
            if (scale != 1) x = Along(x, axes[i], [.. Enumerable.Range(0, to).Select(c => Taps(node, oldStyle, c, scale, from, to))]);
        }
        return x;
    }

    /// <summary>Bilinear or nearest sampling at a constant grid of (x, y) in [−1, 1].</summary>
    public static Dual GridSample(OracleNode node)
    {
        var (x, grid) = (node.X, node[1]);
        if (node.Text("padding_mode", "zeros") == "reflection" || node.Text("mode", "linear") is "cubic" or "bicubic" || x.Rank != 4) throw new NotSupportedException("GridSample with reflection, cubic, or not of images.");
        var (rows, channels, h, w, oh, ow) = (x.Shape[0], x.Shape[1], x.Shape[2], x.Shape[3], grid.Shape[1], grid.Shape[2]);
        var (aligned, border, nearest) = (node.Int("align_corners", 0) != 0, node.Text("padding_mode", "zeros") == "border", node.Text("mode", "linear") == "nearest");
        if (!grid.IsConstant && !nearest) return DeformableOperators.Grid(node);
        double At(double unit, int size)
        {
            var p = aligned ? (unit + 1) / 2 * (size - 1) : ((unit + 1) * size - 1) / 2;
            return border ? Math.Clamp(p, 0, size - 1) : p;
        }

        IEnumerable<(int, double)> Around(double p) => nearest ? [((int)Math.Round(p, MidpointRounding.ToEven), 1)] : [((int)Math.Floor(p), 1 - (p - Math.Floor(p))), ((int)Math.Floor(p) + 1, p - Math.Floor(p))];
        return x.Linear([rows, channels, oh, ow], xs =>
        {
            var ys = new double[rows * channels * oh * ow];
            for (var i = 0; i < ys.Length; i++)
            {
                var sample = i / (channels * oh * ow) * oh * ow + i % (oh * ow);
                foreach (var (row, a) in Around(At(grid.Value[2 * sample + 1], h)))
                    foreach (var (column, b) in Around(At(grid.Value[2 * sample], w)))
                        if (row >= 0 && row < h && column >= 0 && column < w) ys[i] += a * b * xs[(i / (oh * ow) * h + row) * w + column];
            }
            return ys;
        });
    }

    /// <summary>The input elements that make output element <paramref name="c"/> of an axis, with their weights.</summary>
    private static (int At, double Weight)[] Taps(OracleNode node, bool oldStyle, int c, double scale, int from, int to)
    {
        var p = node.Text("coordinate_transformation_mode", oldStyle ? "asymmetric" : "half_pixel") switch
        {
            "asymmetric" => c / scale,
            "align_corners" => to == 1 ? 0 : c * (from - 1.0) / (to - 1.0),
            "pytorch_half_pixel" => to > 1 ? (c + 0.5) / scale - 0.5 : 0,
            "half_pixel" => (c + 0.5) / scale - 0.5,
            var mode => throw new NotSupportedException(mode),
        };
        var (floor, rest) = ((int)Math.Floor(p), p - Math.Floor(p));
        int Inside(int i) => Math.Clamp(i, 0, from - 1);
        switch (node.Text("mode", "nearest"))
        {
            case "linear" or "bilinear":
                return [(Inside(floor), 1 - rest), (Inside(floor + 1), rest)];
            case "cubic":
                // Keys 1981, with the parameter a.
                var a = node.Float("cubic_coeff_a", -0.75f);
                double Near(double d) => ((a + 2) * d - (a + 3)) * d * d + 1;
                double Far(double d) => ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
                return [(Inside(floor - 1), Far(rest + 1)), (Inside(floor), Near(rest)), (Inside(floor + 1), Near(1 - rest)), (Inside(floor + 2), Far(2 - rest))];
            default:
                var nearest = node.Text("nearest_mode", oldStyle ? "floor" : "round_prefer_floor") switch
                {
                    "floor" => Math.Floor(p),
                    "ceil" => Math.Ceiling(p),
                    "round_prefer_ceil" => Math.Floor(p + 0.5),
                    _ => Math.Ceiling(p - 0.5),
                };
                return [(Inside((int)nearest), 1)];
        }
    }

    private static Dual Along(Dual x, int axis, (int At, double Weight)[][] taps)
    {
        var (strides, shape) = (Shapes.Strides(x.Shape), x.Shape.With(axis, taps.Length));
        var first = Shapes.Map(shape, at => Shapes.Flat(at.With(axis, 0), strides));
        var which = Shapes.Map(shape, at => at[axis]);
        return x.Linear(shape, xs => [.. which.Select((c, i) => taps[c].Sum(t => t.Weight * xs[first[i] + t.At * strides[axis]]))]);
    }
}
