namespace MLNetLinearize.Benchmarks.Networks;

/// <summary>Weights from a seeded generator, scaled so that activations keep their size (He et al. 2015, arXiv 1502.01852).</summary>
internal sealed class Draw(int seed)
{
    private readonly Random random = new(seed);

    public Dense Dense(int from, int to) => new(from, to, Normal(from * to, Math.Sqrt(2.0 / from)), Normal(to, 0.1));

    public Conv Conv(int from, int to, int size, int stride = 1, int padding = 0, bool hasBias = true) =>
        new(from, to, size, stride, padding, Normal(to * from * size * size, Math.Sqrt(2.0 / (from * size * size))), hasBias ? Normal(to, 0.1) : null);

    public BatchNorm BatchNorm(int channels) => new(Uniform(channels, 0.5, 1), Normal(channels, 0.1), Normal(channels, 0.1), Uniform(channels, 0.5, 1.5));

    /// <summary>Normally distributed values, by the transform of Box and Muller.</summary>
    public float[] Normal(int count, double scale)
    {
        var values = new float[count];
        for (var i = 0; i < count; i++)
            values[i] = (float)(scale * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        return values;
    }

    private float[] Uniform(int count, double low, double high)
    {
        var values = new float[count];
        for (var i = 0; i < count; i++) values[i] = (float)(low + (high - low) * random.NextDouble());
        return values;
    }
}
