using MLNetLinearize.Reporting;
using SkiaSharp;

namespace ParametricTSne.Pictures;

/// <summary>Predicted against actual motion, in x and y: on the diagonal the map W told the truth.</summary>
internal static class MotionPicture
{
    private const float Side = 420, Margin = 26, Head = 92, Axis = 44;

    public static void Save(string file, IReadOnlyList<Move> moves)
    {
        var width = 2 * Side + 3 * Margin + 2 * Axis;
        using var page = new SheetCanvas(width, Head + Side + Axis + Margin);
        page.Text("A pixel moves, and the point goes where W says", Margin, 34, 21, SheetCanvas.Ink, strong: true);
        var inside = moves.Count(m => m.Inside);
        page.Text($"Blue: {inside:N0} moves inside the linear region, off by at most {moves.Where(m => m.Inside).Max(m => m.Gap):0.0e+0}.", Margin, 56, 13, DivergingColors.Of(-1));
        page.Text($"Orange: {moves.Count - inside:N0} moves beyond it, where a ReLU has switched and W has changed on the way.", Margin, 74, 13, Beyond);
        Plot(page, new SKRect(Margin + Axis, Head, Margin + Axis + Side, Head + Side), moves, "x", m => (m.PredictedX, m.ActualX));
        Plot(page, new SKRect(2 * Margin + 2 * Axis + Side, Head, 2 * Margin + 2 * Axis + 2 * Side, Head + Side), moves, "y", m => (m.PredictedY, m.ActualY));
        using var stream = File.Create(file);
        page.SavePng(stream);
    }

    private static readonly SKColor Beyond = new(0xC4, 0x6A, 0x12);

    private static void Plot(SheetCanvas page, SKRect box, IReadOnlyList<Move> moves, string name, Func<Move, (double Predicted, double Actual)> of)
    {
        // The middle 98 % of predictions: a few pixels of huge weight would press all others into one spot.
        var range = moves.Select(m => Math.Abs(of(m).Predicted)).Order().ElementAt((int)(0.98 * (moves.Count - 1)));
        SKPoint At(double x, double y) => new((float)(box.MidX + x / range * box.Width / 2), (float)(box.MidY - y / range * box.Height / 2));
        using var line = new SKPaint { Color = SheetCanvas.Line, StrokeWidth = 1, IsAntialias = true };
        page.Canvas.DrawLine(At(-range, -range), At(range, range), line);
        page.Canvas.DrawLine(At(0, -range), At(0, range), line);
        page.Canvas.DrawLine(At(-range, 0), At(range, 0), line);
        page.Canvas.Save();
        page.Canvas.ClipRect(box);
        foreach (var move in moves.OrderBy(m => m.Inside))
        {
            using var paint = new SKPaint { Color = (move.Inside ? DivergingColors.Of(-1) : Beyond).WithAlpha(150), IsAntialias = true };
            page.Canvas.DrawCircle(At(of(move).Predicted, of(move).Actual), move.Inside ? 2.6f : 2, paint);
        }
        page.Canvas.Restore();
        page.Frame(box, SheetCanvas.Line, 1);
        page.Text($"predicted motion in {name} (frame: ±{range:0.00})", box.MidX, box.Bottom + 22, 12.5f, SheetCanvas.Quiet, align: 0.5f);
        page.Canvas.Save();
        page.Canvas.RotateDegrees(-90, box.Left - 12, box.MidY);
        page.Text($"actual motion in {name}", box.Left - 12, box.MidY, 12.5f, SheetCanvas.Quiet, align: 0.5f);
        page.Canvas.Restore();
    }
}
