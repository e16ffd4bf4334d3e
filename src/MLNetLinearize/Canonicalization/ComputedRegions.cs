using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// Resize of a region that the row computes (coordinates <c>tf_crop_and_resize</c>): along each axis a product with a matrix
/// of weights that is computed from the region, so that the region is explained as well as the image.
/// </summary>
internal static class ComputedRegions
{
    private const string Remedy = "export the model so that the region is a constant";

    public static bool IsCropped(NodeProto node) => node.OpType == "Resize" && node.Text("coordinate_transformation_mode", "half_pixel") == "tf_crop_and_resize";

    /// <summary>Places are (start + t·(end − start))·(size − 1) for t from 0 to 1; what lies outside the image is one number.</summary>
    public static void Resize(Expansion x)
    {
        var mode = x.Node.Text("mode", "nearest");
        if (mode == "cubic" || x.Node.Int("antialias", 0) != 0) throw new ExpansionException($"its region '{x.In(1)}' is computed from the row, and places between pixels are found for the modes nearest and linear alone", Remedy);
        if (x.InOrNull(3) is null) throw new ExpansionException($"its scales multiply a region '{x.In(1)}' that is computed from the row, so that shapes depend on the data", "give it sizes");
        long[] axes = [.. (x.Node.Ints("axes") ?? [.. Enumerable.Range(0, x.Rank(0)).Select(i => (long)i)]).Select(a => (long)x.Axis(0, a))];
        var sizes = x.StoredInts(3)!;
        var (y, inside) = (x.In(0), "");
        for (var k = 0; k < axes.Length; k++)
        {
            var (axis, from, to) = ((int)axes[k], x.Dims(0)[axes[k]], sizes[k]);
            // Between pixels ONNX Runtime resizes the last axes, images and volumes; it leaves alone what keeps its size before them.
            if (from == to && (from == 1 || axis < Math.Min(2, x.Rank(0) - 2))) continue;
            var place = Places(x, x.Slice(x.In(1), k, k + 1, 0), x.Slice(x.In(1), axes.Length + k, axes.Length + k + 1, 0), from, to);
            var isInside = x.Cast(x.Op("And", [x.Op("GreaterOrEqual", [place, x.Scalar(0)]), x.Op("LessOrEqual", [place, x.Scalar(from - 1)])]), DataType.Float);
            y = Along(x, y, axis, x.Mul(Weights(x, place, from, mode), x.Unsqueeze(isInside, 1)));
            var spread = x.Reshape(isInside, [to, .. Enumerable.Repeat(1L, x.Rank(0) - 1 - axis)]);
            inside = inside.Length == 0 ? spread : x.Mul(inside, spread);
        }
        var outside = x.Node.Float("extrapolation_value", 0);
        x.Output(0, outside == 0 || inside.Length == 0 ? y : x.Add(y, x.Scaled(x.Sub(x.Scalar(1), inside), outside)));
    }

    private static string Places(Expansion x, string start, string end, long from, long to)
    {
        if (to == 1) return x.Scaled(x.Add(start, end), 0.5f * (from - 1));
        var steps = x.Floats([.. Enumerable.Range(0, (int)to).Select(i => (float)i)], to);
        return x.Add(x.Scaled(start, from - 1), x.Op("Div", [x.Scaled(x.Mul(steps, x.Sub(end, start)), from - 1), x.Scalar(to - 1)]));
    }

    /// <summary>[to, from]: how much each pixel counts at each place. The nearest one changes in steps.</summary>
    private static string Weights(Expansion x, string place, long from, string mode)
    {
        var pixels = x.Floats([.. Enumerable.Range(0, (int)from).Select(i => (float)i)], from);
        string At(string p) => x.Unsqueeze(p, 1);
        if (mode == "linear") return x.Op("Relu", [x.Sub(x.Scalar(1), x.Op("Abs", [x.Sub(At(place), pixels)]))]);
        var nearest = x.Node.Text("nearest_mode", "round_prefer_floor") switch
        {
            "floor" => x.Op("Floor", [place]),
            "ceil" => x.Op("Ceil", [place]),
            "round_prefer_ceil" => x.Op("Floor", [x.Add(place, x.Scalar(0.5f))]),
            _ => x.Op("Ceil", [x.Sub(place, x.Scalar(0.5f))]),
        };
        return x.Cast(x.Op("Equal", [At(nearest), pixels]), DataType.Float);
    }

    /// <summary>Multiplies along an axis by a matrix [to, from].</summary>
    private static string Along(Expansion x, string values, int axis, string matrix)
    {
        var swap = Enumerable.Range(0, x.Rank(0)).Select(i => (long)i).ToArray();
        (swap[axis], swap[^1]) = (swap[^1], swap[axis]);
        var isLast = axis == swap.Length - 1;
        var product = x.Op("MatMul", [isLast ? values : x.Transpose(values, swap), x.Transpose(matrix, 1, 0)]);
        return isLast ? product : x.Transpose(product, swap);
    }
}
