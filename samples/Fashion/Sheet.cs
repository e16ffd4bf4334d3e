using MLNetLinearize.Reporting;
using SkiaSharp;

namespace Fashion;

/// <summary>Pictures in a row, with a caption and a quieter line below.</summary>
internal sealed record Tiles(string Caption, string Detail, SKBitmap[] Pictures);

/// <summary>A page of rows of pictures, each column of pictures headed by what it shows.</summary>
internal static class Sheet
{
    private const float Side = 150, Gap = 10, Margin = 28, Block = 36, Foot = 54;

    public static readonly string[] Reasons = ["photograph", "contributions", "both"];

    public static void Save(string file, string title, string subtitle, string[] heads, IReadOnlyList<Tiles> rows, int columns)
    {
        var width = heads.Length * Side + (heads.Length - 1) * Gap;
        var pageWidth = 2 * Margin + columns * width + (columns - 1) * Block;
        var lines = SheetCanvas.Wrap(subtitle, 13, pageWidth - 2 * Margin);
        var top = 62 + 18 * lines.Count + 24;
        using var page = new SheetCanvas(pageWidth, top + (rows.Count + columns - 1) / columns * (Side + Foot) + 4);
        page.Text(title, Margin, 38, 21, SheetCanvas.Ink, strong: true);
        for (var i = 0; i < lines.Count; i++) page.Text(lines[i], Margin, 61 + 18 * i, 13, SheetCanvas.Quiet);
        for (var column = 0; column < columns; column++)
            for (var i = 0; i < heads.Length; i++)
                page.Text(heads[i], Margin + column * (width + Block) + i * (Side + Gap), top - 9, 12, SheetCanvas.Quiet);
        for (var i = 0; i < rows.Count; i++)
        {
            var (x, y) = (Margin + i % columns * (width + Block), top + i / columns * (Side + Foot));
            for (var p = 0; p < rows[i].Pictures.Length; p++)
            {
                var box = SKRect.Create(x + p * (Side + Gap), y, Side, Side);
                page.Picture(rows[i].Pictures[p], box);
                page.Frame(box, SheetCanvas.Line, 1);
            }
            page.Text(rows[i].Caption, x, y + Side + 19, 14, SheetCanvas.Ink, strong: true, maxWidth: width);
            page.Text(rows[i].Detail, x, y + Side + 36, 12, SheetCanvas.Quiet, maxWidth: width);
        }
        using var stream = File.Create(file);
        page.SavePng(stream);
    }
}
