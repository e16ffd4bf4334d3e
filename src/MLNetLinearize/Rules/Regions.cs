using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Rules;

/// <summary>
/// Pooling of regions of images (He et al. 2017, arXiv 1703.06870). The regions, and which image each lies in, are
/// parameters of the row. An average is linear in the image: its matrix is what the operator itself makes of unit images,
/// for each region [pixels, cells].
/// </summary>
internal static class Regions
{
    /// <summary>Largest number of weights, in all regions together.</summary>
    private const long LargestMatrix = 1 << 24;

    public static void Align(Vjp v)
    {
        var (e, from, to) = (v.E, v.InShape(0), v.OutShape());
        if (from.HasBatch) throw new RuleException("its regions are counted over all rows", "explain one row at a time");
        var (count, channels, pixels, cells) = (to.Dims[0], to.Dims[1], from.Dims[2] * from.Dims[3], to.Dims[2] * to.Dims[3]);
        if (count * pixels * cells > LargestMatrix) throw new RuleException($"its {count} regions of {cells} cells by {pixels} pixels are more than {LargestMatrix} weights", "explain fewer regions");
        var matrix = e.Reshape(e.Op("RoiAlign", [Units(e, from), v.In(1), e.Op("ConstantOfShape", [e.Shape(v.In(2))], ("value", Tensors.Of("", [0L], 1)))], [.. v.Node.Attribute.Select(a => (a.Name, Nodes.Value(a)))]), count, pixels, cells);
        // [regions, channels, pixels], then added up over the regions of each image.
        var g = e.MatMul(e.Reshape(v.G, v.Prefixed([count, channels, cells])), e.Transpose(matrix, 0, 2, 1));
        var images = e.Op("OneHot", [v.In(2), e.Ints(from.Dims[0]), e.Floats([0, 1], 2)], ("axis", 0L));
        v.Give(0, v.ReshapeTo(e.MatMul(images, e.Reshape(g, v.Prefixed([count, channels * pixels]))), from));
    }

    /// <summary>One image that has every pixel in a channel of its own: [1, pixels, height, width].</summary>
    private static string Units(Emitter e, TensorShape image) => e.Reshape(e.Eye(image.Dims[2] * image.Dims[3], image.Dims[2] * image.Dims[3]), 1, image.Dims[2] * image.Dims[3], image.Dims[2], image.Dims[3]);
}
