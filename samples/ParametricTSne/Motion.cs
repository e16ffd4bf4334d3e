using MLNetLinearize;

namespace ParametricTSne;

/// <summary>One pixel changed by <paramref name="Step"/>: where the map W says the point goes, and where it goes. Inside says that W holds there too.</summary>
internal sealed record Move(float Step, double PredictedX, double PredictedY, double ActualX, double ActualY, bool Inside)
{
    public double Gap => Math.Max(Math.Abs(PredictedX - ActualX), Math.Abs(PredictedY - ActualY));
}

/// <summary>
/// The experiment on W: brighten or darken the pixel that moves an image most, and compare. Within the linear region, where the
/// moved image has the same W, the prediction must be right; beyond, a ReLU has switched, and the figure shows by how much it matters.
/// </summary>
internal static class Motion
{
    private static readonly float[] Steps = [-0.3f, -0.1f, -0.03f, -0.01f, 0.01f, 0.03f, 0.1f, 0.3f];

    public static Move[] Measure(string encoder, IReadOnlyList<Point> points)
    {
        using var linearizer = new Linearizer(encoder, new() { Targets = Targets.All });
        return [.. points.SelectMany(point => OfOne(linearizer, point))];
    }

    private static IEnumerable<Move> OfOne(Linearizer linearizer, Point point)
    {
        var pixel = Enumerable.Range(0, point.Image.Pixels.Length).MaxBy(i => Length(point, i));
        var moved = Steps.Select(step =>
        {
            var pixels = (float[])point.Image.Pixels.Clone();
            pixels[pixel] += step;
            return pixels;
        });
        var start = linearizer.Explain(point.Image.Pixels);
        var maps = linearizer.ExplainBatch([.. moved.SelectMany(p => p)], Steps.Length);
        for (var k = 0; k < Steps.Length; k++)
        {
            var (after, step) = (maps[k], Steps[k]);
            yield return new(step, step * start.Weights[0, pixel], step * start.Weights[1, pixel],
                (double)after.Scores[0] - start.Scores[0], (double)after.Scores[1] - start.Scores[1], after.Weights.Equals(start.Weights));
        }
    }

    private static float Length(Point point, int i) => MathF.Sqrt(point.Weights[0, i] * point.Weights[0, i] + point.Weights[1, i] * point.Weights[1, i]);
}
