using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// Maxima over regions of images, in operators whose winners are known: which pixels a cell is made of, and with what weights,
/// the operator itself tells on images of one pixel each. The regions are parameters of the row.
/// </summary>
internal static class RegionPools
{
    /// <summary>Largest number of candidates, in all regions and channels together.</summary>
    private const long LargestTable = 1 << 24;

    /// <summary>Girshick 2015 (arXiv 1504.08083): each cell is the largest of its pixels, and 0 where it has none.</summary>
    public static void MaxRoiPool(Expansion x)
    {
        var (regions, pixels, pooled) = (x.Dims(1)[0], Pixels(x), x.Node.Ints("pooled_shape")!);
        ThrowIfAbove(x, regions, pooled[0] * pooled[1]);
        // Column 0 tells the image that a region lies in; the units are one.
        var members = x.Op("MaxRoiPool", [Units(x), x.Mul(x.In(1), x.Floats([0, 1, 1, 1, 1], 5))], Nodes.Attributes(x.Node));
        var isMember = x.Op("Greater", [x.Reshape(members, [regions, 1, pixels, .. pooled]), x.Scalar(0f)]);
        var images = x.Cast(x.Squeeze(x.Slice(x.In(1), 0, 1, 1), 1), DataType.Int64);
        var bound = x.Op("Where", [x.Op("Greater", [Count(x, isMember), x.Scalar(0f)]), x.Scalar(float.MinValue), x.Scalar(0f)]);
        x.Output(0, x.Op("ReduceMax", [x.Op("Where", [isMember, Channels(x, images, regions, 1, 1), bound]), x.Ints(2)], ("keepdims", 0L)));
    }

    /// <summary>
    /// RoiAlign's mode max: with s·s points a cell, the points are the cells of an average over s times as many cells. ONNX
    /// Runtime takes the largest, not of the points, but of the weighed pixels that each point is the sum of, four a point, of
    /// which some weigh 0 at the image's border.
    /// </summary>
    public static void RoiAlign(Expansion x)
    {
        var (height, width, points) = (x.Node.Int("output_height", 1), x.Node.Int("output_width", 1), x.Node.Int("sampling_ratio", 0));
        if (points == 0) throw new ExpansionException("the number of points that a cell is made of depends on the size of its region", "export the model with a sampling_ratio of 1 or more");
        var (regions, pixels) = (x.Dims(1)[0], Pixels(x));
        ThrowIfAbove(x, regions, height * width * points * points);
        var node = x.Node.Clone().Set("mode", "avg").Set("output_height", height * points).Set("output_width", width * points).Set("sampling_ratio", 1L);
        var first = x.Op("ConstantOfShape", [x.Op("Shape", [x.In(2)])], ("value", Tensors.Of("", [0L], 1)));
        var weights = x.Reshape(x.Op("RoiAlign", [Units(x), x.In(1), first], Nodes.Attributes(node)), regions, 1, pixels, height, points, width, points);
        var isMember = x.Op("Greater", [weights, x.Scalar(0f)]);
        var bound = x.Op("Where", [x.Op("Greater", [Count(x, isMember), x.Scalar(3.5f)]), x.Scalar(float.MinValue), x.Scalar(0f)]);
        var candidates = x.Op("Where", [isMember, x.Mul(Channels(x, x.In(2), regions, 1, 1, 1, 1), weights), bound]);
        x.Output(0, x.Op("ReduceMax", [candidates, x.Ints(2, 4, 6)], ("keepdims", 0L)));
    }

    private static long Pixels(Expansion x) => x.Dims(0)[2] * x.Dims(0)[3];

    /// <summary>One image that has every pixel in a channel of its own.</summary>
    private static string Units(Expansion x) => x.Reshape(x.Op("EyeLike", [x.Op("ConstantOfShape", [x.Ints(Pixels(x), Pixels(x))])]), 1, Pixels(x), x.Dims(0)[2], x.Dims(0)[3]);

    /// <summary>The image of each region, [regions, channels, pixels, 1, …].</summary>
    private static string Channels(Expansion x, string images, long regions, params long[] behind) =>
        x.Reshape(x.Op("Gather", [x.In(0), images], ("axis", 0L)), [regions, x.Dims(0)[1], Pixels(x), .. behind]);

    /// <summary>How many pixels there are for each point.</summary>
    private static string Count(Expansion x, string isMember) => x.Op("ReduceSum", [x.Cast(isMember, DataType.Float), x.Ints(2)]);

    private static void ThrowIfAbove(Expansion x, long regions, long points)
    {
        var candidates = regions * x.Dims(0)[1] * Pixels(x) * points;
        if (candidates > LargestTable) throw new ExpansionException($"its {regions} regions have {candidates:N0} candidates for a maximum, more than {LargestTable:N0}", "explain fewer regions");
    }
}
