namespace MLNetLinearize.Benchmarks.Networks;

/// <summary>A network that every engine runs with the same weights.</summary>
/// <param name="Name">Its name in tables.</param>
/// <param name="RowShape">Shape of one input row.</param>
/// <param name="Outputs">Number of scores.</param>
/// <param name="Layers">Its layers.</param>
internal sealed record Network(string Name, int[] RowShape, int Outputs, IReadOnlyList<Layer> Layers)
{
    public const string Input = "input";
    public const string Output = "scores";

    public int RowLength => RowShape.Aggregate(1, (a, d) => a * d);

    public bool IsConvolutional => RowShape.Length == 3;

    public bool HasBatchNorm => Layers.Any(l => l is BatchNorm || l is Residual r && r.Body.Any(b => b is BatchNorm));

    /// <summary>Normally distributed rows, the same in every run.</summary>
    public float[] Rows(int count, int seed = 1)
    {
        var draw = new Draw(seed);
        return draw.Normal(count * RowLength, 1);
    }
}
