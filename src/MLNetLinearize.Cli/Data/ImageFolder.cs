using MLNetLinearize.Reporting;
using SkiaSharp;

namespace MLNetLinearize.Cli.Data;

/// <summary>
/// A folder of PNG or JPEG files, one row each, in the order of their names; values 0 to 255. Files in folders of their own
/// are labelled with the folder's name. An image must have the network's size, unless its resizing is asked for: the pixels
/// explained are those that the network sees.
/// </summary>
internal sealed class ImageFolder : IRows
{
    private readonly string[] files;
    private readonly ImageShape shape;
    private readonly InputPreprocessing preprocessing;
    private readonly ImageResizer? resizer;
    private int read;

    public ImageFolder(string folder, GraphInput input, InputPreprocessing preprocessing)
    {
        (Name, this.preprocessing) = (folder, preprocessing);
        shape = preprocessing.ShapeOf(input)
            ?? throw new InputException($"'{folder}' is a folder of images, but the network's input '{input.Name}' is no image: a row has the shape [{string.Join(", ", input.RowShape)}].");
        files = Images(folder);
        HasLabels = files.Length == 0;
        if (HasLabels) files = [.. Directory.GetDirectories(folder).Order(StringComparer.Ordinal).SelectMany(Images)];
        if (files.Length == 0) throw new InputException($"'{folder}' holds no PNG or JPEG files, and neither do its folders.");
        resizer = preprocessing.Size is { } size ? new(size.Method) : null;
    }

    public string Name { get; }

    public long? Count => files.Length;

    public double Progress => (double)read / files.Length;

    public IReadOnlyList<string>? FeatureNames => null;

    public bool HasLabels { get; }

    public bool Read(Span<double> row, out string? label)
    {
        label = null;
        if (read == files.Length) return false;
        var file = files[read++];
        if (HasLabels) label = Path.GetFileName(Path.GetDirectoryName(file));
        var (planes, height, width) = Prepared(file);
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++)
            {
                var (pixel, plane) = (y * width + x, height * width);
                if (shape.Channels == 1 && (planes[pixel] != planes[plane + pixel] || planes[pixel] != planes[2 * plane + pixel]))
                    throw new InputException($"'{file}' is in colour; the network takes one grey channel. Convert the images first.");
                for (var c = 0; c < shape.Channels; c++) row[shape.Index(y, x, c)] = planes[c * plane + pixel];
            }
        return true;
    }

    public long Skip(long rows)
    {
        var skipped = Math.Min(rows, files.Length - read);
        read += (int)skipped;
        return skipped;
    }

    public string Where(long row) => $"'{files[row]}'";

    public void Dispose() => resizer?.Dispose();

    /// <summary>The image as planes of red, green and blue, resized and cut to what the network takes.</summary>
    private (byte[] Planes, int Height, int Width) Prepared(string file)
    {
        var (planes, height, width) = Decode(file);
        if (preprocessing.Size is { } size)
        {
            var (h, w) = (size.Height ?? 0, size.Width ?? 0);
            if (size.ShortestEdge is { } edge) (h, w) = height < width ? (edge, (int)((long)edge * width / height)) : ((int)((long)edge * height / width), edge);
            (planes, height, width) = (resizer!.Resize(planes, height, width, h, w), h, w);
        }
        if (preprocessing.Crop is { } crop)
        {
            if (crop.Height > height || crop.Width > width) throw new InputException($"'{file}' has {width} × {height} pixels, of which {crop.Width} × {crop.Height} cannot be cut out. Resize the images to more.");
            (planes, height, width) = (Cut(planes, height, width, crop.Height, crop.Width), crop.Height, crop.Width);
        }
        return width == shape.Width && height == shape.Height ? (planes, height, width)
            : throw new InputException($"'{file}' has {width} × {height} pixels; the network takes {shape.Width} × {shape.Height}. Resize the images first, or with --resize {shape.Height}x{shape.Width}.");
    }

    private static (byte[] Planes, int Height, int Width) Decode(string file)
    {
        using var bitmap = SKBitmap.Decode(file) ?? throw new InputException($"'{file}' cannot be decoded as an image. It may be cut short.");
        var (pixels, plane) = (bitmap.Pixels, bitmap.Width * bitmap.Height);
        var planes = new byte[3 * plane];
        for (var i = 0; i < plane; i++) (planes[i], planes[plane + i], planes[2 * plane + i]) = (pixels[i].Red, pixels[i].Green, pixels[i].Blue);
        return (planes, bitmap.Height, bitmap.Width);
    }

    private static byte[] Cut(byte[] planes, int height, int width, int newHeight, int newWidth)
    {
        var (top, left, cut) = ((height - newHeight) / 2, (width - newWidth) / 2, new byte[3 * newHeight * newWidth]);
        for (var c = 0; c < 3; c++)
            for (var y = 0; y < newHeight; y++) Array.Copy(planes, (c * height + top + y) * width + left, cut, (c * newHeight + y) * newWidth, newWidth);
        return cut;
    }

    /// <summary>Whether a file of that name would be one of the folder's rows. Both paths are full.</summary>
    public static bool Holds(string folder, string file, StringComparison comparison) =>
        IsImage(file) && Path.GetDirectoryName(file) is { } parent && (string.Equals(parent, folder, comparison) || string.Equals(Path.GetDirectoryName(parent), folder, comparison));

    private static bool IsImage(string file) => Path.GetExtension(file).ToLowerInvariant() is ".png" or ".jpg" or ".jpeg";

    private static string[] Images(string folder) => [.. Directory.GetFiles(folder).Where(IsImage).Order(StringComparer.Ordinal)];
}
