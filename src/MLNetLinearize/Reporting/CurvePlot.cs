using System.Globalization;
using SkiaSharp;

namespace MLNetLinearize.Reporting;

/// <summary>A line of a plot.</summary>
/// <param name="Name">What it is, with the figure that sums it up.</param>
/// <param name="Y">Its height at each of the plot's x.</param>
/// <param name="IsMain">Drawn thick, in colour and above the others.</param>
internal sealed record PlotLine(string Name, IReadOnlyList<double> Y, bool IsMain);

/// <summary>One frame with axes and lines over x from 0 to 1.</summary>
/// <param name="Title">What is shown.</param>
/// <param name="Note">How to read it.</param>
/// <param name="XName">Name of the axis from left to right.</param>
/// <param name="YName">Name of the axis from bottom to top.</param>
/// <param name="X">Where the lines have their points.</param>
/// <param name="Lines">The lines, the main one first.</param>
internal sealed record PlotPanel(string Title, string Note, string XName, string YName, IReadOnlyList<double> X, IReadOnlyList<PlotLine> Lines);

/// <summary>
/// Panels of curves side by side, in one scale. ScottPlot would draw them, but needs a later Skia than ML.NET's image
/// stages, and a process holds one.
/// </summary>
internal sealed class CurvePlot(string title, string subtitle, IReadOnlyList<PlotPanel> panels)
{
    private const float Margin = 40, PanelWidth = 430, PanelHeight = 280, Gap = 72, AxisWidth = 46, Top = 102, TitleHeight = 72, KeyLine = 20;
    private const float AxisSize = 11.5f;

    // Apart for every common colour blindness, and in lightness: M. Okabe and K. Ito, "Color Universal Design", 2008.
    private static readonly SKColor[] Colors = [new(0xD5, 0x5E, 0x00), new(0x00, 0x72, 0xB2), new(0x00, 0x9E, 0x73), new(0x88, 0x8C, 0x94)];
    private static readonly double[] RoundSteps = [1, 2, 5, 10];
    private static readonly float[][] Dashes = [[], [7, 3], [2, 3], [9, 3, 2, 3]];

    public void SavePng(Stream stream)
    {
        var (low, high, step) = Scale();
        var width = 2 * Margin + panels.Count * (AxisWidth + PanelWidth) + (panels.Count - 1) * Gap;
        var keys = panels.Max(p => p.Lines.Count) * KeyLine;
        using var canvas = new SheetCanvas(width, Top + TitleHeight + PanelHeight + 52 + keys + Margin);
        canvas.Text(title, Margin, Margin + 18, 22, SheetCanvas.Ink, strong: true, maxWidth: width - 2 * Margin);
        canvas.Text(subtitle, Margin, Margin + 42, 12.5f, SheetCanvas.Quiet, maxWidth: width - 2 * Margin);
        for (var i = 0; i < panels.Count; i++)
            Draw(canvas, panels[i], Margin + AxisWidth + i * (AxisWidth + PanelWidth + Gap), Top + TitleHeight, low, high, step);
        canvas.SavePng(stream);
    }

    private static void Draw(SheetCanvas canvas, PlotPanel panel, float left, float top, double low, double high, double step)
    {
        canvas.Text(panel.Title, left, top - 54, 15, SheetCanvas.Ink, strong: true);
        canvas.Text(panel.Note, left, top - 35, 12, SheetCanvas.Quiet, maxWidth: PanelWidth);
        float X(double x) => left + (float)x * PanelWidth;
        float Y(double y) => top + (float)((high - y) / (high - low)) * PanelHeight;
        for (var y = low; y <= high + step / 2; y += step)
        {
            canvas.Rule(left, Y(y), PanelWidth);
            canvas.Text(Number(y, step), left - 9, Y(y) + 4, AxisSize, SheetCanvas.Quiet, align: 1);
        }
        for (var x = 0; x <= 4; x++) canvas.Text($"{25 * x} %", X(x / 4.0), top + PanelHeight + 18, AxisSize, SheetCanvas.Quiet, align: 0.5f);
        canvas.Text(panel.XName, left + PanelWidth / 2, top + PanelHeight + 38, AxisSize, SheetCanvas.Ink, align: 0.5f);
        canvas.Text(panel.YName, left, top - 10, AxisSize, SheetCanvas.Ink, maxWidth: PanelWidth);
        for (var i = panel.Lines.Count - 1; i >= 0; i--)
        {
            var line = panel.Lines[i];
            canvas.Polyline([.. panel.X.Zip(line.Y, (x, y) => new SKPoint(X(x), Y(y)))], Colors[i % Colors.Length], line.IsMain ? 3 : 1.8f, Dashes[i % Dashes.Length]);
            var y = top + PanelHeight + 62 + i * KeyLine;
            canvas.Polyline([new(left, y - 4), new(left + 34, y - 4)], Colors[i % Colors.Length], line.IsMain ? 3 : 1.8f, Dashes[i % Dashes.Length]);
            canvas.Text(line.Name, left + 44, y, 12, SheetCanvas.Ink, strong: line.IsMain, maxWidth: PanelWidth - 44);
        }
    }

    /// <summary>One scale for all panels, in steps of 1, 2 or 5 times a power of ten.</summary>
    private (double Low, double High, double Step) Scale()
    {
        var values = panels.SelectMany(p => p.Lines).SelectMany(l => l.Y).Where(double.IsFinite).DefaultIfEmpty(0).ToList();
        var (low, high) = (Math.Min(0, values.Min()), values.Max());
        if (high <= low) high = low + 1;
        var rough = (high - low) / 5;
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        var step = RoundSteps.First(s => s * power >= rough * 0.999) * power;
        return (Math.Floor(low / step) * step, Math.Ceiling(high / step - 1e-9) * step, step);
    }

    private static string Number(double value, double step)
    {
        var text = Math.Abs(value).ToString("F" + Math.Max(0, (int)Math.Ceiling(-Math.Log10(step) - 1e-9)), CultureInfo.InvariantCulture);
        return value < -step / 2 ? "−" + text : text;
    }
}
