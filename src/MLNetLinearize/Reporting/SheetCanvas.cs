using SkiaSharp;

namespace MLNetLinearize.Reporting;

/// <summary>Type, lines and pixel pictures on a light page. The typeface travels with the library: pictures look the same on a machine that has no fonts.</summary>
internal sealed class SheetCanvas : IDisposable
{
    /// <summary>Picture pixels per unit of layout, so that type is crisp on dense screens and in print.</summary>
    private const int Density = 2;

    public static readonly SKColor Page = new(0xFC, 0xFC, 0xFB), Ink = new(0x1E, 0x22, 0x28), Quiet = new(0x66, 0x6C, 0x75), Line = new(0xE2, 0xE3, 0xE5), Alarm = new(0xC8, 0x28, 0x2D);

    private static readonly Lazy<SKTypeface> Regular = new(() => Load("Inter-Regular")), SemiBold = new(() => Load("Inter-SemiBold"));
    private readonly SKSurface surface;

    public SheetCanvas(float width, float height)
    {
        surface = SKSurface.Create(new SKImageInfo((int)Math.Ceiling(width * Density), (int)Math.Ceiling(height * Density), SKColorType.Rgba8888, SKAlphaType.Opaque));
        surface.Canvas.Clear(Page);
        surface.Canvas.Scale(Density);
    }

    /// <summary>For shapes of a picture's own, in units of layout.</summary>
    public SKCanvas Canvas => surface.Canvas;

    public static float Measure(string text, float size, bool strong = false)
    {
        using var font = Font(size, strong);
        return Measure(font, text);
    }

    /// <summary>Breaks text into lines of at most <paramref name="width"/>.</summary>
    public static IReadOnlyList<string> Wrap(string text, float size, float width)
    {
        var lines = new List<string> { "" };
        foreach (var word in text.Split(' '))
        {
            var longer = lines[^1].Length == 0 ? word : $"{lines[^1]} {word}";
            if (lines[^1].Length == 0 || Measure(longer, size) <= width) lines[^1] = longer;
            else lines.Add(word);
        }
        return lines;
    }

    /// <summary>Writes one line; <paramref name="y"/> is its baseline. What exceeds <paramref name="maxWidth"/> is cut with an ellipsis.</summary>
    public void Text(string text, float x, float y, float size, SKColor color, bool strong = false, float align = 0, float maxWidth = float.PositiveInfinity)
    {
        using var font = Font(size, strong);
        using var paint = new SKPaint { Color = color, IsAntialias = true };
        while (text.Length > 1 && Measure(font, text) > maxWidth) text = text[..^(text.EndsWith('…') ? 2 : 1)].TrimEnd() + "…";
        surface.Canvas.DrawText(text, x - align * Measure(font, text), y, font, paint);
    }

    /// <summary>Draws a bitmap into a box: enlarged in crisp pixels unless <paramref name="smooth"/>, reduced smoothly.</summary>
    public void Picture(SKBitmap bitmap, SKRect box, bool smooth = false)
    {
        var crisp = !smooth && bitmap.Width <= box.Width * Density;
        using var paint = new SKPaint { FilterQuality = crisp ? SKFilterQuality.None : SKFilterQuality.High };
        surface.Canvas.DrawBitmap(bitmap, box, paint);
    }

    public void Frame(SKRect box, SKColor color, float width)
    {
        using var paint = new SKPaint { Color = color, Style = SKPaintStyle.Stroke, StrokeWidth = width, IsAntialias = true };
        surface.Canvas.DrawRect(SKRect.Inflate(box, width / 2, width / 2), paint);
    }

    /// <summary>Draws a path given in image pixels over a picture of that image.</summary>
    public void Outline(SKPath path, SKRect box, int imageWidth, SKColor color, float width)
    {
        using var paint = new SKPaint { Color = color, Style = SKPaintStyle.Stroke, StrokeWidth = width * imageWidth / box.Width, IsAntialias = true, StrokeCap = SKStrokeCap.Round };
        surface.Canvas.Save();
        surface.Canvas.ClipRect(box);
        surface.Canvas.Translate(box.Left, box.Top);
        surface.Canvas.Scale(box.Width / imageWidth);
        surface.Canvas.DrawPath(path, paint);
        surface.Canvas.Restore();
    }

    public void Rule(float x, float y, float width)
    {
        using var paint = new SKPaint { Color = Line, StrokeWidth = 1 };
        surface.Canvas.DrawLine(x, y, x + width, y, paint);
    }

    /// <summary>Draws a line through points; <paramref name="dashes"/> are the lengths of its strokes and gaps, none for a solid one.</summary>
    public void Polyline(SKPoint[] points, SKColor color, float width, float[] dashes)
    {
        using var path = new SKPath();
        path.AddPoly(points, close: false);
        using var effect = dashes.Length == 0 ? null : SKPathEffect.CreateDash(dashes, 0);
        using var paint = new SKPaint { Color = color, Style = SKPaintStyle.Stroke, StrokeWidth = width, IsAntialias = true, StrokeJoin = SKStrokeJoin.Round, StrokeCap = SKStrokeCap.Round, PathEffect = effect };
        surface.Canvas.DrawPath(path, paint);
    }

    public void SavePng(Stream stream)
    {
        using var image = surface.Snapshot();
        using var data = image.Encode(SKEncodedImageFormat.Png, 100);
        data.SaveTo(stream);
    }

    public void Dispose() => surface.Dispose();

    private static float Measure(SKFont font, string text)
    {
        using var paint = new SKPaint(font);
        return paint.MeasureText(text);
    }

    private static SKFont Font(float size, bool strong) => new((strong ? SemiBold : Regular).Value, size) { Subpixel = true, Edging = SKFontEdging.Antialias };

    private static SKTypeface Load(string name)
    {
        using var stream = typeof(SheetCanvas).Assembly.GetManifestResourceStream($"MLNetLinearize.Reporting.Fonts.{name}.otf")!;
        using var data = SKData.Create(stream);
        return SKTypeface.FromData(data) ?? throw new InvalidOperationException($"The built-in typeface {name} cannot be read.");
    }
}
