using MLNetLinearize.Reporting;
using SkiaSharp;

namespace MLNetLinearize.Cli.Data;

/// <summary>
/// A folder of PNG or JPEG files, one row each, in the order of their names; values 0 to 255. Files in folders of their own
/// are labelled with the folder's name. An image must have the network's size: scaling it would explain other pixels.
/// </summary>
internal sealed class ImageFolder : IRows
{
    private readonly string[] files;
    private readonly ImageShape shape;
    private int read;

    public ImageFolder(string folder, GraphInput input)
    {
        Name = folder;
        shape = ImageShape.Of(input.RowShape)
            ?? throw new InputException($"'{folder}' is a folder of images, but the network's input '{input.Name}' is no image: a row has the shape [{string.Join(", ", input.RowShape)}].");
        files = Images(folder);
        HasLabels = files.Length == 0;
        if (HasLabels) files = [.. Directory.GetDirectories(folder).Order(StringComparer.Ordinal).SelectMany(Images)];
        if (files.Length == 0) throw new InputException($"'{folder}' holds no PNG or JPEG files, and neither do its folders.");
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
        using var bitmap = Decode(file);
        if (bitmap.Width != shape.Width || bitmap.Height != shape.Height)
            throw new InputException($"'{file}' has {bitmap.Width} × {bitmap.Height} pixels; the network takes {shape.Width} × {shape.Height}. Resize the images first.");
        for (var y = 0; y < shape.Height; y++)
            for (var x = 0; x < shape.Width; x++)
            {
                var color = bitmap.GetPixel(x, y);
                if (shape.Channels == 1 && (color.Red != color.Green || color.Green != color.Blue))
                    throw new InputException($"'{file}' is in colour; the network takes one grey channel. Convert the images first.");
                for (var c = 0; c < shape.Channels; c++) row[shape.Index(y, x, c)] = c switch { 0 => color.Red, 1 => color.Green, _ => color.Blue };
            }
        return true;
    }

    public string Where(long row) => $"'{files[row]}'";

    public void Dispose() { }

    private static SKBitmap Decode(string file) =>
        SKBitmap.Decode(file) ?? throw new InputException($"'{file}' cannot be decoded as an image. It may be cut short.");

    /// <summary>Whether a file of that name would be one of the folder's rows. Both paths are full.</summary>
    public static bool Holds(string folder, string file, StringComparison comparison) =>
        IsImage(file) && Path.GetDirectoryName(file) is { } parent && (string.Equals(parent, folder, comparison) || string.Equals(Path.GetDirectoryName(parent), folder, comparison));

    private static bool IsImage(string file) => Path.GetExtension(file).ToLowerInvariant() is ".png" or ".jpg" or ".jpeg";

    private static string[] Images(string folder) => [.. Directory.GetFiles(folder).Where(IsImage).Order(StringComparer.Ordinal)];
}
