using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize.Linearization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Tests.Rules;
using MLNetLinearize.Transforms;

namespace MLNetLinearize.Tests.Evaluation;

/// <summary>
/// Measures of y = 2·a − 3·b + 0.5·c + 1 at the row (1, 1, 2): contributions 2, −3 and 1, bias 1, score 1, ranked a, c, b. All
/// figures are worked out on paper.
/// </summary>
public class HandWorkedTests
{
    private sealed class Row
    {
        [VectorType(3)]
        public float[] x { get; set; } = [1, 1, 2];
    }

    internal static ModelProto Linear(float[] weights, float[] bias)
    {
        var net = new Net(17, 1);
        var x = net.Input("x", "N", weights.Length / bias.Length);
        return net.Build(net.Op("Gemm", [x, net.Floats(weights, bias.Length, weights.Length / bias.Length), net.Floats(bias, bias.Length)], ("transB", 1)), "N", bias.Length);
    }

    private static AttributionEvaluation Evaluate(ModelProto model, EvaluateOptions options, params Row[] rows)
    {
        var ml = new MLContext(seed: 1);
        var data = ml.Data.LoadFromEnumerable(rows.Length == 0 ? [new()] : rows);
        using var transformer = new LinearizingEstimator(Compiler.Compile(model, new())).Fit(data);
        return transformer.Evaluate(data, options);
    }

    private static MethodEvaluation Of(AttributionEvaluation evaluation, AttributionMethod method) => evaluation.Methods.Single(m => m.Method == method);

    private static AttributionEvaluation One(EvaluateOptions? options = null) => Evaluate(Linear([2, -3, 0.5f], [1]), options ?? new() { Shares = [0.3, 0.5] });

    [Fact]
    public void CurvesAndTheirAreas()
    {
        var evaluation = One();
        var ours = Of(evaluation, AttributionMethod.Linearization);

        Assert.Equal((1, 1, 0, 3), (evaluation.Rows, evaluation.Explanations, evaluation.Skipped, evaluation.Units));
        Assert.Equal((EvaluationUnit.Element, EvaluationScale.Score), (evaluation.Unit, evaluation.Scale));
        Close([0, 1 / 3.0, 2 / 3.0, 1], evaluation.Fractions);
        // Without a: −1; without a and c: −2; without all: the bias.
        Close([1, -1, -2, 1], ours.Deletion);
        // a alone: 3; a and c: 4; all: 1.
        Close([1, 3, 4, 1], ours.Insertion);
        // Trapezoids: ((1 − 1)/2 + (−1 − 2)/2 + (−2 + 1)/2) / 3 and ((1 + 3)/2 + (3 + 4)/2 + (4 + 1)/2) / 3.
        Assert.Equal(-2 / 3.0, ours.DeletionArea.Mean, 1e-6);
        Assert.Equal(8 / 3.0, ours.InsertionArea.Mean, 1e-6);
    }

    [Fact]
    public void ComprehensivenessAndSufficiency()
    {
        var ours = Of(One(), AttributionMethod.Linearization);

        // 30 % of 3 is one unit, 50 % two: F drops by 2 and by 3; alone they leave 3 and 4 of the score 1.
        Assert.Equal((2 + 3) / 2.0, ours.Comprehensiveness.Mean, 1e-6);
        Assert.Equal((-2 - 3) / 2.0, ours.Sufficiency.Mean, 1e-6);
    }

    [Fact]
    public void CompletenessCountsTheBiasAndForOthersTheBaseline()
    {
        var evaluation = One(new() { Baseline = 1 });

        Assert.Equal(0, Of(evaluation, AttributionMethod.Linearization).CompletenessError.Mean, 1e-6);
        // Input × gradient sums to 0; the row of ones scores 0.5; |1 − 0.5| / max(1, 1).
        Assert.Equal(0.5, Of(evaluation, AttributionMethod.InputTimesGradient).CompletenessError.Mean, 1e-6);
        // Occlusion of a and b by 1 changes nothing, of c by 1 takes 0.5: 0.5 + 0.5 is the score.
        Assert.Equal(0, Of(evaluation, AttributionMethod.Occlusion).CompletenessError.Mean, 1e-6);
    }

    [Fact]
    public void ALinearNetworkHasNoInfidelityAndTheSensitivityOfItsContributions()
    {
        var evaluation = One(new() { SensitivityRadius = 0.5, SensitivitySamples = 400 });
        var ours = Of(evaluation, AttributionMethod.Linearization);

        Assert.Equal(0, ours.Infidelity.Mean, 1e-9);
        Assert.Equal(0, Of(evaluation, AttributionMethod.Occlusion).Infidelity.Mean, 1e-9);
        Assert.True(Of(evaluation, AttributionMethod.Random).Infidelity.Mean > 0.1);
        // The half side is 0.5 · 2 = 1, so a neighbour's contributions differ by at most (2, 3, 0.5), of length √13.25, from (2, −3, 1), of length √14.
        Assert.InRange(ours.MaxSensitivity.Mean, 0.75 * Math.Sqrt(13.25 / 14), Math.Sqrt(13.25 / 14));
        Assert.Equal(ours.MaxSensitivity.Mean, Of(evaluation, AttributionMethod.Occlusion).MaxSensitivity.Mean, 1e-5);
    }

    [Fact]
    public void AgreementWithTheGradientIsMeasuredWithoutIt()
    {
        var evaluation = One();

        foreach (var method in new[] { AttributionMethod.Linearization, AttributionMethod.InputTimesGradient, AttributionMethod.Occlusion })
        {
            Assert.Equal(1, Of(evaluation, method).GradientCorrelation.Mean, 1e-4);
            Assert.Equal(1, Of(evaluation, method).RankAgreement.Mean, 1e-9);
        }
    }

    [Fact]
    public void InfidelityOfARelu()
    {
        // y = relu(a + b + c − 3.5) at (1, 1, 2): W = (1, 1, 1), bias −3.5, score 0.5. Each unit removed (all, at a share of 1) leaves relu(−3.5) = 0.
        var net = new Net(17, 1);
        var x = net.Input("x", "N", 3);
        var sum = net.Op("Gemm", [x, net.Floats([1, 1, 1], 3, 1), net.Floats([-3.5f], 1)]);
        var evaluation = Evaluate(net.Build(net.Op("Relu", [sum]), "N", 1), new() { RemovedShare = 1, InfidelitySamples = 3 });

        // Contributions of all units sum to 4; the score falls by 0.5: (4 − 0.5)² each time.
        Assert.Equal(12.25, Of(evaluation, AttributionMethod.Linearization).Infidelity.Mean, 1e-4);
        Assert.Equal(0, Of(evaluation, AttributionMethod.Linearization).Infidelity.StandardError);
        // Occlusion: without a, b or c the score is 0, so each contributes 0.5: (1.5 − 0.5)².
        Assert.Equal(1, Of(evaluation, AttributionMethod.Occlusion).Infidelity.Mean, 1e-4);
    }

    [Fact]
    public void ScalesOfTwoOutputs()
    {
        // Scores (0, ln 3) at the row; ln 3 comes from the bias, and a = 1 takes 2·a from the other.
        var model = Linear([-2, 0, 0, 0, 0, 0], [2, (float)Math.Log(3)]);
        double First(EvaluationScale? scale) => Of(Evaluate(model, new() { Scale = scale }), AttributionMethod.Linearization).Deletion[0];

        Assert.Equal(0.75, First(null), 1e-6);
        Assert.Equal(0.75, First(EvaluationScale.Softmax), 1e-6);
        Assert.Equal(0.75, First(EvaluationScale.Sigmoid), 1e-6);
        Assert.Equal(Math.Log(3), First(EvaluationScale.Score), 1e-6);
        // Without all units the scores are (2, ln 3).
        Assert.Equal(3 / (3 + Math.Exp(2)), Of(Evaluate(model, new()), AttributionMethod.Linearization).Deletion[^1], 1e-6);
    }

    [Fact]
    public void MeansAndStandardErrorsAreOverTheRows()
    {
        var evaluation = Evaluate(Linear([2, -3, 0.5f], [1]), new() { Shares = [0.3] }, new Row { x = [1, 1, 2] }, new Row { x = [3, 1, 2] }, new Row { x = [float.NaN, 0, 0] });
        var ours = Of(evaluation, AttributionMethod.Linearization);

        Assert.Equal((3, 2, 1), (evaluation.Rows, evaluation.Explanations, evaluation.Skipped));
        // The falls are 2 and 6: mean 4, standard deviation √8, by √2.
        Assert.Equal(4, ours.Comprehensiveness.Mean, 1e-6);
        Assert.Equal(2, ours.Comprehensiveness.StandardError, 1e-6);
    }

    private static void Close(IEnumerable<double> expected, IEnumerable<double> actual)
    {
        foreach (var (e, a) in expected.Zip(actual, (e, a) => (e, a))) Assert.Equal(e, a, 1e-6);
        Assert.Equal(expected.Count(), actual.Count());
    }
}
