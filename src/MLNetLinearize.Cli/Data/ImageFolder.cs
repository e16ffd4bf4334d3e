using System.Runtime.InteropServices;
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
            ?? throw new InputException($"'{folder}' is a folder of images, but the network's input '{input.Name}' is no image: "
                + $"a row has the shape [{string.Join(", ", input.RowShape)}].");
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

    /// <summary>
    /// The image as planes of red, green and blue, resized and cut to what the network takes. Whether its size fits, its header
    /// tells before it is decoded.
    /// </summary>
    private (byte[] Planes, int Height, int Width) Prepared(string file)
    {
        using var image = Open(file);
        var (height, width) = Resized(file, image.Height, image.Width);
        var (rows, columns) = preprocessing.Crop ?? (height, width);
        if (rows > height || columns > width)
            throw new InputException($"'{file}' has {width} × {height} pixels, of which {columns} × {rows} cannot be cut out. Resize the images to more.");
        if (columns != shape.Width || rows != shape.Height)
            throw new InputException($"'{file}' has {columns} × {rows} pixels; the network takes {shape.Width} × {shape.Height}. "
                + $"Resize the images first, or with --resize {shape.Height}x{shape.Width}.");
        var planes = Decode(image);
        if (resizer is not null) planes = resizer.Resize(planes, image.Height, image.Width, height, width);
        return (preprocessing.Crop is null ? planes : Cut(planes, height, width, rows, columns), rows, columns);
    }

    /// <summary>The size that an image is given.</summary>
    private (int Height, int Width) Resized(string file, int height, int width)
    {
        if (preprocessing.Size is not { } size) return (height, width);
        var (h, w) = size.ShortestEdge is not { } edge ? ((long)size.Height!.Value, (long)size.Width!.Value)
            : height < width ? ((long)edge, (long)edge * width / height) : ((long)edge * height / width, (long)edge);
        return h * (double)w <= ImageFile.MostPixels ? ((int)h, (int)w)
            : throw new InputException($"'{file}' has {width} × {height} pixels and would be resized to {w} × {h}, "
                + $"more than the {ImageFile.MostPixels:N0} that an image may have. Resize to less, or take it out of the folder.");
    }

    private static ImageFile Open(string file) => Guard(() => ImageFile.Open(file));

    private static byte[] Decode(ImageFile image)
    {
        using var bitmap = Guard(image.Decode);
        var pixels = MemoryMarshal.Cast<byte, uint>(bitmap.GetPixelSpan());
        var plane = pixels.Length;
        var planes = new byte[3 * plane];
        for (var i = 0; i < plane; i++)
        {
            // The colours of what is partly transparent are stored scaled, which Skia undoes.
            var color = (SKColor)pixels[i] is { Alpha: byte.MaxValue } opaque ? opaque : bitmap.GetPixel(i % image.Width, i / image.Width);
            (planes[i], planes[plane + i], planes[2 * plane + i]) = (color.Red, color.Green, color.Blue);
        }
        return planes;
    }

    private static T Guard<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (InvalidDataException e)
        {
            throw new InputException(e.Message);
        }
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
