using System.Globalization;
using SkiaSharp;

namespace MLNetLinearize.Reporting;

/// <summary>
/// How one score is made up at each layer, side by side: where the contributions sit (a map, or a vector's units as bars),
/// and below how much they sum to and what was added behind that layer. Both always make up the same score.
/// </summary>
internal static class LayerStrip
{
    public const float Cell = 112, Gap = 18, MapTop = 36, Height = MapTop + Cell + Between + Balance + 34;
    private const float Between = 14, Balance = 92, Bar = 34;
    private const int FewUnits = 16;
    private static readonly SKColor BiasColor = new(0xC4, 0x92, 0x3A);

    public static float Width(int panels) => panels * (Cell + Gap) - Gap;

    /// <param name="page">The page.</param>
    /// <param name="x">Left edge.</param>
    /// <param name="y">Upper edge.</param>
    /// <param name="panels">The layers, input first.</param>
    /// <param name="score">What Σ attribution and bias make up at each of them.</param>
    public static void Draw(SheetCanvas page, float x, float y, IReadOnlyList<LayerPanel> panels, double score)
    {
        var (low, high) = (Math.Min(0, Math.Min(score, panels.Min(p => p.Sum))), Math.Max(0, Math.Max(score, panels.Max(p => p.Sum))));
        var bottom = y + MapTop + Cell + Between + Balance;
        float At(double value) => bottom - (float)((value - low) / Math.Max(high - low, 1e-12) * Balance);
        for (var i = 0; i < panels.Count; i++)
        {
            var (panel, left) = (panels[i], x + i * (Cell + Gap));
            page.Text(panel.Title, left, y + 13, 13, SheetCanvas.Ink, strong: true, maxWidth: Cell);
            page.Text(panel.ToString(), left, y + 28, 11, SheetCanvas.Quiet, maxWidth: Cell);
            Contributions(page, panel, new SKRect(left, y + MapTop, left + Cell, y + MapTop + Cell));

            var middle = left + Cell / 2;
            Fill(page, new SKRect(middle - Bar - 1, At(Math.Max(0, panel.Sum)), middle - 1, At(Math.Min(0, panel.Sum))), DivergingColors.Of(panel.Sum < 0 ? -0.8 : 0.8));
            Fill(page, new SKRect(middle + 1, At(Math.Max(panel.Sum, score)), middle + Bar + 1, At(Math.Min(panel.Sum, score))), BiasColor);
            page.Text($"Σ {Number(panel.Sum)}", left, bottom + 17, 11, SheetCanvas.Ink, maxWidth: Cell / 2);
            page.Text($"b {Number(panel.Bias)}", left + Cell, bottom + 17, 11, SheetCanvas.Ink, align: 1, maxWidth: Cell / 2);
        }
        page.Rule(x, At(0), Width(panels.Count));
        using var line = new SKPaint { Color = SheetCanvas.Ink, StrokeWidth = 1, PathEffect = SKPathEffect.CreateDash([3, 3], 0) };
        page.Canvas.DrawLine(x, At(score), x + Width(panels.Count), At(score), line);
        page.Text($"score {Number(score)}", x + Width(panels.Count) + 6, At(score) + 4, 11, SheetCanvas.Ink, strong: true);
        page.Text("0", x + Width(panels.Count) + 6, At(0) + 4, 11, SheetCanvas.Quiet);
    }

    /// <summary>A number with two decimals and a proper minus.</summary>
    public static string Number(double value) => (Math.Round(value, 2) < 0 ? "−" : "") + Math.Abs(value).ToString("0.00", CultureInfo.InvariantCulture);

    private static void Contributions(SheetCanvas page, LayerPanel panel, SKRect box)
    {
        if (panel.MapSize is { } size)
        {
            var (map, shape) = (panel.Map(), new ImageShape(size.Height, size.Width));
            var scale = Cell / Math.Max(size.Height, size.Width);
            using var bitmap = HeatMap.Draw(map, shape, HeatMap.Scale(map));
            page.Picture(bitmap, SKRect.Create(box.MidX - size.Width * scale / 2, box.MidY - size.Height * scale / 2, size.Width * scale, size.Height * scale));
        }
        else Units(page, panel.Attribution, box);
        page.Frame(box, SheetCanvas.Line, 1);
    }

    /// <summary>A vector as bars from its middle; many units are sorted, since their order says nothing.</summary>
    private static void Units(SheetCanvas page, float[] values, SKRect box)
    {
        var (ordered, strongest) = (values.Length > FewUnits ? [.. values.OrderDescending()] : values, Math.Max(values.Max(Math.Abs), 1e-12f));
        var width = box.Width / ordered.Length;
        for (var i = 0; i < ordered.Length; i++)
        {
            var height = Math.Abs(ordered[i]) / strongest * (box.Height / 2 - 6);
            var top = ordered[i] < 0 ? box.MidY : box.MidY - height;
            Fill(page, SKRect.Create(box.Left + i * width, top, Math.Max(width * 0.86f, 0.5f), height), DivergingColors.Of(ordered[i] < 0 ? -0.8 : 0.8));
        }
        page.Rule(box.Left, box.MidY, box.Width);
    }

    private static void Fill(SheetCanvas page, SKRect box, SKColor color)
    {
        using var paint = new SKPaint { Color = color, IsAntialias = true };
        page.Canvas.DrawRect(box, paint);
    }
}
