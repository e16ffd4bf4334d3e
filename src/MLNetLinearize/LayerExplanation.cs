using MathNet.Numerics.LinearAlgebra;

namespace MLNetLinearize;

/// <summary>One row's scores explained by every layer: <c>F = Σ attribution_l + b_l</c> at each layer l, for K targets.</summary>
public sealed class LayerExplanation
{
    internal LayerExplanation(Vector<float> scores, Vector<float> explainedScores, IReadOnlyList<long> targets, IReadOnlyList<LayerAttribution> layers)
    {
        Scores = scores;
        ExplainedScores = explainedScores;
        Targets = targets;
        Layers = layers;
    }

    /// <summary>All C scores of the row.</summary>
    public Vector<float> Scores { get; }

    /// <summary>F(x) of each target, length K.</summary>
    public Vector<float> ExplainedScores { get; }

    /// <summary>Index of the output that each target explains, length K.</summary>
    public IReadOnlyList<long> Targets { get; }

    /// <summary>The layers from the input to the explained tensor.</summary>
    public IReadOnlyList<LayerAttribution> Layers { get; }
}

/// <summary>One row's scores explained by one layer: what each of its n elements contributed, and what was added behind it.</summary>
public sealed class LayerAttribution
{
    internal LayerAttribution(NetworkLayer layer, Matrix<float> attribution, Vector<float> bias, Vector<float> scores)
    {
        Layer = layer;
        Attribution = attribution;
        Bias = bias;
        Sum = Vector<float>.Build.Dense(attribution.RowCount, k => (float)attribution.Row(k).Sum(v => (double)v));
        Error = Vector<float>.Build.Dense(scores.Count, k => Math.Abs(scores[k] - (Sum[k] + bias[k])) / Math.Max(1, Math.Abs(scores[k])));
    }

    /// <summary>The layer.</summary>
    public NetworkLayer Layer { get; }

    /// <summary>W∘a, K × n, where a is the layer's value and W the map from it to the scores.</summary>
    public Matrix<float> Attribution { get; }

    /// <summary>Σ attribution of each target, length K.</summary>
    public Vector<float> Sum { get; }

    /// <summary>
    /// b of the map from this layer to the scores, length K: the offsets of the operators behind it. The difference from
    /// the next layer's is what the operators between the two added.
    /// </summary>
    public Vector<float> Bias { get; }

    /// <summary><c>|F − (Σ attribution + b)| / max(1, |F|)</c> of each target, length K.</summary>
    public Vector<float> Error { get; }
}
