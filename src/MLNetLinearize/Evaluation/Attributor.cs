using MLNetLinearize.Runtime;

namespace MLNetLinearize.Evaluation;

/// <summary>Attributions by a linearization graph: contributions of units, for any rows and the output that is asked for.</summary>
internal sealed class Attributor : IDisposable
{
    private readonly ExplanationSession session;
    private readonly RowCopies copies;
    private readonly Units units;
    private readonly CancellationToken cancel;

    /// <param name="graph">A graph of <see cref="ForwardNetwork.Explain"/>.</param>
    /// <param name="units">What contributions are summed over.</param>
    /// <param name="cancel">Stops between runs.</param>
    public Attributor(LinearizationGraph graph, Units units, CancellationToken cancel)
    {
        (this.units, this.cancel) = (units, cancel);
        session = new(graph, [.. graph.ExplainedInputs.Select(graph.AttributionOf)]);
        copies = new(session);
    }

    /// <param name="row">The row whose other inputs are taken.</param>
    /// <param name="target">The output.</param>
    /// <param name="points">Explained elements, one list for each explanation.</param>
    public double[][] Explain(EvaluatedRow row, long target, IReadOnlyList<float[]> points)
    {
        var results = new double[points.Count][];
        var joined = new float[row.X.Length];
        copies.Run(row, target, points.Count, (i, x) => points[i].CopyTo(x, 0), (i, batch, slot) =>
        {
            var at = 0;
            foreach (var output in session.Outputs)
            {
                var part = batch.Single(output, slot);
                part.CopyTo(joined.AsSpan(at));
                at += part.Length;
            }
            results[i] = units.Sum(joined);
        }, cancel);
        return results;
    }

    public void Dispose()
    {
        copies.Dispose();
        session.Dispose();
    }
}

/// <summary>The attributions that the linearization is compared with, which need nothing but scores.</summary>
internal static class Comparisons
{
    /// <summary>Occlusion, as <see cref="AttributionMethod.Occlusion"/> defines it.</summary>
    public static double[][] Occlusion(Scorer scorer, Units units, float[] baseline, EvaluatedRow row, long target, IReadOnlyList<float[]> points)
    {
        // Each point itself, then each point behind each patch.
        var perPoint = 1 + units.Patches.Count;
        var scores = scorer.Raw(row, target, points.Count * perPoint, (i, x) =>
        {
            points[i / perPoint].CopyTo(x, 0);
            if (i % perPoint > 0)
                foreach (var unit in units.Patches[i % perPoint - 1]) Perturbation.Remove(x, units.Elements[unit], baseline);
        });
        return [.. points.Select((_, p) => Spread(units, scores.AsSpan(p * perPoint, perPoint)))];
    }

    /// <summary>The values of <paramref name="attributions"/>, each list dealt out anew.</summary>
    public static double[][] Shuffled(IEnumerable<double[]> attributions, Random random) => [.. attributions.Select(a =>
    {
        var dealt = (double[])a.Clone();
        random.Shuffle(dealt);
        return dealt;
    })];

    private static double[] Spread(Units units, ReadOnlySpan<double> scores)
    {
        var (sums, covers) = (new double[units.Count], new int[units.Count]);
        for (var p = 0; p < units.Patches.Count; p++)
            foreach (var unit in units.Patches[p])
            {
                sums[unit] += (scores[0] - scores[p + 1]) / units.Patches[p].Length;
                covers[unit]++;
            }
        for (var u = 0; u < sums.Length; u++) sums[u] /= covers[u];
        return sums;
    }
}

/// <summary>Changes of a row.</summary>
internal static class Perturbation
{
    public static void Remove(float[] x, int[] elements, float[] baseline)
    {
        foreach (var e in elements) x[e] = baseline[e];
    }

    /// <summary>Neighbours of a row, even in the cube of a half side <paramref name="radius"/> · the row's largest absolute value.</summary>
    public static float[][] Neighbours(float[] x, int count, double radius, Random random)
    {
        var reach = radius * x.Max(Math.Abs);
        return [.. Enumerable.Range(0, count).Select(_ => x.Select(v => (float)(v + reach * (2 * random.NextDouble() - 1))).ToArray())];
    }
}
