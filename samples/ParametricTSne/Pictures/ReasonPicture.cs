using MLNetLinearize.Reporting;
using SkiaSharp;

namespace ParametricTSne.Pictures;

/// <summary>
/// Why some images lie where they do. Left: each pixel's arrow is the way the point goes when that pixel is brightened
/// (its two weights). Right: the way from the bias to the point, one arrow for each strong contribution of a pixel, or of a
/// square of pixels in a large image, and a grey one for all the others together; the arrows add up to the position.
/// </summary>
internal static class ReasonPicture
{
    private const int Columns = 3, Strong = 12;
    private const float Cell = 330, Gap = 24, Margin = 26, Head = 92, Caption = 34;

    public static void Save(string file, Collection collection, IReadOnlyList<Point> chosen, IReadOnlyList<Point> all)
    {
        var rows = (chosen.Count + Columns - 1) / Columns;
        var width = 2 * Margin + Columns * (2 * Cell / 2 + Gap) + Gap;
        using var page = new SheetCanvas(width, Head + rows * (Cell / 2 + Caption + Gap) + Margin);
        page.Text("Why is it there?", Margin, 34, 21, SheetCanvas.Ink, strong: true);
        page.Text("Left: where the point goes when a pixel is brightened. Right: from the bias (ring) to the point (dot), by the twelve strongest pixels (or squares", Margin, 56, 13, SheetCanvas.Quiet);
        page.Text("of pixels) as bright as they are and, in grey, all others together. The colour of an arrow is its direction; the arrows add up to the position.", Margin, 74, 13, SheetCanvas.Quiet);
        for (var i = 0; i < chosen.Count; i++)
        {
            var x = Margin + i % Columns * (Cell + 2 * Gap);
            var y = Head + i / Columns * (Cell / 2 + Caption + Gap);
            page.Text(collection.Classes[chosen[i].Image.Label], x, y + 18, 14, SheetCanvas.Ink, strong: true);
            Directions(page, chosen[i], collection.Side, new SKRect(x, y + 28, x + Cell / 2, y + 28 + Cell / 2));
            Way(page, chosen[i], collection.Side, all, new SKRect(x + Cell / 2 + Gap / 2, y + 28, x + Cell + Gap / 2, y + 28 + Cell / 2));
        }
        using var stream = File.Create(file);
        page.SavePng(stream);
    }

    private static void Directions(SheetCanvas page, Point point, int side, SKRect box)
    {
        using var photograph = Grey(point.Image, side);
        page.Picture(photograph, box);
        var patches = Patches(side, side > 16 ? 2 : 1).Select(p => (p.X, p.Y, Pull: Sum(p.Pixels, i => (point.Weights[0, i], point.Weights[1, i])))).ToArray();
        var longest = patches.Select(p => Length(p.Pull)).Order().ElementAt((int)(0.98 * (patches.Length - 1)));
        var reach = box.Width / MathF.Sqrt(patches.Length) * 0.55;
        foreach (var (x, y, pull) in patches)
        {
            var size = reach * Math.Min(1, Math.Sqrt(Length(pull) / longest)) / Math.Max(Length(pull), 1e-12);
            var (dx, dy) = ((float)(pull.X * size), (float)(-pull.Y * size));
            var centre = new SKPoint(box.Left + x / side * box.Width, box.Top + y / side * box.Height);
            MapFrame.Arrow(page.Canvas, centre - new SKPoint(dx, dy), centre + new SKPoint(dx, dy), Hue(dx, dy), 1.3f);
        }
        page.Frame(box, SheetCanvas.Line, 1);
    }

    private static void Way(SheetCanvas page, Point point, int side, IReadOnlyList<Point> all, SKRect box)
    {
        var patches = Patches(side, side > 16 ? 4 : 1).Select(p => Sum(p.Pixels, point.Contribution)).OrderByDescending(Length).ToArray();
        var stops = new List<(double X, double Y)> { (point.BiasX, point.BiasY) };
        void Go((double X, double Y) by) => stops.Add((stops[^1].X + by.X, stops[^1].Y + by.Y));
        foreach (var patch in patches.Take(Strong)) Go(patch);
        Go((patches.Skip(Strong).Sum(p => p.X), patches.Skip(Strong).Sum(p => p.Y)));

        var frame = new MapFrame(box, stops, 20);
        page.Canvas.Save();
        page.Canvas.ClipRect(box);
        foreach (var other in all)
        {
            var at = frame.At(other.X, other.Y);
            if (SKRect.Inflate(box, 10, 10).Contains(at)) MapFrame.Thumbnail(page, other.Image, side, at, 15);
        }
        using (var veil = new SKPaint { Color = SheetCanvas.Page.WithAlpha(150) }) page.Canvas.DrawRect(box, veil);
        for (var k = 1; k < stops.Count; k++)
        {
            var (from, to) = (frame.At(stops[k - 1].X, stops[k - 1].Y), frame.At(stops[k].X, stops[k].Y));
            MapFrame.Arrow(page.Canvas, from, to, k < stops.Count - 1 ? Hue(to.X - from.X, to.Y - from.Y) : SheetCanvas.Quiet, 1.9f);
        }
        using var line = new SKPaint { Color = SheetCanvas.Ink, Style = SKPaintStyle.Stroke, StrokeWidth = 1.6f, IsAntialias = true };
        page.Canvas.DrawCircle(frame.At(point.BiasX, point.BiasY), 4, line);
        Disc(page, frame.At(point.X, point.Y), 4.2f, SheetCanvas.Ink);
        page.Canvas.Restore();
        page.Frame(box, SheetCanvas.Line, 1);
    }

    /// <summary>The image cut into squares, with each one's centre in pixels: in a large image a single pixel's arrow could not be seen.</summary>
    private static IEnumerable<(float X, float Y, int[] Pixels)> Patches(int side, int size) =>
        from top in Enumerable.Range(0, side / size)
        from left in Enumerable.Range(0, side / size)
        select ((left + 0.5f) * size, (top + 0.5f) * size,
            (from row in Enumerable.Range(top * size, size) from column in Enumerable.Range(left * size, size) select row * side + column).ToArray());

    private static (double X, double Y) Sum(int[] pixels, Func<int, (float X, float Y)> of) => (pixels.Sum(i => (double)of(i).X), pixels.Sum(i => (double)of(i).Y));

    private static double Length((double X, double Y) v) => Math.Sqrt(v.X * v.X + v.Y * v.Y);

    private static void Disc(SheetCanvas page, SKPoint at, float radius, SKColor color)
    {
        using var paint = new SKPaint { Color = color, IsAntialias = true };
        page.Canvas.DrawCircle(at, radius, paint);
    }

    /// <summary>Direction as hue, so that like pushes are seen at a glance.</summary>
    private static SKColor Hue(float dx, float dy) => SKColor.FromHsv((MathF.Atan2(-dy, dx) * 180 / MathF.PI + 360) % 360, 88, 74);

    /// <summary>The image faintly, dark on light, so that the arrows stand out.</summary>
    private static SKBitmap Grey(Image image, int side)
    {
        var bitmap = new SKBitmap(side, side, SKColorType.Rgba8888, SKAlphaType.Opaque);
        for (var i = 0; i < image.Pixels.Length; i++)
        {
            var light = (byte)(250 - 105 * image.Pixels[i]);
            bitmap.SetPixel(i % side, i / side, new SKColor(light, light, light));
        }
        return bitmap;
    }
}
