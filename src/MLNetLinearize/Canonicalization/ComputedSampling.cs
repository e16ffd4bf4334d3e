using MLNetLinearize.Onnx;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// Reading images, of two axes or three, at places that are computed from the row (spatial transformers, deformable
/// convolution): the pixels around each place, weighed by how near they are, so that the places are explained as well as the
/// image. Which pixels they are is held; it changes in steps.
/// </summary>
internal static class ComputedSampling
{
    /// <summary>Largest matrix [pixels, samples] that sampling at a stored grid is left to, in elements of a row.</summary>
    private const long LargestMatrix = 1 << 22;

    /// <summary>Jaderberg et al. 2015 (arXiv 1506.02025). A stored grid is left to the rule, which takes a matrix, unless that is too large.</summary>
    public static void GridSample(Expansion x)
    {
        if (x.Value(1) is { } grid && grid.Count() / grid.Dims[0] / grid.Dims[^1] * x.Dims(0).Skip(2).Aggregate(1L, (a, d) => a * d) <= LargestMatrix)
        {
            x.Nodes.Add(x.Node);
            return;
        }
        var aligned = x.Node.Int("align_corners", 0) != 0;
        long[] sizes = [.. x.Dims(0).Skip(2)];
        var rank = sizes.Length;
        // From −1 … 1 to pixels: the first coordinate is that of the last axis.
        string Pixels(int axis)
        {
            var (unit, size) = (x.Squeeze(x.Slice(x.In(1), rank - 1 - axis, rank - axis, rank + 1), rank + 1), sizes[axis]);
            return aligned ? x.Scaled(x.Add(unit, x.Scalar(1f)), (size - 1) / 2f) : x.Add(x.Scaled(unit, size / 2f), x.Scalar((size - 1) / 2f));
        }

        x.Output(0, Sampled(x, x.In(0), [.. sizes.Select((_, i) => Pixels(i))], sizes, x.Node.Text("mode", "linear") is "cubic" or "bicubic", x.Node.Text("padding_mode", "zeros"), aligned));
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

        var read = Sampled(x, x.Reshape(x.In(0), -1, image[1] / parts, image[2], image[3]), [Place(0), Place(1)], [image[2], image[3]]);
        if (x.InOrNull(4) is { } mask) read = x.Mul(read, x.Reshape(mask, -1, 1, taps * high, wide));
        List<string> operands = [x.Reshape(read, -1, image[1], taps, high * wide), x.Reshape(x.In(1), kernel[0], kernel[1], taps, 1)];
        if (x.InOrNull(3) is { } bias) operands.Add(bias);
        x.Output(0, x.Reshape(x.Op("Conv", [.. operands], ("group", groups)), -1, kernel[0], high, wide));
    }

    /// <summary>An image [N, C, …] between pixels, at places [N, …] along each of its axes.</summary>
    private static string Sampled(Expansion x, string image, string[] places, long[] sizes, bool cubic = false, string padding = "zeros", bool aligned = false)
    {
        var rank = sizes.Length;
        var parts = places.Select(p => Whole(x, p)).ToArray();
        var (first, count) = cubic ? (-1, 4) : (0, 2);
        var weights = parts.Select(p => cubic ? Cubic(x, p.Fraction) : [x.Sub(x.Scalar(1f), p.Fraction), p.Fraction]).ToArray();
        // Only reflection looks at where the corners are.
        aligned &= padding == "reflection";
        string? sum = null;
        for (var corner = 0; corner < (int)Math.Pow(count, rank); corner++)
        {
            int[] at = [.. Enumerable.Range(0, rank).Select(axis => corner / (int)Math.Pow(count, rank - 1 - axis) % count)];
            // Back from pixels to −1 … 1, as GridSample wants it.
            string Unit(int axis)
            {
                var (offset, size) = (at[axis] + first, sizes[axis]);
                var (scale, shift) = aligned ? (2f / (size - 1), 2f * offset / (size - 1) - 1) : (2f / size, (2 * offset + 1f) / size - 1);
                return x.Unsqueeze(x.Add(x.Scaled(parts[axis].Whole, scale), x.Scalar(shift)), rank + 1);
            }

            var grid = x.Concat([.. Enumerable.Range(0, rank).Reverse().Select(Unit)], rank + 1);
            var pixel = x.Op("GridSample", [image, grid], ("mode", "nearest"), ("padding_mode", padding), ("align_corners", aligned ? 1L : 0L));
            var weight = Enumerable.Range(0, rank).Select(axis => weights[axis][at[axis]]).Aggregate(x.Mul);
            var weighed = x.Mul(pixel, x.Unsqueeze(weight, 1));
            sum = sum is null ? weighed : x.Add(sum, weighed);
        }
        return sum!;
    }

    private static (string Whole, string Fraction) Whole(Expansion x, string place)
    {
        var whole = x.Op("Floor", [place]);
        return (whole, x.Sub(place, whole));
    }

    /// <summary>Cubic convolution over four pixels (Keys 1981) with a = −0.75, by Horner's rule in the distance from the second.</summary>
    private static string[] Cubic(Expansion x, string t)
    {
        const float A = -0.75f;
        string Polynomial(params ReadOnlySpan<float> coefficients)
        {
            var y = x.Scaled(t, coefficients[0]);
            foreach (var c in coefficients[1..^1]) y = x.Mul(x.Add(y, x.Scalar(c)), t);
            return coefficients[^1] == 0 ? y : x.Add(y, x.Scalar(coefficients[^1]));
        }

        return [Polynomial(A, -2 * A, A, 0), Polynomial(A + 2, -(A + 3), 0, 1), Polynomial(-(A + 2), 2 * A + 3, -A, 0), Polynomial(-A, A, 0, 0)];
    }
}
