using System.Globalization;

namespace MLNetLinearize.Preprocessing;

/// <summary>Which pixel of an image, and which of its channels, a slot holds.</summary>
/// <param name="Channels">A letter for each channel, in order, such as <c>RGB</c>.</param>
/// <param name="Height">Rows of the image.</param>
/// <param name="Width">Columns of the image.</param>
/// <param name="Interleaved">Whether the channels of a pixel stand together; else each channel is a whole image.</param>
internal sealed record PixelLayout(string Channels, int Height, int Width, bool Interleaved)
{
    public (int Channel, int Row, int Column) Of(int slot)
    {
        var (channel, pixel) = Interleaved ? (slot % Channels.Length, slot / Channels.Length) : Math.DivRem(slot, Height * Width);
        return (channel, pixel / Width, pixel % Width);
    }

    /// <summary>Channel, row and column from 0: <c>R[12,7]</c>.</summary>
    public string Name(int slot)
    {
        var (channel, row, column) = Of(slot);
        return string.Create(CultureInfo.InvariantCulture, $"{Channels[channel]}[{row},{column}]");
    }
}

/// <summary>What is known of an input of the graph that is a raw column.</summary>
/// <param name="IsOverwritten">Whether the preprocessing hides the column behind another of its name.</param>
/// <param name="Pixels">The layout of its slots, where they are pixels.</param>
internal sealed record RawSource(bool IsOverwritten, PixelLayout? Pixels);
