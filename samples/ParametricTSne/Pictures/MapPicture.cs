using MLNetLinearize.Reporting;
using SkiaSharp;

namespace ParametricTSne.Pictures;

/// <summary>The map with the images drawn at their places.</summary>
internal static class MapPicture
{
    private const float Width = 1000, Height = 1000, Head = 64, Margin = 26;

    public static void Save(string file, Collection collection, IReadOnlyList<Point> points, string subtitle)
    {
        using var page = new SheetCanvas(Width, Height + Head);
        page.Text($"A map of {points.Count:N0} {collection.Name} the network had never seen", Margin, 32, 21, SheetCanvas.Ink, strong: true);
        page.Text(subtitle, Margin, 54, 13, SheetCanvas.Quiet);
        var frame = new MapFrame(new SKRect(0, Head, Width, Head + Height), [.. points.Select(p => ((double)p.X, (double)p.Y))], Margin);
        foreach (var point in points) MapFrame.Thumbnail(page, point.Image, collection.Side, frame.At(point.X, point.Y), points.Count > 500 ? 24 : 30);
        for (var label = 0; label < collection.Classes.Length; label++)
        {
            var (x, y) = Between.Centre(points, label);
            Label(page, collection.Classes[label], frame.At(x, y), MapFrame.Color(label));
        }
        using var stream = File.Create(file);
        page.SavePng(stream);
    }

    private static void Label(SheetCanvas page, string text, SKPoint at, SKColor color)
    {
        var width = SheetCanvas.Measure(text, 14, strong: true);
        using var paint = new SKPaint { Color = SheetCanvas.Page.WithAlpha(225), IsAntialias = true };
        page.Canvas.DrawRoundRect(at.X - width / 2 - 6, at.Y - 11, width + 12, 21, 5, 5, paint);
        page.Text(text, at.X, at.Y + 5, 14, Darker(color), strong: true, align: 0.5f);
    }

    private static SKColor Darker(SKColor color) => new((byte)(color.Red * 0.62), (byte)(color.Green * 0.62), (byte)(color.Blue * 0.62));
}
