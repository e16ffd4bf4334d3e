using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Rules;

/// <summary>
/// Interpolation is linear in what is interpolated. Its matrix is what the operator itself makes of the unit vectors: the
/// weights are then exactly those of the forward pass, whatever its coordinates, and ONNX Runtime folds them when the
/// session opens.
/// </summary>
internal static class Resampling
{
    private static readonly string[] ResizeAttributes = ["mode", "coordinate_transformation_mode", "nearest_mode", "cubic_coeff_a", "exclude_outside", "antialias"];

    private const string AspectPolicy = "keep_aspect_ratio_policy";

    /// <summary>The number that stands where a resized region reaches beyond the image.</summary>
    private const string Extrapolation = "extrapolation_value";

    /// <summary>Resizing goes axis by axis: y = M₁ ⊗ M₂ ⊗ … x, undone by the transpose of each matrix.</summary>
    public static void Resize(Vjp v)
    {
        var (from, to, g) = (v.InShape(0), v.OutShape(), v.G);
        if (RepeatsInBlocks(v))
        {
            v.Give(0, BlockSums(v));
            return;
        }
        for (var axis = 0; axis < from.Rank; axis++)
        {
            if (IsKept(v, axis)) continue;
            if (axis == from.BatchAxis) throw new RuleException("it resizes the batch axis", "resize inside a row only");
            g = Contracted(v, g, axis, KeepsAspect(v) ? MatrixOfPolicy(v, axis) : Crops(v) ? MatrixOfRegion(v, axis) : Matrix(v, axis));
        }
        v.Give(0, g);
        if (Quantization.IsQuantized(v.Network.Type(v.Node.Output[0])))
        {
            // Between integers it is cut to an integer.
            var exact = v.E.Op("Resize", [v.In(0), .. v.Node.Input.Skip(1)], Nodes.Attributes(v.Node));
            v.Offset(v.G, to, v.E.Sub(v.Out(), exact), to);
        }
        if (!Crops(v) || v.Node.Float(Extrapolation, 0) == 0) return;
        var outside = v.E.Op("Resize", [v.E.Zeros(v.E.Shape(v.In(0))), .. v.Node.Input.Skip(1)], Nodes.Attributes(v.Node));
        v.Offset(v.G, to, outside, to);
    }

    /// <summary>Sampling at a grid that is no function of what is explained: one matrix [pixels, samples] for each row. Large ones are written out before.</summary>
    public static void GridSample(Vjp v)
    {
        if (!v.Active(0))
        {
            v.Offset(v.G, v.OutShape(), v.Out(), v.OutShape());
            return;
        }
        var (e, from, to) = (v.E, v.InShape(0), v.OutShape());
        var (pixels, samples) = (Space(from), Space(to));
        if (v.Node.Text("mode", "linear") == "nearest")
        {
            v.Give(0, v.ReshapeTo(ToNearest(v, pixels, samples), from));
            return;
        }
        var matrix = e.Reshape(Sampled(v, e.Reshape(Identity(v, pixels), [1, pixels, .. from.Dims.Skip(2)])), -1, 1, pixels, samples);
        var g = e.Reshape(v.G, v.Prefixed([.. to.Open.Take(2), 1, samples]));
        v.Give(0, v.ReshapeTo(e.MatMul(g, e.Transpose(matrix, 0, 1, 3, 2)), from));
    }

    /// <summary>Sampling the pixels' own numbers tells which one each sample takes, counted from 1 so that 0 is none; the cotangents are added where they were taken.</summary>
    private static string ToNearest(Vjp v, long pixels, long samples)
    {
        if (pixels >= Emitter.ExactIntegers) throw new RuleException($"its image has {pixels:N0} pixels, more than float32 can number", "sample smaller images");
        var e = v.E;
        var numbers = e.Floats([.. Enumerable.Range(1, (int)pixels).Select(i => (float)i)], [1, 1, .. v.InShape(0).Dims.Skip(2)]);
        var taken = e.Cast(e.Reshape(Sampled(v, numbers), -1, 1, samples), TensorProto.Types.DataType.Int64);
        var g = e.Reshape(v.G, v.Prefixed([.. v.OutShape().Open.Take(2), samples]));
        var (shape, axis) = (e.Shape(g), v.P + 2);
        var sums = e.Op("ScatterElements", [e.Zeros(e.Concat([e.Slice(shape, 0, axis, 0), e.Ints(pixels + 1)], 0)), e.Op("Expand", [taken, shape]), g], ("axis", (long)axis), ("reduction", "add"));
        return e.Slice(sums, 1, pixels + 1, axis);
    }

    /// <summary>What the node makes, for each row, of an image [1, channels, …].</summary>
    private static string Sampled(Vjp v, string image)
    {
        var rows = v.E.Slice(v.E.Shape(v.In(1)), 0, 1, 0);
        var images = v.E.Op("Expand", [image, v.E.Concat([rows, v.E.Ints([.. Enumerable.Repeat(1L, v.InShape(0).Rank - 1)])], 0)]);
        return v.E.Op("GridSample", [images, v.In(1)], Nodes.Attributes(v.Node));
    }

    /// <summary>Nearest neighbours enlarged by whole factors: each element repeated in a block.</summary>
    private static bool RepeatsInBlocks(Vjp v)
    {
        if (v.Node.Text("mode", "nearest") != "nearest" || KeepsAspect(v)) return false;
        var coordinates = v.Node.Text("coordinate_transformation_mode", "half_pixel");
        var rounding = v.Node.Text("nearest_mode", "round_prefer_floor");
        return (coordinates, rounding) is ("asymmetric", "floor") or ("half_pixel", "round_prefer_floor" or "round_prefer_ceil") or ("half_pixel_symmetric", "round_prefer_floor")
            && Enumerable.Range(0, v.InShape(0).Rank).All(i => v.OutShape().Dims[i] % v.InShape(0).Dims[i] == 0 && (Scale(v, i) is not { } s || s == v.OutShape().Dims[i] / v.InShape(0).Dims[i]));
    }

    /// <summary>The cotangents of a block add up.</summary>
    private static string BlockSums(Vjp v)
    {
        var (from, to) = (v.InShape(0), v.OutShape());
        var split = new List<long>();
        var axes = new List<long>();
        for (var i = 0; i < from.Rank; i++)
        {
            split.Add(from.Open[i]);
            if (i == from.BatchAxis || to.Dims[i] == from.Dims[i]) continue;
            axes.Add(split.Count + v.P);
            split.Add(to.Dims[i] / from.Dims[i]);
        }
        return v.ReshapeTo(v.E.ReduceSum(v.E.Reshape(v.G, v.Prefixed(split)), [.. axes]), from);
    }

    /// <summary>The unit vectors of one axis, resized: [to, from].</summary>
    private static string Matrix(Vjp v, int axis)
    {
        var (e, from, to) = (v.E, v.InShape(0).Dims[axis], v.OutShape().Dims[axis]);
        string[] size = Scale(v, axis) is { } scale ? ["", e.Floats([scale, 1], 2)] : ["", "", e.Ints(to, from)];
        return e.Op("Resize", [Identity(v, from), .. size], Attributes(v));
    }

    /// <summary>The same of a region. A second axis of its own keeps ONNX Runtime from copying where the sizes stay.</summary>
    private static string MatrixOfRegion(Vjp v, int axis)
    {
        var (e, from, to, (start, end)) = (v.E, v.InShape(0).Dims[axis], v.OutShape().Dims[axis], Region(v, axis));
        return Columns(v, e.Reshape(Identity(v, from), 1, from, from, 1), [e.Floats([0, 0, start, 0, 1, 1, end, 1], 8), "", e.Ints(1, from, to, 2)], 2, to);
    }

    /// <summary>The same where one scale for all axes is found from the sizes, and the sizes are rounded from it: units along one axis, alike along the others.</summary>
    private static string MatrixOfPolicy(Vjp v, int axis)
    {
        var (e, shape, axes) = (v.E, v.InShape(0), v.Node.Ints("axes")!.Select(a => Structural.Axis(a, v.InShape(0))).ToList());
        long[] dims = [1, shape.Dims[axis], .. axes.Select(a => shape.Dims[a])];
        var at = axes.IndexOf(axis) + 2;
        var units = e.Op("Expand", [e.Reshape(Identity(v, shape.Dims[axis]), [.. dims.Select((d, i) => i == 1 || i == at ? d : 1)]), e.Ints(dims)]);
        return Columns(v, units, ["", "", v.In(3)], at, v.OutShape().Dims[axis], ("axes", axes.Select((_, i) => i + 2L).ToArray()), (AspectPolicy, v.Node.Text(AspectPolicy, "")));
    }

    /// <summary>Images of units, [1, from, …], resized along axis <paramref name="at"/> and others, as [to, from].</summary>
    private static string Columns(Vjp v, string units, string[] how, int at, long to, params (string, object)[] attributes)
    {
        var resized = v.E.Op("Resize", [units, .. how], [.. attributes, .. Attributes(v)]);
        // Alike along the other axes: the first of each.
        var column = v.E.Op("Slice", [resized, v.E.Ints(0), v.E.Ints(1), v.E.Ints(at == 2 ? 3 : 2)]);
        return v.E.Transpose(v.E.Reshape(column, -1, to), 1, 0);
    }

    private static (string, object)[] Attributes(Vjp v) => [.. ResizeAttributes.Where(v.Node.Has).Select(name => (name, Nodes.Value(v.Node.Find(name)!)))];

    /// <summary>Whether an axis is not touched. ONNX Runtime copies what keeps its size, whatever region is named.</summary>
    private static bool IsKept(Vjp v, int axis)
    {
        var (from, to) = (v.InShape(0), v.OutShape());
        if (KeepsAspect(v)) return At(v, axis) < 0;
        if (Crops(v)) return to.Dims.SequenceEqual(from.Dims) || Region(v, axis) is (0, 1) && to.Dims[axis] == from.Dims[axis];
        return to.Dims[axis] == from.Dims[axis] && Scale(v, axis) is null or 1;
    }

    private static bool KeepsAspect(Vjp v) => v.Node.Text(AspectPolicy, "stretch") != "stretch" && Scale(v, 0) is null;

    private static bool Crops(Vjp v) => v.Node.Text("coordinate_transformation_mode", "half_pixel") == "tf_crop_and_resize";

    /// <summary>The part of an axis that is resized, in units of it.</summary>
    private static (float Start, float End) Region(Vjp v, int axis)
    {
        var region = v.Network.Constant(v.In(1))?.ToSingle() ?? throw new RuleException($"its region '{v.In(1)}' is computed from the row", "export the model so that it is a constant");
        return At(v, axis) is >= 0 and var at ? (region[at], region[region.Length / 2 + at]) : (0, 1);
    }

    /// <summary>The scale given for an axis; null where sizes were given instead.</summary>
    private static float? Scale(Vjp v, int axis)
    {
        if (!v.HasInput(2) || v.InShape(2).Count == 0) return null;
        var scales = v.Network.Constant(v.In(2))?.ToSingle() ?? throw new RuleException($"its scales '{v.In(2)}' are computed from the row", "export the model so that they are constants");
        return At(v, axis) is >= 0 and var at ? scales[at] : 1;
    }

    /// <summary>Where an axis stands among those that are resized; −1 for the others.</summary>
    private static int At(Vjp v, int axis) => v.Node.Ints("axes") is { } axes ? Array.FindIndex(axes, a => Structural.Axis(a, v.InShape(0)) == axis) : axis;

    /// <summary>Sums <paramref name="g"/> along an axis against a matrix [to, from].</summary>
    private static string Contracted(Vjp v, string g, int axis, string matrix)
    {
        var rank = v.InShape(0).Rank + v.P;
        var swap = Enumerable.Range(0, rank).Select(i => (long)i).ToArray();
        (swap[axis + v.P], swap[^1]) = (swap[^1], swap[axis + v.P]);
        return v.E.Transpose(v.E.MatMul(v.E.Transpose(g, swap), matrix), swap);
    }

    private static string Identity(Vjp v, long size) => v.E.Op("EyeLike", [v.E.Zeros(v.E.Ints(size, size))]);

    private static long Space(TensorShape shape) => shape.Dims.Skip(2).Aggregate(1L, (a, d) => a * d);
}
