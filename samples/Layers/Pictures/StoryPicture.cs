using MathNet.Numerics.LinearAlgebra;
using MLNetLinearize.Reporting;
using SkiaSharp;

namespace Layers.Pictures;

/// <summary>
/// One image's way through a network, a column for each stage: where the contributions to the score sit and how they and
/// the bias make it up; which patterns of pixels reach the stage; how many of its directions the scores depend on.
/// </summary>
internal static class StoryPicture
{
    private const float Margin = 28, Label = 150, Head = 116, Plot = 74, Small = 34, RowGap = 30, Right = 84;

    public static void Save(string file, Network network, Story story)
    {
        var left = Margin + Label;
        var width = left + LayerStrip.Width(story.Steps.Length) + Right + Margin;
        var below = Head + LayerStrip.Height + RowGap;
        var patterns = below + Small + 26 + RowGap;
        var scores = patterns + Plot + Small + 34 + RowGap;
        using var page = new SheetCanvas(width, scores + Plot + Margin + 12);
        var (truth, said) = (network.Classes[story.Image.Label], network.Classes[story.Predicted]);
        page.Text(truth == said ? $"{said}, and how {network.Name} arrives at it" : $"{truth}, taken for {said}, and how {network.Name} arrives at it", Margin, 38, 22, SheetCanvas.Ink, strong: true);
        page.Text("Under this image's own activation pattern every layer is an affine map of the pixels, and the scores are an affine map of every layer. Red spoke for the score, blue against it.", Margin, 62, 12, SheetCanvas.Quiet);
        page.Text("Bars: what a layer's units contributed together, Σ (red or blue), and the bias added behind it, b (ochre). Σ + b is the same score at every layer.", Margin, 80, 12, SheetCanvas.Quiet);

        var shape = new ImageShape(network.Side, network.Side);
        using (var photograph = HeatMap.Photograph(story.Image.Pixels, shape))
            page.Picture(photograph, SKRect.Create(Margin, Head + LayerStrip.MapTop, LayerStrip.Cell, LayerStrip.Cell));
        page.Text("the image", Margin, Head + 13, 13, SheetCanvas.Ink, strong: true);
        LayerStrip.Draw(page, left, Head, [.. story.Steps.Select(s => new LayerPanel(s.Stage.Title, s.Layer.Layer.RowShape, s.Layer.Attribution.Row(0).ToArray(), s.Layer.Sum[0], s.Layer.Bias[0]))], story.Score);

        Heading(page, below, "strongest units", "the three that contributed", "most: W from the pixels");
        Heading(page, patterns, "from the pixels", "singular values of the map,", "and the three patterns of", "pixels it passes on most");
        Heading(page, scores, "to the scores", "singular values of the map", "from here to the scores");
        for (var i = 0; i < story.Steps.Length; i++)
        {
            var (step, x) = (story.Steps[i], left + i * (LayerStrip.Cell + LayerStrip.Gap));
            if (step.Strongest is { } units) Images(page, units.EnumerateRows(), shape, x, below + 4);
            else Note(page, x, below - 14, ["each pixel", "is a unit"]);
            if (step.Seen is { } seen)
            {
                Values(page, seen, x, patterns);
                Images(page, seen.Patterns.EnumerateColumns().Select(p => p.ToSingle()).Select(WithoutSign), shape, x, patterns + Plot + 22);
            }
            else Note(page, x, patterns, i == 0 ? ["the pixels", "themselves"] : [$"{step.Layer.Layer.RowLength:N0} × {story.Image.Pixels.Length}:", "too wide to write out"]);
            if (step.Read is { } read) Values(page, read, x, scores);
            else Note(page, x, scores, ["the scores", "themselves"]);
        }
        using var stream = File.Create(file);
        page.SavePng(stream);
    }

    private static void Heading(SheetCanvas page, float y, string title, params string[] lines)
    {
        page.Rule(Margin, y - 14, page.Canvas.LocalClipBounds.Width - 2 * Margin);
        page.Text(title, Margin, y + 13, 13, SheetCanvas.Ink, strong: true);
        for (var i = 0; i < lines.Length; i++) page.Text(lines[i], Margin, y + 30 + 14 * i, 11, SheetCanvas.Quiet);
    }

    private static void Note(SheetCanvas page, float x, float y, string[] lines)
    {
        for (var i = 0; i < lines.Length; i++) page.Text(lines[i], x + LayerStrip.Cell / 2, y + 44 + 14 * i, 11, SheetCanvas.Quiet, align: 0.5f);
    }

    /// <summary>Patterns of pixels side by side, each on its own scale.</summary>
    private static void Images(SheetCanvas page, IEnumerable<Vector<float>> patterns, ImageShape shape, float x, float y)
    {
        foreach (var (k, pattern) in patterns.Index())
        {
            var pixels = pattern.ToArray();
            using var bitmap = HeatMap.Draw(pixels, shape, HeatMap.Scale(pixels));
            var box = SKRect.Create(x + k * (Small + (LayerStrip.Cell - Step.Shown * Small) / (Step.Shown - 1)), y, Small, Small);
            page.Picture(bitmap, box);
            page.Frame(box, SheetCanvas.Line, 1);
        }
    }

    /// <summary>A singular vector's sign says nothing: its strongest pixel is made positive.</summary>
    private static Vector<float> WithoutSign(Vector<float> pattern) => pattern[pattern.AbsoluteMaximumIndex()] < 0 ? -pattern : pattern;

    /// <summary>Singular values as bars on a logarithmic scale of three decades below the largest.</summary>
    private static void Values(SheetCanvas page, Spectrum spectrum, float x, float y)
    {
        const double decades = 3;
        page.Text($"rank {spectrum.Rank}", x, y + 13, 11, SheetCanvas.Ink, strong: true);
        page.Text($"largest {spectrum.Values[0]:0.0}", x + LayerStrip.Cell, y + 13, 11, SheetCanvas.Quiet, align: 1);
        var box = new SKRect(x, y + 20, x + LayerStrip.Cell, y + 20 + Plot - 12);
        using var paint = new SKPaint { Color = SheetCanvas.Ink.WithAlpha(190), IsAntialias = true };
        var width = box.Width / spectrum.Values.Length;
        for (var i = 0; i < spectrum.Values.Length; i++)
        {
            var height = (float)(Math.Max(0, 1 + Math.Log10(Math.Max(spectrum.Values[i] / spectrum.Values[0], 1e-12)) / decades) * box.Height);
            page.Canvas.DrawRect(SKRect.Create(box.Left + i * width, box.Bottom - height, Math.Max(width * 0.84f, 0.4f), height), paint);
        }
        page.Rule(box.Left, box.Bottom, box.Width);
    }
}
