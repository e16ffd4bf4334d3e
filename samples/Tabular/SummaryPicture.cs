using MLNetLinearize.Reporting;
using SkiaSharp;

namespace Tabular;

/// <summary>
/// The measurements that matter most, by mean absolute contribution, and every case as a dot: where its measurement pushed it,
/// coloured by how high the measurement is. The dots of a line pile up where there are many.
/// </summary>
internal static class SummaryPicture
{
    private const float Margin = 28, Head = 88, Line = 42, NameWidth = 176, BarWidth = 150, PlotWidth = 600, Foot = 50, Dot = 2.2f;

    public static void Save(string file, IReadOnlyList<string> names, IReadOnlyList<double> meanAbsolute, float[][] contributions, IReadOnlyList<Case> cases, int shown)
    {
        var order = Enumerable.Range(0, names.Count).OrderByDescending(i => meanAbsolute[i]).Take(shown).ToArray();
        using var page = new SheetCanvas(2 * Margin + NameWidth + BarWidth + 40 + PlotWidth, Head + shown * Line + Foot);
        page.Text("What matters in the table, and which way", Margin, 36, 22, SheetCanvas.Ink, strong: true);
        page.Text("Each dot is a case: how far a measurement's difference from the average moved the log-odds. Red: measured high; blue: low. At an edge: beyond it.", Margin, 58, 13, SheetCanvas.Quiet);
        // All but the most extreme two in a thousand, in whole log-odds: a few outliers would press all others together.
        var reach = order.SelectMany(i => contributions.Select(c => Math.Abs(c[i]))).Order().ElementAt((int)(0.998 * order.Length * contributions.Length));
        reach = MathF.Ceiling(reach);
        var (bars, plot) = (Margin + NameWidth, Margin + NameWidth + BarWidth + 40);
        var middle = plot + PlotWidth / 2;
        using var line = new SKPaint { Color = SheetCanvas.Line, StrokeWidth = 1 };
        page.Canvas.DrawLine(middle, Head - 6, middle, Head + shown * Line, line);
        page.Text("mean contribution, either way", bars, Head - 8, 11.5f, SheetCanvas.Quiet);
        for (var k = 0; k < order.Length; k++)
        {
            var (i, y) = (order[k], Head + (k + 0.5f) * Line);
            page.Text(names[i], bars - 12, y + 5, 13.5f, SheetCanvas.Ink, align: 1);
            using (var bar = new SKPaint { Color = SheetCanvas.Quiet })
                page.Canvas.DrawRect(bars, y - 6, (float)((BarWidth - 40) * meanAbsolute[i] / meanAbsolute[order[0]]), 12, bar);
            page.Text($"{meanAbsolute[i]:0.00}", bars + (float)((BarWidth - 40) * meanAbsolute[i] / meanAbsolute[order[0]]) + 6, y + 4.5f, 12, SheetCanvas.Quiet);
            Dots(page, [.. contributions.Select(c => c[i] / reach)], [.. cases.Select(c => c[i])], middle, y);
        }
        var foot = Head + shown * Line + 24;
        page.Text($"−{reach:0}", plot, foot, 13, SheetCanvas.Quiet);
        page.Text("← speaks for benign", middle - 14, foot, 13, SheetCanvas.Quiet, align: 1);
        page.Text("0", middle, foot, 13, SheetCanvas.Quiet, align: 0.5f);
        page.Text("speaks for malignant →", middle + 14, foot, 13, SheetCanvas.Quiet);
        page.Text($"+{reach:0}", plot + PlotWidth, foot, 13, SheetCanvas.Quiet, align: 1);
        using var stream = File.Create(file);
        page.SavePng(stream);
    }

    private static void Dots(SheetCanvas page, double[] places, float[] values, float middle, float y)
    {
        var rank = values.Select((v, r) => (v, r)).OrderBy(p => p.v).Select((p, place) => (p.r, High: 2.0 * place / (values.Length - 1) - 1)).ToDictionary(p => p.r, p => p.High);
        var piled = new Dictionary<int, int>();
        foreach (var r in Enumerable.Range(0, places.Length).OrderBy(r => places[r]))
        {
            var x = middle + (float)(Math.Clamp(places[r], -1, 1) * (PlotWidth / 2 - Dot));
            var column = (int)Math.Floor(x / (1.4f * Dot));
            var height = piled.GetValueOrDefault(column);
            piled[column] = height + 1;
            var offset = Math.Min((height + 1) / 2 * 1.3f * Dot, Line / 2 - Dot) * (height % 2 == 0 ? 1 : -1);
            using var paint = new SKPaint { Color = DivergingColors.Of(0.25 * Math.Sign(rank[r]) + 0.75 * rank[r]), IsAntialias = true };
            page.Canvas.DrawCircle(x, y + offset, Dot, paint);
        }
    }
}
