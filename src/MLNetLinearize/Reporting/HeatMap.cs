using SkiaSharp;

namespace MLNetLinearize.Reporting;

/// <summary>Attributions of an image's pixels as colours: red speaks for the explained output, blue against it.</summary>
internal static class HeatMap
{
    /// <summary>Share of pixels that a map's scale covers; the strongest few are drawn in the end colour.</summary>
    public const double Coverage = 0.995;

    /// <summary>
    /// The |contribution| that is drawn in full colour: the 99.5th percentile of the pixels that contribute at all. One
    /// outlying pixel then does not fade all the others, and an empty background does not make noise look strong.
    /// </summary>
    public static float Scale(ReadOnlySpan<float> pixels)
    {
        var sizes = new List<float>(pixels.Length);
        foreach (var value in pixels)
            if (Math.Abs(value) is > 0 and var size) sizes.Add(size);
        if (sizes.Count == 0) return 1;
        sizes.Sort();
        return sizes[(int)Math.Ceiling(Coverage * sizes.Count) - 1];
    }

    /// <summary>One bitmap pixel per image pixel. <paramref name="pixels"/> holds one value each (<see cref="ImageShape.SumChannels"/>).</summary>
    public static SKBitmap Draw(ReadOnlySpan<float> pixels, ImageShape shape, float scale)
    {
        var bitmap = Blank(shape);
        for (var y = 0; y < shape.Height; y++)
            for (var x = 0; x < shape.Width; x++) bitmap.SetPixel(x, y, DivergingColors.Of(pixels[y * shape.Width + x] / scale));
        return bitmap;
    }

    /// <summary>The image itself. Its own smallest and largest value become black and white, so that any normalisation of the input shows well.</summary>
    public static SKBitmap Photograph(ReadOnlySpan<float> row, ImageShape shape)
    {
        var (low, high) = Range(row);
        var bitmap = Blank(shape);
        for (var y = 0; y < shape.Height; y++)
            for (var x = 0; x < shape.Width; x++)
            {
                var color = new byte[3];
                for (var c = 0; c < 3; c++) color[c] = Shade(row[shape.Index(y, x, Math.Min(c, shape.Channels - 1))], low, high);
                bitmap.SetPixel(x, y, new SKColor(color[0], color[1], color[2]));
            }
        return bitmap;
    }

    /// <summary>Smallest and largest value of an image; NaN is neither.</summary>
    public static (float Low, float High) Range(ReadOnlySpan<float> row)
    {
        var (low, high) = (float.PositiveInfinity, float.NegativeInfinity);
        foreach (var value in row)
            if (!float.IsNaN(value)) (low, high) = (Math.Min(low, value), Math.Max(high, value));
        return low <= high ? (low, high) : (0, 0);
    }

    /// <summary>A value as a shade from black, the lowest, to white, the highest.</summary>
    public static byte Shade(float value, float low, float high) => high > low ? (byte)Math.Clamp(Math.Round(255 * (value - low) / (high - low)), 0, 255) : (byte)0;

    private static SKBitmap Blank(ImageShape shape) => new(shape.Width, shape.Height, SKColorType.Rgba8888, SKAlphaType.Opaque);
}
