using SkiaSharp;

namespace MLNetLinearize.Reporting;

/// <summary>One explained row for a <see cref="LayerSheet"/>.</summary>
/// <param name="Title">Which row, and what it was taken for.</param>
/// <param name="Photograph">The row, where it is an image.</param>
/// <param name="Panels">Its layers, input first.</param>
/// <param name="Score">The explained score.</param>
internal sealed record LayerRow(string Title, (float[] Pixels, ImageShape Shape)? Photograph, IReadOnlyList<LayerPanel> Panels, double Score);

/// <summary>A page of rows, each a strip of layers: how attribution moves through a network.</summary>
internal static class LayerSheet
{
    private const float Margin = 28, TextTop = 62, TextLine = 18, Caption = 26, RowGap = 22, ScoreSpace = 76;

    public static void SavePng(Stream stream, string title, IReadOnlyList<LayerRow> rows)
    {
        var photographs = rows.Any(r => r.Photograph is not null);
        var left = Margin + (photographs ? LayerStrip.Cell + LayerStrip.Gap : 0);
        var width = left + LayerStrip.Width(rows.Select(r => r.Panels.Count).DefaultIfEmpty(1).Max()) + ScoreSpace + Margin;
        var text = SheetCanvas.Wrap("Red spoke for the score, blue against it. Below each layer: what its units contributed together, Σ (red or blue), and the bias added behind it, b (ochre). Σ + b is the score, at every layer.", 13, width - 2 * Margin);
        var head = TextTop + text.Count * TextLine + 6;
        using var page = new SheetCanvas(width, head + rows.Count * (Caption + LayerStrip.Height + RowGap) + Margin);
        page.Text(title, Margin, 38, 22, SheetCanvas.Ink, strong: true, maxWidth: width - 2 * Margin);
        for (var i = 0; i < text.Count; i++) page.Text(text[i], Margin, TextTop + i * TextLine, 13, SheetCanvas.Quiet);
        for (var i = 0; i < rows.Count; i++)
        {
            var (row, y) = (rows[i], head + i * (Caption + LayerStrip.Height + RowGap));
            page.Text(row.Title, Margin, y + 17, 15, SheetCanvas.Ink, strong: true, maxWidth: width - 2 * Margin);
            if (row.Photograph is { } image) Photograph(page, image.Pixels, image.Shape, y + Caption);
            LayerStrip.Draw(page, left, y + Caption, row.Panels, row.Score);
        }
        page.SavePng(stream);
    }

    private static void Photograph(SheetCanvas page, float[] pixels, ImageShape shape, float y)
    {
        using var bitmap = HeatMap.Photograph(pixels, shape);
        var scale = LayerStrip.Cell / Math.Max(shape.Width, shape.Height);
        var box = SKRect.Create(Margin, y + LayerStrip.MapTop, shape.Width * scale, shape.Height * scale);
        page.Text("image", Margin, y + 13, 13, SheetCanvas.Ink, strong: true);
        page.Text(shape.ToString().Replace("x", " × ", StringComparison.Ordinal), Margin, y + 28, 11, SheetCanvas.Quiet);
        page.Picture(bitmap, box);
        page.Frame(box, SheetCanvas.Line, 1);
    }
}
