using MathNet.Numerics.LinearAlgebra;
using MLNetLinearize;

namespace Layers;

/// <summary>What one image does inside a network: at each stage, how it got there from the pixels and how the scores follow from it.</summary>
/// <param name="Image">The image.</param>
/// <param name="Explanation">The predicted class's score, explained by every layer.</param>
/// <param name="Steps">The stages from the pixels to the scores.</param>
/// <param name="Whole">The map from the pixels to the scores.</param>
internal sealed record Story(Image Image, LayerExplanation Explanation, Step[] Steps, LinearMap Whole)
{
    public int Predicted => (int)Explanation.Targets[0];

    public float Score => Explanation.ExplainedScores[0];

    /// <summary>Largest error of Σ contributions + bias = score over all layers, relative to the score where that is above 1.</summary>
    public float WorstError => Explanation.Layers.Max(l => l.Error[0]);

    /// <summary>
    /// Largest difference between the two halves put together and the whole, over the stages that have both: W₂·W₁ against W,
    /// and W₂·b₁ + b₂ against b, relative to the largest entry.
    /// </summary>
    public double WorstComposition => Steps.Where(s => s.FromInput is not null && s.ToScores is not null).Max(s => Math.Max(
        Difference(Whole.Weights, s.ToScores!.Weights * s.FromInput!.Weights),
        Difference(Whole.Bias.ToColumnMatrix(), (s.ToScores.Weights * s.FromInput.Bias + s.ToScores.Bias).ToColumnMatrix())));

    public static Story Of(Network network, Image image)
    {
        var explanation = network.EveryLayer.Explain(image.Pixels);
        var steps = network.Stages.Select(stage => Step.Of(network, image, stage, explanation.Layers.Single(l => l.Layer.Tensor == stage.Tensor))).ToArray();
        return new(image, explanation, steps, steps[0].ToScores!);
    }

    private static double Difference(Matrix<float> expected, Matrix<float> actual) => (expected - actual).Enumerate().Max(Math.Abs) / expected.Enumerate().Max(Math.Abs);
}

/// <summary>One stage of a story.</summary>
/// <param name="Stage">The stage.</param>
/// <param name="Layer">What its units contributed to the score, and what was added behind.</param>
/// <param name="Active">Units other than zero.</param>
/// <param name="FromInput">The map from the pixels, where it was written out.</param>
/// <param name="Seen">Its singular values, and the pixel patterns that reach this stage most strongly.</param>
/// <param name="BiasShare">‖b‖ / ‖a‖: how much of the stage's value a is there whatever the pixels are, inside this linear region.</param>
/// <param name="Strongest">How the units that contributed most follow from the pixels, a row of W for each; null at the pixels.</param>
/// <param name="ToScores">The map to the scores; null at the scores themselves.</param>
/// <param name="Read">Its singular values: how many directions of this stage the scores depend on.</param>
internal sealed record Step(Stage Stage, LayerAttribution Layer, int Active, LinearMap? FromInput, Spectrum? Seen, double? BiasShare, Matrix<float>? Strongest, LinearMap? ToScores, Spectrum? Read)
{
    /// <summary>Patterns, and units, that a picture shows of a stage at most.</summary>
    public const int Shown = 3;

    public static Step Of(Network network, Image image, Stage stage, LayerAttribution layer)
    {
        var fromInput = network.FromInput(stage, image);
        var toScores = stage == network.Stages[^1] ? null : network.ToScores(stage, image);
        var value = toScores?.Input ?? fromInput!.Scores;
        int[] strongest = [.. Enumerable.Range(0, value.Count).Where(i => layer.Attribution[0, i] != 0).OrderByDescending(i => Math.Abs(layer.Attribution[0, i])).Take(Shown)];
        return new(stage, layer, value.Count(v => v != 0),
            fromInput, fromInput is null ? null : Spectrum.Of(fromInput.Weights, Shown), fromInput is null ? null : fromInput.Bias.L2Norm() / fromInput.Scores.L2Norm(),
            stage == network.Stages[0] ? null : network.ToUnits(stage, image, strongest),
            toScores, toScores is null ? null : Spectrum.Of(toScores.Weights, Shown));
    }
}
