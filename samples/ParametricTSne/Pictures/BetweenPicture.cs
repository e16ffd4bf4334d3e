using MLNetLinearize.Reporting;
using SkiaSharp;

namespace ParametricTSne.Pictures;

/// <summary>Which pixels separate neighbouring classes: both mean images, and between them the average pull of each pixel towards the other class.</summary>
internal static class BetweenPicture
{
    private const int Columns = 2;
    private const float Side = 132, Gap = 12, Margin = 26, Head = 74, Foot = 50;

    public static void Save(string file, Collection collection, IReadOnlyList<Point> points, IReadOnlyList<Between> pairs)
    {
        const float block = 4 * Side + 3 * Gap;
        var rows = (pairs.Count + Columns - 1) / Columns;
        using var page = new SheetCanvas(2 * Margin + Columns * block + (Columns - 1) * 40, Head + rows * (Side + Foot) + 10);
        page.Text("What separates neighbours on the map", Margin, 34, 21, SheetCanvas.Ink, strong: true);
        page.Text("Red: brightening the pixel moves an image towards the other class; blue: away from it. Averaged over all images of the class.", Margin, 56, 13, SheetCanvas.Quiet);
        for (var i = 0; i < pairs.Count; i += 1)
        {
            var (x, y) = (Margin + i % Columns * (block + 40), Head + i / Columns * (Side + Foot));
            var pair = pairs[i];
            var back = Between.Of(points, pair.To, pair.From);
            var (from, to) = (collection.Classes[pair.From], collection.Classes[pair.To]);
            Tile(page, Mean(points, pair.From, collection.Side), x, y, $"mean {from}");
            Tile(page, Map(pair, collection.Side), x + Side + Gap, y, $"{from} → {to}");
            Tile(page, Map(back, collection.Side), x + 2 * (Side + Gap), y, $"{to} → {from}");
            Tile(page, Mean(points, pair.To, collection.Side), x + 3 * (Side + Gap), y, $"mean {to}");
        }
        using var stream = File.Create(file);
        page.SavePng(stream);
    }

    private static void Tile(SheetCanvas page, SKBitmap bitmap, float x, float y, string caption)
    {
        using (bitmap) page.Picture(bitmap, new SKRect(x, y, x + Side, y + Side));
        page.Frame(new SKRect(x, y, x + Side, y + Side), SheetCanvas.Line, 1);
        page.Text(caption, x, y + Side + 18, 12.5f, SheetCanvas.Ink, maxWidth: Side + Gap - 4);
    }

    private static SKBitmap Mean(IReadOnlyList<Point> points, int label, int side)
    {
        var own = points.Where(p => p.Image.Label == label).ToArray();
        return Draw(side, i => { var v = (byte)(255 * own.Average(p => p.Image.Pixels[i])); return new SKColor(v, v, v); });
    }

    private static SKBitmap Map(Between pair, int side)
    {
        var scale = pair.Pull.Max(Math.Abs);
        return Draw(side, i => DivergingColors.Of(pair.Pull[i] / scale));
    }

    private static SKBitmap Draw(int side, Func<int, SKColor> color)
    {
        var bitmap = new SKBitmap(side, side, SKColorType.Rgba8888, SKAlphaType.Opaque);
        for (var i = 0; i < side * side; i++) bitmap.SetPixel(i % side, i / side, color(i));
        return bitmap;
    }
}
