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
    /// <summary>Largest matrix that a sampling grid is written out as, in elements of a row.</summary>
    private const long LargestMatrix = 1 << 22;

    private static readonly string[] ResizeAttributes = ["mode", "coordinate_transformation_mode", "nearest_mode", "cubic_coeff_a", "exclude_outside", "antialias"];

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
            if (to.Dims[axis] == from.Dims[axis] && Scale(v, axis) is null or 1) continue;
            if (axis == from.BatchAxis) throw new RuleException("it resizes the batch axis", "resize inside a row only");
            g = Contracted(v, g, axis, Matrix(v, axis));
        }
        v.Give(0, g);
    }

    /// <summary>Sampling at a grid that is no function of what is explained, or is rounded to the nearest pixel; one matrix [pixels, samples] for each row.</summary>
    public static void GridSample(Vjp v)
    {
        if (!v.Active(0))
        {
            v.Offset(v.G, v.OutShape(), v.Out(), v.OutShape());
            return;
        }
        var (e, from, to) = (v.E, v.InShape(0), v.OutShape());
        var (pixels, samples) = (Space(from), Space(to));
        if (pixels * samples > LargestMatrix) throw new RuleException($"its matrix of {pixels} pixels by {samples} samples is larger than {LargestMatrix} elements", "sample smaller images");
        var rows = e.Slice(e.Shape(v.In(1)), 0, 1, 0);
        var units = e.Op("Expand", [e.Reshape(Identity(v, pixels), [1, pixels, .. from.Dims.Skip(2)]), e.Concat([rows, e.Ints([pixels, .. from.Dims.Skip(2)])], 0)]);
        var node = v.Node.Clone();
        var matrix = e.Reshape(e.Op("GridSample", [units, v.In(1)], [.. node.Attribute.Select(a => (a.Name, a.Type == AttributeProto.Types.AttributeType.Int ? (object)a.I : a.S.ToStringUtf8()))]), -1, 1, pixels, samples);
        var g = e.Reshape(v.G, v.Prefixed([.. to.Open.Take(2), 1, samples]));
        v.Give(0, v.ReshapeTo(e.MatMul(g, e.Transpose(matrix, 0, 1, 3, 2)), from));
    }

    /// <summary>Nearest neighbours enlarged by whole factors: each element repeated in a block.</summary>
    private static bool RepeatsInBlocks(Vjp v)
    {
        if (v.Node.Text("mode", "nearest") != "nearest") return false;
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
        var attributes = ResizeAttributes.Where(v.Node.Has).Select(name => v.Node.Find(name)!)
            .Select(a => (a.Name, a.Name.EndsWith("mode", StringComparison.Ordinal) ? a.S.ToStringUtf8() : a.Name == "cubic_coeff_a" ? (object)a.F : a.I));
        return e.Op("Resize", [Identity(v, from), .. size], [.. attributes]);
    }

    /// <summary>The scale given for an axis; null where sizes were given instead.</summary>
    private static float? Scale(Vjp v, int axis)
    {
        if (!v.HasInput(2) || v.InShape(2).Count == 0) return null;
        var scales = v.Network.Constant(v.In(2))?.ToSingle() ?? throw new RuleException($"its scales '{v.In(2)}' are computed from the row", "export the model so that they are constants");
        var axes = v.Node.Ints("axes")?.Select(a => Structural.Axis(a, v.InShape(0))).ToList();
        return axes is null ? scales[axis] : axes.IndexOf(axis) is >= 0 and var at ? scales[at] : 1;
    }

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
