using Microsoft.ML;

namespace MLNetLinearize;

/// <summary>
/// How well attributions say what the network computed, on a data set: those of the linearization beside three others, by
/// the same measures. The definitions are at <see cref="MethodEvaluation"/> and <see cref="RandomizedStage"/>.
/// </summary>
public sealed record AttributionEvaluation
{
    /// <summary>The properties by name.</summary>
    public override string ToString() => RecordText.Of(this);

    /// <summary>Number of rows read.</summary>
    public required long Rows { get; init; }

    /// <summary>Number of explanations that were judged: each explained target of a row is one.</summary>
    public required long Explanations { get; init; }

    /// <summary>Number of explanations left out: NaN or infinite, or without a known label.</summary>
    public required long Skipped { get; init; }

    /// <summary>What was removed and kept as one.</summary>
    public required EvaluationUnit Unit { get; init; }

    /// <summary>Number n of units of a row.</summary>
    public required int Units { get; init; }

    /// <summary>In what the curves, comprehensiveness and sufficiency are measured.</summary>
    public required EvaluationScale Scale { get; init; }

    /// <summary>Value that a removed element took; null where each took its own (<see cref="EvaluateOptions.BaselineRow"/>).</summary>
    public required float? Baseline { get; init; }

    /// <summary>Shares of the units at the points of <see cref="MethodEvaluation.Deletion"/> and <see cref="MethodEvaluation.Insertion"/>, from 0 to 1.</summary>
    public required IReadOnlyList<double> Fractions { get; init; }

    /// <summary>The linearization, then those it is compared with.</summary>
    public required IReadOnlyList<MethodEvaluation> Methods { get; init; }

    /// <summary>The sanity check by randomised weights, the last layer first; empty where it was left out.</summary>
    public required IReadOnlyList<RandomizedStage> RandomizedStages { get; init; }

    /// <summary>
    /// One row for each method and measure, with the columns Method, Measure (text), Mean, StandardError (Double),
    /// HigherIsBetter (Boolean; true also where it is agreement rather than merit) and Source (text). Measures that were left out are not among them.
    /// </summary>
    /// <param name="context">Where the data view belongs.</param>
    public IDataView ToDataView(MLContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return Evaluation.EvaluationView.Measures(context, this);
    }

    /// <summary>
    /// One row for each method and point of the curves, with the columns Method (text), Fraction, Deletion and Insertion
    /// (Double).
    /// </summary>
    /// <param name="context">Where the data view belongs.</param>
    public IDataView CurvesToDataView(MLContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return Evaluation.EvaluationView.Curves(context, this);
    }
}

/// <summary>A way to attribute a score to the inputs.</summary>
public enum AttributionMethod
{
    /// <summary>W∘x of the model's own linearization, with its bias.</summary>
    Linearization,

    /// <summary>The gradient times the input (A. Shrikumar et al., "Not Just a Black Box", 2016), which W∘x itself is where the network is piecewise linear or the option is <see cref="Nonlinearity.Tangent"/>.</summary>
    InputTimesGradient,

    /// <summary>
    /// By how much the score falls when a patch is covered by the baseline (M. Zeiler and R. Fergus, "Visualizing and
    /// Understanding Convolutional Networks", ECCV 2014), the fall spread evenly over the patch, the mean over the patches
    /// that cover a unit. A patch is a square of a seventh of the image's shorter side, moved by half of it; a unit by itself
    /// where the input is no image.
    /// </summary>
    Occlusion,

    /// <summary>The contributions of <see cref="Linearization"/> dealt out to the units at random: the right sizes in the wrong places.</summary>
    Random,
}

/// <summary>A mean over explanations, with the standard error of that mean; NaN where the measure was left out or there is nothing to measure.</summary>
/// <param name="Mean">The mean.</param>
/// <param name="StandardError">Standard deviation of the explanations' values by the square root of their number; 0 for one.</param>
public readonly record struct MeasuredValue(double Mean, double StandardError);

/// <summary>How one method did. Every measure is the mean over the explanations.</summary>
/// <remarks>
/// F is the explained score, m(·) the same on the evaluation's scale, x the row, x′ the baseline, a_i the contribution of
/// unit i. Units are ranked by their contribution, largest first, equal ones by position; that is their importance for the
/// explained output. A removed unit takes its value in x′.
/// </remarks>
public sealed record MethodEvaluation
{
    /// <summary>The properties by name.</summary>
    public override string ToString() => RecordText.Of(this);

    /// <summary>The method.</summary>
    public required AttributionMethod Method { get; init; }

    /// <summary>
    /// |F(x) − (Σ a_i + o)| / max(1, |F(x)|), lower is better: the completeness axiom of M. Sundararajan et al., "Axiomatic
    /// Attribution for Deep Networks", ICML 2017. The offset o is the bias b(x) for the linearization, which has one, and
    /// F(x′), the score of the baseline, for the others.
    /// </summary>
    public required MeasuredValue CompletenessError { get; init; }

    /// <summary>The largest such error.</summary>
    public required double LargestCompletenessError { get; init; }

    /// <summary>Area under the deletion curve, lower is better: V. Petsiuk et al., "RISE", BMVC 2018. By trapezoids over the share of removed units, from 0 to 1, of m itself.</summary>
    public required MeasuredValue DeletionArea { get; init; }

    /// <summary>Area under the insertion curve, higher is better: likewise; units are put back into x′. (RISE starts from a blurred image; the baseline serves data of any kind.)</summary>
    public required MeasuredValue InsertionArea { get; init; }

    /// <summary>
    /// Mean over the shares of m(x) − m(x without the top share), higher is better: J. DeYoung et al., "ERASER", ACL 2020.
    /// A share of n units is ⌈share · n⌉ of them.
    /// </summary>
    public required MeasuredValue Comprehensiveness { get; init; }

    /// <summary>Mean over the shares of m(x) − m(the top share alone, the rest at x′), lower is better: likewise.</summary>
    public required MeasuredValue Sufficiency { get; init; }

    /// <summary>
    /// Mean over random sets S of units of (Σ_{i∈S} a_i − (F(x) − F(x without S)))², lower is better: C.-K. Yeh et al., "On
    /// the (In)fidelity and Sensitivity of Explanations", NeurIPS 2019, with the perturbation of each unit by its distance
    /// from the baseline.
    /// </summary>
    public required MeasuredValue Infidelity { get; init; }

    /// <summary>
    /// Largest ‖a(y) − a(x)‖ / ‖a(x)‖ over random neighbours y of the row, of the same output, lower is better: likewise,
    /// relative to the length of a(x). Neighbours are drawn evenly from the cube around x.
    /// </summary>
    public required MeasuredValue MaxSensitivity { get; init; }

    /// <summary>
    /// Pearson correlation of the contributions with input × gradient, higher is nearer: not the gradient that the library
    /// computes, but central differences of the network's scores, (F(x + h·x_i) − F(x − h·x_i)) / 2h with h = 1/128, on a
    /// random sample of the units that are not 0. Agreement, not merit.
    /// </summary>
    public required MeasuredValue GradientCorrelation { get; init; }

    /// <summary>Spearman rank correlation of the contributions with those of the linearization, over all units. Agreement, not merit.</summary>
    public required MeasuredValue RankAgreement { get; init; }

    /// <summary>The mean deletion curve: m after the top share of units was removed, at each of <see cref="AttributionEvaluation.Fractions"/>.</summary>
    public required IReadOnlyList<double> Deletion { get; init; }

    /// <summary>The mean insertion curve: m with the top share of units alone.</summary>
    public required IReadOnlyList<double> Insertion { get; init; }
}

/// <summary>
/// Attributions after the weights down to a layer were replaced by noise, against the true ones: J. Adebayo et al., "Sanity
/// Checks for Saliency Maps", NeurIPS 2018, cascading randomisation. An explanation that stays the same does not depend on
/// what the network learned. The noise is normal, of mean 0 and the root mean square of the weights that it replaces.
/// </summary>
public sealed record RandomizedStage
{
    /// <summary>The properties by name.</summary>
    public override string ToString() => RecordText.Of(this);

    /// <summary>The layers that were randomised last, the one nearest the output first; all above them were randomised before.</summary>
    public required IReadOnlyList<string> Layers { get; init; }

    /// <summary>Spearman rank correlation of the contributions, over the units where x is not 0: elsewhere W∘x is 0 whatever the weights.</summary>
    public required MeasuredValue RankCorrelation { get; init; }

    /// <summary>Spearman rank correlation of the contributions' sizes, likewise.</summary>
    public required MeasuredValue AbsoluteRankCorrelation { get; init; }

    /// <summary>
    /// Structural similarity of the maps of the contributions' sizes, each divided by its largest (Z. Wang et al., "Image
    /// Quality Assessment", IEEE TIP 2004; even windows of 7 × 7, K₁ = 0.01, K₂ = 0.03); NaN where the input is no image.
    /// </summary>
    public required MeasuredValue StructuralSimilarity { get; init; }
}
