using System.Globalization;
using MLNetLinearize.Reporting;
using SkiaSharp;

namespace MLNetLinearize.Cli.Output;

/// <summary>
/// One PNG for each row and target, named by the row, and by the explained output where there are several: the map of its
/// contributions, each scaled by its own strongest (<see cref="HeatMap.Scale"/>), or that map laid over the image.
/// Small images are enlarged by a whole number, pixel by pixel.
/// </summary>
internal sealed class PictureFolder(OutputFolder folder, ExplanationColumns columns, ImageShape shape, bool overlay) : IColumnOutput
{
    private const int LeastSide = 224;
    private readonly int zoom = Math.Max(1, LeastSide / Math.Min(shape.Height, shape.Width));
    private long pictures;

    public string Path => folder.Path;

    public string Contents => $"{Words.Number(pictures, "picture")}";

    public void Add(ExplainedBlock block)
    {
        for (var i = 0; i < block.Count; i++)
        {
            for (var k = 0; k < columns.Targets.Count; k++, pictures++)
            {
                var pixels = shape.SumChannels(block.Attribution(i, k));
                using var map = overlay ? Overlay(pixels, block.Input(i)) : HeatMap.Draw(pixels, shape, HeatMap.Scale(pixels));
                using var large = map.Resize(new SKImageInfo(shape.Width * zoom, shape.Height * zoom), SKFilterQuality.None);
                var number = block.RowNumber(i).ToString("D6", CultureInfo.InvariantCulture);
                Save(large, columns.Targets.Count == 1 ? $"{number}.png" : string.Create(CultureInfo.InvariantCulture, $"{number}-{block.Target(i, k)}.png"));
            }
        }
    }

    public void Finish() { }

    public void Publish() => folder.Complete();

    public void Dispose() => folder.Dispose();

    /// <summary>The image in grey where little was contributed, the map's colour where much was.</summary>
    private SKBitmap Overlay(float[] pixels, ReadOnlySpan<float> row)
    {
        var (image, scale) = (HeatMap.Photograph(row, shape), HeatMap.Scale(pixels));
        for (var y = 0; y < shape.Height; y++)
            for (var x = 0; x < shape.Width; x++)
            {
                var value = pixels[y * shape.Width + x] / scale;
                // Rec. 601 luma of the photograph.
                var photo = image.GetPixel(x, y);
                var grey = 0.299f * photo.Red + 0.587f * photo.Green + 0.114f * photo.Blue;
                var (color, share) = (DivergingColors.Of(value), Math.Min(1, Math.Abs(value)));
                image.SetPixel(x, y, new SKColor(Mix(grey, color.Red), Mix(grey, color.Green), Mix(grey, color.Blue)));

                byte Mix(float from, byte to) => (byte)Math.Round(from + (to - from) * share);
            }
        return image;
    }

    private void Save(SKBitmap picture, string name) => folder.Try(() =>
    {
        using var stream = File.Create(folder.File(name));
        picture.Encode(stream, SKEncodedImageFormat.Png, 100);
    });
}
