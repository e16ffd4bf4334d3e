using MLNetLinearize.Onnx;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// Reading images at places that are computed from the row (spatial transformers, deformable convolution): the four pixels
/// around each place, weighed by how near they are, so that the places are explained as well as the image. Which four
/// they are is held; it changes in steps.
/// </summary>
internal static class ComputedSampling
{
    /// <summary>Jaderberg et al. 2015 (arXiv 1506.02025).</summary>
    public static void GridSample(Expansion x)
    {
        if (x.Rank(0) != 4 || x.Node.Text("mode", "linear") is not ("linear" or "bilinear") || x.Node.Text("padding_mode", "zeros") == "reflection")
            throw new ExpansionException("its grid is computed from the row, which has a rule only for images, read linearly, with zeros or the border around them", "export the model with mode 'linear' and padding 'zeros' or 'border'");
        var aligned = x.Node.Int("align_corners", 0) != 0;
        // From −1 … 1 to pixels: x is the first coordinate.
        string Pixels(long coordinate, long size)
        {
            var unit = x.Squeeze(x.Slice(x.In(1), coordinate, coordinate + 1, 3), 3);
            return aligned ? x.Scaled(x.Add(unit, x.Scalar(1f)), (size - 1) / 2f) : x.Add(x.Scaled(unit, size / 2f), x.Scalar((size - 1) / 2f));
        }

        var (height, width) = (x.Dims(0)[2], x.Dims(0)[3]);
        var (column, row) = (Pixels(0, width), Pixels(1, height));
        if (x.Node.Text("padding_mode", "zeros") == "border") (column, row) = (Inside(x, column, width), Inside(x, row, height));
        x.Output(0, Sampled(x, x.In(0), column, row, width, height));
    }

    /// <summary>A convolution whose taps are moved by an offset, and weighed by a mask (Zhu et al. 2018, arXiv 1811.11168).</summary>
    public static void DeformConv(Expansion x)
    {
        if (x.Rank(0) != 4) throw new ExpansionException($"it convolves {x.Rank(0) - 2} axes, and only images have a rule", "export the model with Conv");
        var (image, kernel, offset) = (x.Dims(0), x.Dims(1), x.Dims(2));
        var (groups, parts) = (x.Node.Int("group", 1), x.Node.Int("offset_group", 1));
        var (strides, dilations, pads) = (x.Node.Ints("strides") ?? [1, 1], x.Node.Ints("dilations") ?? [1, 1], x.Node.Ints("pads") ?? [0, 0, 0, 0]);
        var (taps, high, wide) = (kernel[2] * kernel[3], offset[2], offset[3]);
        // Each group of channels with offsets of its own counts as an image: [N·parts, taps, 2, high, wide].
        var offsets = x.Reshape(x.In(2), -1, taps, 2, high, wide);
        string Place(int axis)
        {
            var start = new float[taps * high * wide];
            for (var i = 0; i < start.Length; i++)
            {
                var (tap, at) = (i / (high * wide), axis == 0 ? i / wide % high : i % wide);
                start[i] = at * strides[axis] - pads[axis] + (axis == 0 ? tap / kernel[3] : tap % kernel[3]) * dilations[axis];
            }
            var moved = x.Add(x.Squeeze(x.Slice(offsets, axis, axis + 1, 2), 2), x.Floats(start, taps, high, wide));
            return x.Reshape(moved, -1, taps * high, wide);
        }

        var read = Sampled(x, x.Reshape(x.In(0), -1, image[1] / parts, image[2], image[3]), Place(1), Place(0), image[3], image[2]);
        if (x.InOrNull(4) is { } mask) read = x.Mul(read, x.Reshape(mask, -1, 1, taps * high, wide));
        List<string> operands = [x.Reshape(read, -1, image[1], taps, high * wide), x.Reshape(x.In(1), kernel[0], kernel[1], taps, 1)];
        if (x.InOrNull(3) is { } bias) operands.Add(bias);
        x.Output(0, x.Reshape(x.Op("Conv", [.. operands], ("group", groups)), -1, kernel[0], high, wide));
    }

    /// <summary>An image [N, C, height, width] between pixels, at places [N, h, w]; beyond the image lie zeros.</summary>
    private static string Sampled(Expansion x, string image, string column, string row, long width, long height)
    {
        var ((left, onRight), (top, onBottom)) = (Whole(x, column), Whole(x, row));
        string Weight(int side, string rest) => side == 1 ? rest : x.Sub(x.Scalar(1f), rest);
        string? sum = null;
        foreach (var (i, j) in new[] { (0, 0), (0, 1), (1, 0), (1, 1) })
        {
            // Back from pixels to −1 … 1, as GridSample wants it without aligned corners.
            string Unit(string whole, int side, long size) => x.Unsqueeze(x.Add(x.Scaled(whole, 2f / size), x.Scalar((2 * side + 1f) / size - 1)), 3);
            var grid = x.Concat([Unit(left, j, width), Unit(top, i, height)], 3);
            var corner = x.Op("GridSample", [image, grid], ("mode", "nearest"), ("padding_mode", "zeros"));
            var weighed = x.Mul(corner, x.Unsqueeze(x.Mul(Weight(i, onBottom), Weight(j, onRight)), 1));
            sum = sum is null ? weighed : x.Add(sum, weighed);
        }
        return sum!;
    }

    private static (string, string) Whole(Expansion x, string place)
    {
        var whole = x.Op("Floor", [place]);
        return (whole, x.Sub(place, whole));
    }

    private static string Inside(Expansion x, string place, long size) => x.Op("Clip", [place, x.Scalar(0f), x.Scalar((float)(size - 1))]);
}
