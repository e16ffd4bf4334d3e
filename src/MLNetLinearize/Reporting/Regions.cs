namespace MLNetLinearize.Reporting;

/// <summary>
/// Contributions by region: each pixel's contribution spread over its neighbourhood with Gaussian weights. Neighbouring
/// pixels of a deep network often speak loudly for and against one another; what is left in the sum is what the region
/// says. Each pixel's weights add up to 1, at the border too, so the map's total stays that of the contributions.
/// </summary>
internal static class Regions
{
    /// <summary>Standard deviation in pixels: a sixteenth of the shorter side.</summary>
    public static double Sigma(ImageShape shape) => Math.Min(shape.Height, shape.Width) / 16.0;

    public static float[] Of(ReadOnlySpan<float> pixels, ImageShape shape) => Spread(pixels, shape, Sigma(shape));

    /// <summary>The weighted mean of each neighbourhood: constant values stay constant, at the border too.</summary>
    public static float[] Average(ReadOnlySpan<float> pixels, ImageShape shape, double sigma)
    {
        var (values, ones) = (Spread(pixels, shape, sigma), Spread(Enumerable.Repeat(1f, pixels.Length).ToArray(), shape, sigma));
        return [.. values.Zip(ones, (v, one) => v / one)];
    }

    /// <summary>The spreading along one axis as a matrix, [to, from] row after row.</summary>
    public static float[] Matrix(int length, double sigma)
    {
        var matrix = new float[length * length];
        for (var at = 0; at < length; at++)
        {
            var weights = Weights(at, length, sigma, out var first);
            for (var i = 0; i < weights.Length; i++) matrix[(first + i) * length + at] = (float)weights[i];
        }
        return matrix;
    }

    /// <summary>Spreads each value over its neighbourhood; the total stays.</summary>
    private static float[] Spread(ReadOnlySpan<float> pixels, ImageShape shape, double sigma)
    {
        var (h, w) = (shape.Height, shape.Width);
        var across = new double[h * w];
        for (var x = 0; x < w; x++)
        {
            var weights = Weights(x, w, sigma, out var first);
            for (var y = 0; y < h; y++)
                for (var i = 0; i < weights.Length; i++) across[y * w + first + i] += weights[i] * pixels[y * w + x];
        }
        var result = new double[h * w];
        for (var y = 0; y < h; y++)
        {
            var weights = Weights(y, h, sigma, out var first);
            for (var i = 0; i < weights.Length; i++)
                for (var x = 0; x < w; x++) result[(first + i) * w + x] += weights[i] * across[y * w + x];
        }
        return Array.ConvertAll(result, v => (float)v);
    }

    /// <summary>What a pixel gives to each place along one axis, those from <paramref name="first"/> on.</summary>
    private static double[] Weights(int at, int length, double sigma, out int first)
    {
        var reach = (int)Math.Ceiling(3 * sigma);
        first = Math.Max(0, at - reach);
        var weights = new double[Math.Min(length - 1, at + reach) - first + 1];
        for (var i = 0; i < weights.Length; i++) weights[i] = Math.Exp(-0.5 * Math.Pow((first + i - at) / sigma, 2));
        var sum = weights.Sum();
        for (var i = 0; i < weights.Length; i++) weights[i] /= sum;
        return weights;
    }
}
