namespace MLNetLinearize.Reporting;

/// <summary>One layer of an explained row, as a picture shows it.</summary>
/// <param name="Title">What it is, in a word or two.</param>
/// <param name="Shape">Shape of the layer's tensor in a row.</param>
/// <param name="Attribution">What each element contributed.</param>
/// <param name="Sum">Σ attribution.</param>
/// <param name="Bias">What was added behind the layer.</param>
internal sealed record LayerPanel(string Title, IReadOnlyList<int> Shape, float[] Attribution, double Sum, double Bias)
{
    private static readonly HashSet<string> Rearranging = ["Reshape", "Flatten", "Identity", "Squeeze", "Unsqueeze", "Transpose", "Cast", "MaxPool", "AveragePool"];
    private static readonly HashSet<string> Elementwise = ["BatchNormalization", "Relu", "LeakyRelu", "PRelu", "Clip", "Sigmoid", "Tanh", "HardSigmoid", "HardSwish", "Elu", "Selu", "Celu", "Gelu", "Softplus", "Mish", "Mul"];

    /// <summary>Size of the map that <see cref="Map"/> gives: the last two dimensions; null for a vector.</summary>
    public (int Height, int Width)? MapSize => Shape is [.., > 1 and var h, > 1 and var w] ? (h, w) : null;

    /// <summary>
    /// The layers worth a panel: the first and the last, and those between that end a stage. Tensors that the next operator
    /// only scales, shifts or gates, and those that are only rearranged or pooled, show the same contributions once more.
    /// </summary>
    public static IReadOnlyList<LayerPanel> Stages(LayerExplanation row, int target)
    {
        var layers = row.Layers;
        // Whether layer i only scales, shifts or gates the one before.
        bool Follows(int i) => Elementwise.Contains(layers[i].Layer.Operator) && layers[i].Layer.RowShape.SequenceEqual(layers[i - 1].Layer.RowShape);
        // Whether the score is layer i, only rearranged.
        bool IsScore(int i) => layers.Skip(i + 1).All(l => Rearranging.Contains(l.Layer.Operator));
        bool EndsStage(int i) => i == 0 || i == layers.Count - 1
            || !Rearranging.Contains(layers[i].Layer.Operator) && !Follows(i + 1) && !(i == 1 && Follows(1)) && !IsScore(i);
        return [.. Enumerable.Range(0, layers.Count).Where(EndsStage).Select(i => new LayerPanel(
            i == layers.Count - 1 ? "score" : layers[i].Layer.Operator == "Input" ? "input" : layers[i].Layer.Operator,
            layers[i].Layer.RowShape, layers[i].Attribution.Row(target).ToArray(), layers[i].Sum[target], layers[i].Bias[target]))];
    }

    /// <summary>The contributions by place: summed over all dimensions but the last two, such as channels.</summary>
    public float[] Map()
    {
        var (height, width) = MapSize ?? throw new InvalidOperationException("A vector has no map.");
        var map = new float[height * width];
        for (var i = 0; i < Attribution.Length; i++) map[i % map.Length] += Attribution[i];
        return map;
    }

    /// <summary>The shape, such as <c>16 × 8 × 8</c>.</summary>
    public override string ToString() => string.Join(" × ", Shape);
}
