namespace MLNetLinearize.Reporting;

/// <summary>How a row's elements form an image.</summary>
/// <param name="Height">Pixels from top to bottom.</param>
/// <param name="Width">Pixels from left to right.</param>
/// <param name="Channels">1 (grey) or 3 (red, green, blue).</param>
/// <param name="ChannelsLast">Whether a pixel's channels lie side by side ([H, W, C]) rather than plane by plane ([C, H, W]).</param>
internal sealed record ImageShape(int Height, int Width, int Channels = 1, bool ChannelsLast = false)
{
    public int Length => Height * Width * Channels;

    /// <summary>The image that a row shape is: [H, W], [C, H, W] or [H, W, C] with 1 or 3 channels; null for any other.</summary>
    public static ImageShape? Of(IReadOnlyList<int> rowShape) => rowShape switch
    {
        [> 1 and var h, > 1 and var w] => new(h, w),
        [1 or 3, > 1 and var h, > 1 and var w] => new(h, w, rowShape[0]),
        [> 1 and var h, > 1 and var w, 1 or 3] => new(h, w, rowShape[2], ChannelsLast: true),
        _ => null,
    };

    /// <summary>Index of a pixel's channel in the row.</summary>
    public int Index(int y, int x, int channel) => ChannelsLast ? (y * Width + x) * Channels + channel : (channel * Height + y) * Width + x;

    /// <summary>One value per pixel: the sum over its channels. Contributions add up, so a pixel's is its channels' sum.</summary>
    public float[] SumChannels(ReadOnlySpan<float> row)
    {
        if (Channels == 1) return row.ToArray();
        var sums = new float[Height * Width];
        for (var y = 0; y < Height; y++)
            for (var x = 0; x < Width; x++)
                for (var c = 0; c < Channels; c++) sums[y * Width + x] += row[Index(y, x, c)];
        return sums;
    }

    public override string ToString() => Channels == 1 ? $"{Height}x{Width}" : ChannelsLast ? $"{Height}x{Width}x{Channels}" : $"{Channels}x{Height}x{Width}";
}
