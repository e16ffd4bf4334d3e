using MLNetLinearize.Reporting;
using SkiaSharp;

namespace Service;

/// <summary>An answer as a client could show it: from the bias to the log-odds, contribution by contribution.</summary>
internal static class AnswerPicture
{
    private const int Shown = 12;
    private const float Margin = 28, Head = 96, Line = 26, NameWidth = 220, PlotWidth = 580, ValueWidth = 70;

    public static void Save(string file, ExplanationAnswer answer)
    {
        var rest = answer.Contributions.Skip(Shown).ToArray();
        var steps = new List<(string Name, double Size)> { ("bias", answer.Bias) };
        steps.AddRange(answer.Contributions.Take(Shown).Select(c => ($"{c.Measurement} ({Signed(c.Value)})", c.LogOdds)));
        if (rest.Length > 0) steps.Add(($"the other {rest.Length}", rest.Sum(c => c.LogOdds)));
        var sums = steps.Aggregate(new List<double> { 0 }, (all, step) => [.. all, all[^1] + step.Size]);
        var (low, high) = (sums.Min(), sums.Max());
        float At(double value) => (float)(Margin + NameWidth + (value - low) / (high - low) * PlotWidth);

        using var page = new SheetCanvas(2 * Margin + NameWidth + PlotWidth + ValueWidth, Head + (steps.Count + 1) * Line + Margin);
        page.Text($"{answer.Diagnosis}, probability {answer.Probability:P1}", Margin, 36, 21, SheetCanvas.Ink, strong: true);
        page.Text("Log-odds, from the bias on. Red speaks for the diagnosis, blue against it. In brackets: standard deviations from the mean.", Margin, 60, 13, SheetCanvas.Quiet);
        using var line = new SKPaint { Color = SheetCanvas.Line, StrokeWidth = 1 };
        page.Canvas.DrawLine(At(0), Head - 10, At(0), Head + (steps.Count + 1) * Line, line);
        for (var k = 0; k < steps.Count; k++) Bar(page, k, steps[k].Name, Signed(steps[k].Size), At(sums[k]), At(sums[k + 1]), k == 0 ? SheetCanvas.Quiet : DivergingColors.Of(Math.Sign(steps[k].Size)));
        Bar(page, steps.Count, "log-odds", Signed(answer.LogOdds), At(0), At(answer.LogOdds), SheetCanvas.Ink);
        using var stream = File.Create(file);
        page.SavePng(stream);
    }

    private static void Bar(SheetCanvas page, int row, string name, string size, float from, float to, SKColor color)
    {
        var y = Head + (row + 0.5f) * Line;
        page.Text(name, Margin + NameWidth - 14, y + 4.5f, 13, SheetCanvas.Ink, align: 1);
        using var paint = new SKPaint { Color = color };
        page.Canvas.DrawRect(Math.Min(from, to), y - 8, Math.Max(Math.Abs(to - from), 1), 16, paint);
        page.Text(size, Margin + NameWidth + PlotWidth + ValueWidth, y + 4.5f, 13, SheetCanvas.Ink, align: 1);
    }

    private static string Signed(double value) => $"{(value < 0 ? '−' : '+')}{Math.Abs(value):0.00}";
}
