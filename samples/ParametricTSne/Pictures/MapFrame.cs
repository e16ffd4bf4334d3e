using MLNetLinearize.Reporting;
using SkiaSharp;

namespace ParametricTSne.Pictures;

/// <summary>A part of the map, fitted into a box of the page; and how images and classes look on it.</summary>
internal sealed class MapFrame
{
    /// <summary>Ten hues that stay apart (M. Stone, "How we designed the new color palettes in Tableau 10", 2016).</summary>
    private static readonly SKColor[] Palette =
    [
        new(0x4E, 0x79, 0xA7), new(0xF2, 0x8E, 0x2B), new(0xE1, 0x57, 0x59), new(0x4B, 0xA3, 0x9C), new(0x59, 0xA1, 0x4F),
        new(0xC9, 0xA2, 0x27), new(0xB0, 0x7A, 0xA1), new(0xE8, 0x7D, 0x8F), new(0x9C, 0x75, 0x5F), new(0x6B, 0x6E, 0x73),
    ];

    private readonly SKRect box;
    private readonly double left, top, scale;

    /// <param name="positions">The points that must be in the frame.</param>
    public MapFrame(SKRect box, IReadOnlyCollection<(double X, double Y)> positions, float margin)
    {
        this.box = box;
        var (x0, x1) = (positions.Min(p => p.X), positions.Max(p => p.X));
        var (y0, y1) = (positions.Min(p => p.Y), positions.Max(p => p.Y));
        scale = Math.Min((box.Width - 2 * margin) / Math.Max(x1 - x0, 1e-9), (box.Height - 2 * margin) / Math.Max(y1 - y0, 1e-9));
        left = (x0 + x1) / 2 - box.Width / 2 / scale;
        top = (y0 + y1) / 2 + box.Height / 2 / scale;
    }

    /// <summary>y grows upwards on the map and downwards on the page.</summary>
    public SKPoint At(double x, double y) => new((float)(box.Left + (x - left) * scale), (float)(box.Top + (top - y) * scale));

    public static SKColor Color(int label) => Palette[label % Palette.Length];

    /// <summary>The image as ink of its class's colour on nothing: thumbnails may then overlap and stay readable.</summary>
    public static SKBitmap Ink(Image image, int side)
    {
        var bitmap = new SKBitmap(side, side, SKColorType.Rgba8888, SKAlphaType.Unpremul);
        var color = Color(image.Label);
        for (var i = 0; i < image.Pixels.Length; i++)
            bitmap.SetPixel(i % side, i / side, color.WithAlpha((byte)(255 * image.Pixels[i])));
        return bitmap;
    }

    public static void Thumbnail(SheetCanvas page, Image image, int side, SKPoint centre, float size)
    {
        using var ink = Ink(image, side);
        page.Picture(ink, new SKRect(centre.X - size / 2, centre.Y - size / 2, centre.X + size / 2, centre.Y + size / 2), smooth: true);
    }

    public static void Arrow(SKCanvas canvas, SKPoint from, SKPoint to, SKColor color, float width)
    {
        var (dx, dy) = (to.X - from.X, to.Y - from.Y);
        var length = MathF.Sqrt(dx * dx + dy * dy);
        if (length < 0.1f) return;
        using var paint = new SKPaint { Color = color, StrokeWidth = width, IsAntialias = true, StrokeCap = SKStrokeCap.Round };
        canvas.DrawLine(from, to, paint);
        var head = Math.Min(length * 0.45f, 3.2f * width);
        var (ux, uy) = (dx / length * head, dy / length * head);
        canvas.DrawLine(to, new SKPoint(to.X - ux - uy * 0.55f, to.Y - uy + ux * 0.55f), paint);
        canvas.DrawLine(to, new SKPoint(to.X - ux + uy * 0.55f, to.Y - uy - ux * 0.55f), paint);
    }
}
