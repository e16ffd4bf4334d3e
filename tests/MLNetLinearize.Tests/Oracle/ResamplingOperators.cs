namespace MLNetLinearize.Tests.Oracle;

/// <summary>Resize by the formulas of the ONNX specification: each output element is a weighted sum of inputs.</summary>
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
            if (given.Length == 0 && node.Text("keep_aspect_ratio_policy", "stretch") is not "stretch" and var policy)
            {
                var ratios = axes.Select((a, k) => node[3].Integers[k] / (double)node.X.Shape[a]);
                scale = policy == "not_larger" ? ratios.Min() : ratios.Max();
                to = (int)Math.Floor(scale * from + 0.5);
            }
            if (node.Text("coordinate_transformation_mode", "") == "tf_crop_and_resize")
            {
                if (node[1].Columns is not null) throw new NotSupportedException("Resize of a region that is explained.");
                var region = node[1].Value;
                x = Cropped(node, x, axes[i], region[i], region[axes.Length + i], to);
                continue;
            }
            if (scale * from != to && node.Text("coordinate_transformation_mode", "") == "align_corners") throw new NotSupportedException("align_corners with a scale that reaches no whole size: the last corner is read in two ways.");
            if (scale != 1) x = Along(x, axes[i], [.. Enumerable.Range(0, to).Select(c => Taps(node, oldStyle, c, scale, from, to))]);
        }
        return x;
    }

    /// <summary>A part of an axis, in units of it, resized; the extrapolation value where that reaches beyond.</summary>
    private static Dual Cropped(OracleNode node, Dual x, int axis, double start, double end, int to)
    {
        var last = x.Shape[axis] - 1;
        double[] places = [.. Enumerable.Range(0, to).Select(c => to > 1 ? last * (start + c * (end - start) / (to - 1)) : 0.5 * (start + end) * last)];
        var read = Along(x, axis, [.. places.Select(p => Around(node, false, p, x.Shape[axis]))]);
        var outside = new Dual(read.Shape, [.. Shapes.Map(read.Shape, at => places[at[axis]] < 0 || places[at[axis]] > last ? 1 : 0).Select(o => (double)o)]);
        return read * (Dual.Scalar(1) - outside) + outside * Dual.Scalar(node.Float("extrapolation_value", 0));
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
        return Around(node, oldStyle, p, from);
    }

    /// <summary>The elements around a place, with their weights.</summary>
    private static (int At, double Weight)[] Around(OracleNode node, bool oldStyle, double p, int from)
    {
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
