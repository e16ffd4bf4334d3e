namespace MLNetLinearize.Benchmarks.Networks;

/// <summary>Folds each BatchNorm into the convolution before it, in double precision.</summary>
internal static class BatchNormFolding
{
    public static IReadOnlyList<Layer> Fold(IReadOnlyList<Layer> layers)
    {
        var folded = new List<Layer>();
        foreach (var layer in layers)
        {
            if (layer is BatchNorm norm && folded is [.., Conv conv]) folded[^1] = Fold(conv, norm);
            else folded.Add(layer is Residual r ? new Residual(Fold(r.Body), Fold(r.Shortcut)) : layer);
        }
        return folded;
    }

    private static Conv Fold(Conv conv, BatchNorm norm)
    {
        var size = conv.Kernel.Length / conv.Out;
        double Slope(int channel) => norm.Scale[channel] / Math.Sqrt(norm.Variance[channel] + (double)BatchNorm.Epsilon);
        return conv with
        {
            Kernel = [.. conv.Kernel.Select((w, i) => (float)(w * Slope(i / size)))],
            Bias = [.. Enumerable.Range(0, conv.Out).Select(c => (float)((conv.Bias is { } bias ? bias[c] : 0.0) * Slope(c) + norm.Shift[c] - norm.Mean[c] * Slope(c)))],
        };
    }
}
