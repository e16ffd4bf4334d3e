using System.Buffers.Binary;
using SkiaSharp;

namespace MLNetLinearize.Tests.Cli;

/// <summary>Images that are not what they say.</summary>
internal static class DamagedImages
{
    /// <summary>An image of many colours, [height, width].</summary>
    public static byte[] Sound(int height, int width, SKEncodedImageFormat format = SKEncodedImageFormat.Png)
    {
        using var bitmap = new SKBitmap(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++) bitmap.SetPixel(x, y, new((byte)(20 * x), (byte)(25 * y), (byte)(7 * x * y)));
        using var data = bitmap.Encode(format, 90);
        return data.ToArray();
    }

    /// <summary>The first two thirds of the file of an image.</summary>
    public static byte[] CutShort(SKEncodedImageFormat format = SKEncodedImageFormat.Png) => Sound(28, 28, format) is var whole ? whole[..(whole.Length * 2 / 3)] : [];

    /// <summary>A PNG whose header tells another size than its few pixels have.</summary>
    public static byte[] OfSize(int height, int width)
    {
        const int Name = 12, Width = 16, Height = 20, Check = 29;
        var image = Sound(2, 2);
        BinaryPrimitives.WriteInt32BigEndian(image.AsSpan(Width), width);
        BinaryPrimitives.WriteInt32BigEndian(image.AsSpan(Height), height);
        BinaryPrimitives.WriteUInt32BigEndian(image.AsSpan(Check), Crc(image.AsSpan(Name, Check - Name)));
        return image;
    }

    /// <summary>The check sum of a chunk (PNG specification, "Cyclic Redundancy Code algorithm").</summary>
    private static uint Crc(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var b in bytes)
        {
            crc ^= b;
            for (var bit = 0; bit < 8; bit++) crc = (crc & 1) == 0 ? crc >> 1 : crc >> 1 ^ 0xEDB88320;
        }
        return ~crc;
    }
}
