using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Rules;

/// <summary>
/// Pooling of regions of images (He et al. 2017, arXiv 1703.06870). The regions, and which image each lies in, are
/// parameters of the row. An average is linear in the image, along rows and columns apart: its two matrices are what the
/// operator itself makes of images of one row, and of one column.
/// </summary>
internal static class Regions
{
    public static void Align(Vjp v)
    {
        var (e, from, to) = (v.E, v.InShape(0), v.OutShape());
        if (from.HasBatch) throw new RuleException("its regions are counted over all rows", "explain one row at a time");
        var (count, channels, high, wide, images) = (to.Dims[0], to.Dims[1], to.Dims[2], to.Dims[3], from.Dims[0]);
        var (rows, columns) = (Pooled(v, Lines(e, from, 2)), Pooled(v, Lines(e, from, 3)));
        // A cell's weight of a pixel is a product of two, each here times the largest sum of the other; all are positive.
        var sums = e.Op("ReduceMax", [Pooled(v, Lines(e, from, null)), e.Ints(1, 2, 3)], ("keepdims", 1L));
        var scale = e.Op("Where", [e.Op("Greater", [sums, e.Scalar(0)]), e.Op("Reciprocal", [sums]), e.Scalar(0)]);
        rows = e.Op("ReduceMax", [e.Mul(rows, scale), e.Ints(3)], ("keepdims", 0L));
        columns = e.Op("ReduceMax", [columns, e.Ints(2)], ("keepdims", 0L));
        // Columns first, region by region: [regions, channels·high, width].
        var g = e.MatMul(e.Reshape(v.G, v.Prefixed([count, channels * high, wide])), e.Transpose(columns, 0, 2, 1));
        // Then rows, and with them the regions of each image are added up: [images, height, regions·high] by [regions·high, channels·width].
        var isIn = e.Reshape(e.Op("OneHot", [v.In(2), e.Ints(images), e.Floats([0, 1], 2)], ("axis", 0L)), images, 1, count, 1);
        var all = e.Reshape(e.Mul(isIn, e.Reshape(e.Transpose(rows, 1, 0, 2), 1, from.Dims[2], count, high)), images, from.Dims[2], count * high);
        g = e.Transpose(e.Reshape(g, v.Prefixed([count, channels, high, from.Dims[3]])), Swapped(v));
        g = e.MatMul(all, e.Reshape(g, v.Prefixed([1, count * high, channels * from.Dims[3]])));
        v.Give(0, v.ReshapeTo(e.Transpose(e.Reshape(g, v.Prefixed([images, from.Dims[2], channels, from.Dims[3]])), Swapped(v)), from));
    }

    /// <summary>What the node makes, for each region, of one image.</summary>
    private static string Pooled(Vjp v, string image) =>
        v.E.Op("RoiAlign", [image, v.In(1), v.E.Op("ConstantOfShape", [v.E.Shape(v.In(2))], ("value", Tensors.Of("", [0L], 1)))], Nodes.Attributes(v.Node));

    /// <summary>One image that has every line across an axis in a channel of its own, [1, lines, height, width]; all of them in one channel without an axis.</summary>
    private static string Lines(Emitter e, TensorShape image, int? axis)
    {
        var (high, wide) = (image.Dims[2], image.Dims[3]);
        var lines = axis is { } across ? image.Dims[across] : 1;
        var units = axis is null ? e.Scalar(1) : e.Reshape(e.Eye(lines, lines), axis == 2 ? [1, lines, lines, 1] : [1, lines, 1, lines]);
        return e.Op("Expand", [units, e.Ints(1, lines, high, wide)]);
    }

    /// <summary>The two axes in the middle of four change places, behind those of the targets.</summary>
    private static long[] Swapped(Vjp v) => [.. Enumerable.Range(0, v.P).Select(i => (long)i), .. new[] { 0L, 2, 1, 3 }.Select(i => i + v.P)];
}
