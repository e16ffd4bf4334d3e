using MLNetLinearize.Reporting;
using SkiaSharp;

namespace DownstreamAnalysis;

/// <summary>
/// Two ways to put the same photographs in two groups: by why, and by what is on them. For each group its mean photograph, its
/// mean attribution, some of its photographs beside their attributions, and how many of it carry the mark.
/// </summary>
internal static class GroupsPicture
{
    private const float Margin = 28, Head = 78, Tile = 168, Gap = 10, Small = (Tile - 2 * Gap) / 3, Band = 56, Between = 44;
    private const int Examples = 6;
    private const float GroupWidth = 2 * Tile + Gap + 2 * Gap + 4 * Small + 3 * Gap;
    private const float RowHeight = Tile + Band + 30;

    public static void Save(string file, string className, Grouping why, Grouping what)
    {
        using var page = new SheetCanvas(2 * Margin + 2 * GroupWidth + Between, Head + 2 * RowHeight + 6);
        page.Text($"Two reasons to call it a {className}", Margin, 38, 23, SheetCanvas.Ink, strong: true);
        page.Text("Red pixels spoke for the class, blue ones against it. Left of each panel: the group's mean photograph and mean attribution; right: six of its photographs.", Margin, 60, 13, SheetCanvas.Quiet);
        Row(page, why, "Grouped by why", Head + 20);
        Row(page, what, "Grouped by pixels", Head + 20 + RowHeight);
        using var stream = File.Create(file);
        page.SavePng(stream);
    }

    private static void Row(SheetCanvas page, Grouping grouping, string title, float top)
    {
        Explained[][] groups = [.. new[] { grouping.First, grouping.Second }.OrderByDescending(Grouping.Share)];
        // One scale for both groups, so that their strengths compare; the mark's few pixels may go beyond it.
        var scale = groups.SelectMany(g => Grouping.Mean(g, r => r.Attribution)).Select(Math.Abs).Order().ElementAt((int)(0.99 * 2 * Photograph.Side * Photograph.Side));
        for (var g = 0; g < 2; g++) Group(page, groups[g], $"{title}: group {g + 1}", Margin + g * (GroupWidth + Between), top, scale);
    }

    private static void Group(SheetCanvas page, Explained[] group, string title, float left, float top, double scale)
    {
        page.Text(title, left, top, 15, SheetCanvas.Ink, strong: true);
        Share(page, group, left, top + 12);
        var y = top + Band - 16;
        Image(page, Grey(Grouping.Mean(group, r => r.Pixels)), new(left, y, left + Tile, y + Tile));
        Image(page, Colored(Grouping.Mean(group, r => r.Attribution), scale), new(left + Tile + Gap, y, left + 2 * Tile + Gap, y + Tile));
        for (var k = 0; k < Examples; k++)
        {
            // Spread over the group, which is in the order of the data.
            var row = group[k * group.Length / Examples];
            var x = left + 2 * Tile + 3 * Gap + k % 2 * 2 * (Small + Gap);
            var line = y + k / 2 * (Small + Gap);
            Image(page, Grey([.. row.Pixels.Select(p => (double)p)]), new(x, line, x + Small, line + Small));
            Image(page, Colored([.. row.Attribution.Select(a => (double)a)], 1.5 * scale), new(x + Small + Gap / 2, line, x + 2 * Small + Gap / 2, line + Small));
        }
    }

    /// <summary>A bar as long as the group's share of marked photographs.</summary>
    private static void Share(SheetCanvas page, Explained[] group, float left, float top)
    {
        using var empty = new SKPaint { Color = SheetCanvas.Line };
        using var full = new SKPaint { Color = SheetCanvas.Alarm };
        page.Canvas.DrawRect(left, top, Tile, 9, empty);
        page.Canvas.DrawRect(left, top, (float)(Tile * Grouping.Share(group)), 9, full);
        page.Text($"{group.Count(r => r.Marked)} of {group.Length} carry the mark", left + Tile + Gap, top + 9, 13, SheetCanvas.Ink);
    }

    private static void Image(SheetCanvas page, SKBitmap bitmap, SKRect box)
    {
        using (bitmap) page.Picture(bitmap, box);
        page.Frame(box, SheetCanvas.Line, 1);
    }

    private static SKBitmap Grey(double[] pixels) => Draw(i => { var v = (byte)Math.Round(255 * pixels[i]); return new SKColor(v, v, v); });

    private static SKBitmap Colored(double[] values, double scale) => Draw(i => DivergingColors.Of(values[i] / scale));

    private static SKBitmap Draw(Func<int, SKColor> color)
    {
        var bitmap = new SKBitmap(Photograph.Side, Photograph.Side, SKColorType.Rgba8888, SKAlphaType.Opaque);
        for (var i = 0; i < Photograph.Side * Photograph.Side; i++) bitmap.SetPixel(i % Photograph.Side, i / Photograph.Side, color(i));
        return bitmap;
    }
}
