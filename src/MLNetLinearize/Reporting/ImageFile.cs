using SkiaSharp;

namespace MLNetLinearize.Reporting;

/// <summary>
/// An image file, decoded whole or not at all. Of a file that was cut short Skia's bitmaps hold what is there, the rest black,
/// which would be explained as if it had been photographed; and an image of a few kilobytes may ask for gigabytes of pixels.
/// </summary>
internal sealed class ImageFile : IDisposable
{
    /// <summary>Most pixels that are decoded: more than a camera's sensor has, and 400 MB of memory.</summary>
    public const long MostPixels = 100_000_000;

    private readonly string file;
    private readonly SKCodec codec;

    private ImageFile(string file, SKCodec codec) => (this.file, this.codec) = (file, codec);

    public int Height => codec.Info.Height;

    public int Width => codec.Info.Width;

    /// <summary>Reads a file's header, which tells the image's size.</summary>
    /// <exception cref="InvalidDataException">It is no image, or one of more than <see cref="MostPixels"/> pixels. The message names the file.</exception>
    public static ImageFile Open(string file)
    {
        var codec = SKCodec.Create(file, out var result) ?? throw new InvalidDataException(result == SKCodecResult.IncompleteInput
            ? CutShort(file)
            : $"'{file}' cannot be read as an image: it is damaged, or of another format than its name says. Mend it, or take it out of the folder.");
        var image = new ImageFile(file, codec);
        if ((long)image.Width * image.Height <= MostPixels) return image;
        var (width, height) = (image.Width, image.Height);
        image.Dispose();
        throw new InvalidDataException($"'{file}' has {width:N0} × {height:N0} pixels, more than the {MostPixels:N0} that an image may have. "
            + "Make it smaller, or take it out of the folder.");
    }

    /// <summary>All pixels, as whole numbers of alpha, red, green and blue from the highest byte on.</summary>
    /// <exception cref="InvalidDataException">The file ends before its last pixel, or its pixels are damaged. The message names the file.</exception>
    public SKBitmap Decode()
    {
        var info = codec.Info.WithColorType(SKColorType.Bgra8888);
        var bitmap = new SKBitmap(info.AlphaType == SKAlphaType.Unpremul ? info.WithAlphaType(SKAlphaType.Premul) : info);
        var result = codec.GetPixels(bitmap.Info, bitmap.GetPixels());
        if (result == SKCodecResult.Success) return bitmap;
        bitmap.Dispose();
        throw new InvalidDataException(result == SKCodecResult.IncompleteInput
            ? CutShort(file)
            : $"'{file}' cannot be decoded as an image: its pixels are damaged ({result}). Copy or download it again, or take it out of the folder.");
    }

    public void Dispose() => codec.Dispose();

    private static string CutShort(string file) => $"'{file}' ends before its last pixel: it is cut short or damaged. "
        + "Copy or download it again, or take it out of the folder.";
}
