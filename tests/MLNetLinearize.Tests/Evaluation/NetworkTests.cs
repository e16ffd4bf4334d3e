using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize.Evaluation;
using MLNetLinearize.Linearization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Runtime;
using MLNetLinearize.Tests.Rules;
using MLNetLinearize.Transforms;

namespace MLNetLinearize.Tests.Evaluation;

/// <summary>Evaluations of small networks, against the same measures written out again over arithmetic of its own.</summary>
public class NetworkTests
{
    private const int Inputs = 6, Hidden = 5, Outputs = 3;
    private readonly MLContext ml = new(seed: 1);
    private readonly float[] first = Draw(1, Hidden * Inputs), firstBias = Draw(2, Hidden), second = Draw(3, Outputs * Hidden), secondBias = Draw(4, Outputs);

    private sealed class Row
    {
        [VectorType(Inputs)]
        public float[] x { get; set; } = [];
    }

    private static float[] Draw(int seed, int count)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() * 2 - 1)];
    }

    private ModelProto Model(string activation)
    {
        var net = new Net(17, 1);
        var x = net.Input("x", "N", Inputs);
        var hidden = net.Op(activation, [net.Op("Gemm", [x, net.Floats(first, Hidden, Inputs), net.Floats(firstBias, Hidden)], ("transB", 1))]);
        return net.Build(net.Op("Gemm", [hidden, net.Floats(second, Outputs, Hidden), net.Floats(secondBias, Outputs)], ("transB", 1)), "N", Outputs);
    }

    private double[] Scores(IReadOnlyList<double> x, Func<double, double> activation)
    {
        var hidden = Enumerable.Range(0, Hidden).Select(h => activation(firstBias[h] + Enumerable.Range(0, Inputs).Sum(i => first[h * Inputs + i] * x[i]))).ToArray();
        return [.. Enumerable.Range(0, Outputs).Select(o => secondBias[o] + Enumerable.Range(0, Hidden).Sum(h => second[o * Hidden + h] * hidden[h]))];
    }

    private IDataView Data(int count) => ml.Data.LoadFromEnumerable(Enumerable.Range(0, count).Select(i => new Row { x = Draw(100 + i, Inputs) }));

    private AttributionEvaluation Evaluate(ModelProto model, int rows, EvaluateOptions? options = null, LinearizeOptions? linearize = null)
    {
        using var transformer = new LinearizingEstimator(Compiler.Compile(model, linearize ?? new())).Fit(Data(1));
        return transformer.Evaluate(Data(rows), options);
    }

    [Fact]
    public void MeasuresAreThoseOfAnIndependentImplementation()
    {
        static double Relu(double v) => Math.Max(0, v);
        var evaluation = Evaluate(Model("Relu"), 20, new() { Baseline = 0.25f, Steps = 4, Shares = [0.2, 0.6] });
        var (deletion, insertion, comprehensiveness, sufficiency, occlusion) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for (var r = 0; r < 20; r++)
        {
            double[] x = [.. Draw(100 + r, Inputs)];
            var scores = Scores(x, Relu);
            var c = Array.IndexOf(scores, scores.Max());
            // The gradient by the active neurons.
            var active = Enumerable.Range(0, Hidden).Where(h => firstBias[h] + Enumerable.Range(0, Inputs).Sum(i => first[h * Inputs + i] * x[i]) > 0).ToList();
            var ranked = Enumerable.Range(0, Inputs).OrderByDescending(i => x[i] * active.Sum(h => second[c * Hidden + h] * first[h * Inputs + i])).ToList();
            double Probability(Func<int, bool> keeps)
            {
                var s = Scores([.. x.Select((v, i) => keeps(i) ? v : 0.25)], Relu);
                return Math.Exp(s[c]) / s.Sum(Math.Exp);
            }
            double Without(int k) => Probability(i => !ranked.Take(k).Contains(i));
            double Alone(int k) => Probability(i => ranked.Take(k).Contains(i));
            // Four steps of six units end at 0, 2 (1.5), 3, 4 (4.5) and 6 units.
            int[] steps = [0, 2, 3, 4, 6];
            double Area(Func<int, double> curve) => steps.Zip(steps.Skip(1), (a, b) => (b - a) / 6.0 * (curve(a) + curve(b)) / 2).Sum();
            deletion += Area(Without) / 20;
            insertion += Area(Alone) / 20;
            // 20 % of six are two (1.2), 60 % four (3.6).
            comprehensiveness += (2 * Without(0) - Without(2) - Without(4)) / 2 / 20;
            sufficiency += (2 * Without(0) - Alone(2) - Alone(4)) / 2 / 20;
            var drops = Enumerable.Range(0, Inputs).Sum(i => scores[c] - Scores([.. x.Select((v, j) => j == i ? 0.25 : v)], Relu)[c]);
            var empty = Scores([.. Enumerable.Repeat(0.25, Inputs)], Relu)[c];
            occlusion += Math.Abs(scores[c] - (drops + empty)) / Math.Max(1, Math.Abs(scores[c])) / 20;
        }
        var ours = evaluation.Methods[0];

        Assert.Equal([0, 2 / 6.0, 3 / 6.0, 4 / 6.0, 1], evaluation.Fractions);
        Assert.Equal(deletion, ours.DeletionArea.Mean, 1e-5);
        Assert.Equal(insertion, ours.InsertionArea.Mean, 1e-5);
        Assert.Equal(comprehensiveness, ours.Comprehensiveness.Mean, 1e-5);
        Assert.Equal(sufficiency, ours.Sufficiency.Mean, 1e-5);
        Assert.Equal(occlusion, evaluation.Methods.Single(m => m.Method == AttributionMethod.Occlusion).CompletenessError.Mean, 1e-5);
        Assert.InRange(ours.LargestCompletenessError, 0, 1e-5);
    }

    [Fact]
    public void FrozenIsComparedWithTheTangent()
    {
        var evaluation = Evaluate(Model("Sigmoid"), 10, linearize: new() { Nonlinearity = Nonlinearity.Frozen });
        var (ours, gradient) = (evaluation.Methods[0], evaluation.Methods.Single(m => m.Method == AttributionMethod.InputTimesGradient));

        // Central differences know neither, and tell the two apart.
        Assert.InRange(gradient.GradientCorrelation.Mean, 0.999, 1.0001);
        Assert.True(ours.GradientCorrelation.Mean < gradient.GradientCorrelation.Mean - 0.0005, $"{ours.GradientCorrelation} {gradient.GradientCorrelation}");
        Assert.Equal(1, ours.RankAgreement.Mean, 1e-12);
        Assert.InRange(ours.LargestCompletenessError, 0, 1e-5);
    }

    [Theory]
    [InlineData(Nonlinearity.Tangent)]
    [InlineData(Nonlinearity.Frozen)]
    public void TheNetworkInsideTheGraphIsExplainedAsTheModelIs(Nonlinearity nonlinearity)
    {
        var graph = Compiler.Compile(Model("Tanh"), new() { Nonlinearity = nonlinearity, Targets = Targets.All });
        var again = ForwardNetwork.Of(graph).Explain(nonlinearity);
        var x = Draw(9, 4 * Inputs);
        using ExplanationSession all = new(graph), labelled = new(again);
        var expected = all.Run(new Dictionary<string, Array> { ["x"] = x }, 4);
        for (var c = 0; c < Outputs; c++)
        {
            var actual = labelled.Run(new Dictionary<string, Array> { ["x"] = x, [OutputNames.Label] = Enumerable.Repeat((long)c, 4).ToArray() }, 4);
            for (var r = 0; r < 4; r++)
            {
                Transforms.Rows.Close(expected.Single(OutputNames.Attribution, r).Slice(c * Inputs, Inputs).ToArray(), actual.Single(OutputNames.Attribution, r).ToArray(), 1e-5f);
                Assert.Equal(expected.Single(OutputNames.Bias, r)[c], actual.Single(OutputNames.Bias, r)[0], 1e-5f);
            }
        }
    }

    [Fact]
    public void WeightsAreRandomisedFromTheTop()
    {
        var graph = Compiler.Compile(Model("Relu"), new());
        var network = ForwardNetwork.Of(graph);
        var layers = network.Layers();
        Assert.Equal(2, layers.Count);
        var noisy = network.Randomize(layers[0].Weights, new Random(1)).Explain(Nonlinearity.Tangent);
        using var session = new ExplanationSession(noisy);
        var x = Draw(9, Inputs);
        var batch = session.Run(new Dictionary<string, Array> { ["x"] = x, [OutputNames.Label] = new long[] { 0 } }, 1);

        // The noise is in the last layer alone: the scores are another mixture of the same hidden values. Three outputs of five unknown weights each cannot be
        // told from one row, so ask many rows: with the true first layer they solve for those weights.
        const int rows = 40;
        var many = Draw(11, rows * Inputs);
        var scores = session.Run(new Dictionary<string, Array> { ["x"] = many, [OutputNames.Label] = new long[rows] }, rows);
        var hidden = MathNet.Numerics.LinearAlgebra.Matrix<double>.Build.Dense(rows, Hidden, (r, h) => Math.Max(0, firstBias[h] + Enumerable.Range(0, Inputs).Sum(i => first[h * Inputs + i] * many[r * Inputs + i])));
        for (var o = 0; o < Outputs; o++)
        {
            var y = MathNet.Numerics.LinearAlgebra.Vector<double>.Build.Dense(rows, r => scores.Single(OutputNames.Score, r)[o] - secondBias[o]);
            var weights = hidden.Solve(y);
            Assert.True((hidden * weights - y).L2Norm() < 1e-4, "the first layer or the last bias has changed");
            Assert.True(weights.Select((w, h) => Math.Abs(w - second[o * Hidden + h])).Max() > 0.05, "the last layer has not changed");
        }
        Assert.InRange(batch.Single(OutputNames.LinearizationError, 0)[0], 0, 1e-5f);
    }

    [Fact]
    public void SanityCheckOfALearnedAndOfAFixedExplanation()
    {
        var evaluation = Evaluate(Model("Relu"), 30, new() { RandomizedRows = 30, RandomizedStages = 5 });

        Assert.Equal(2, evaluation.RandomizedStages.Count);
        Assert.All(evaluation.RandomizedStages, s => Assert.InRange(s.RankCorrelation.Mean, -0.9, 0.9));
        Assert.All(evaluation.RandomizedStages, s => Assert.True(double.IsNaN(s.StructuralSimilarity.Mean)));
        // One layer whose weights are all equal to their root mean square in size, but for the sign: |contributions| are |x| before.
        var sizes = Evaluate(HandWorkedTests.Linear([1, -1, 1, -1, 1, -1], [0]), 30, new() { RandomizedRows = 30 }).RandomizedStages.Single();
        Assert.InRange(sizes.AbsoluteRankCorrelation.Mean, 0.1, 0.95);
        Assert.InRange(sizes.RankCorrelation.Mean, -0.95, 0.95);
    }

    [Fact]
    public void TheSameSeedGivesTheSameAndAnotherOtherSamples()
    {
        var (a, b, c) = (Evaluate(Model("Relu"), 5), Evaluate(Model("Relu"), 5), Evaluate(Model("Relu"), 5, new() { Seed = 2 }));

        Assert.Equal(Text(a), Text(b));
        Assert.NotEqual(a.Methods[0].Infidelity, c.Methods[0].Infidelity);
        Assert.Equal(a.Methods[0].DeletionArea, c.Methods[0].DeletionArea);

        static string Text(AttributionEvaluation e) => System.Text.Json.JsonSerializer.Serialize(e, new System.Text.Json.JsonSerializerOptions { NumberHandling = System.Text.Json.Serialization.JsonNumberHandling.AllowNamedFloatingPointLiterals });
    }

    [Fact]
    public void EveryTargetIsAnExplanation()
    {
        var evaluation = Evaluate(Model("Relu"), 4, linearize: new() { Targets = Targets.Top(2) });

        Assert.Equal((4, 8), (evaluation.Rows, evaluation.Explanations));
    }

    [Fact]
    public void WhatIsLeftOutIsNotThere()
    {
        var evaluation = Evaluate(Model("Relu"), 3, new() { InfidelitySamples = 0, SensitivitySamples = 0, GradientSamples = 0, RandomizedRows = 0 });
        var measures = evaluation.ToDataView(ml);

        Assert.Empty(evaluation.RandomizedStages);
        Assert.True(double.IsNaN(evaluation.Methods[0].Infidelity.Mean) && double.IsNaN(evaluation.Methods[0].MaxSensitivity.Mean) && double.IsNaN(evaluation.Methods[0].GradientCorrelation.Mean));
        Assert.DoesNotContain("infidelity", measures.GetColumn<string>("Measure"));
        Assert.Equal(4 * 6, measures.GetColumn<string>("Method").Count());
        Assert.Equal(evaluation.Methods.SelectMany(m => m.Deletion), evaluation.CurvesToDataView(ml).GetColumn<double>("Deletion"));
    }

    [Fact]
    public void ProgressIsToldAndAStopIsHeeded()
    {
        using var transformer = new LinearizingEstimator(Compiler.Compile(Model("Relu"), new())).Fit(Data(1));
        using var stop = new CancellationTokenSource();
        var heard = new Heard(rows =>
        {
            if (rows == 3) stop.Cancel();
        });

        Assert.Throws<OperationCanceledException>(() => transformer.Evaluate(Data(10), progress: heard, cancellation: stop.Token));
        Assert.Equal([1, 2, 3], heard.Rows);
    }

    [Fact]
    public void WrongUseIsToldInOneError()
    {
        void Refused(string expected, EvaluateOptions? options = null, LinearizeOptions? linearize = null)
        {
            var error = Assert.ThrowsAny<Exception>(() => Evaluate(Model("Relu"), 1, options, linearize));
            Assert.True(error is ArgumentException or InvalidOperationException, error.ToString());
            Assert.Contains(expected, error.Message, StringComparison.Ordinal);
        }
        Refused("Steps is 0; expected 1 or more", new() { Steps = 0 });
        Refused("a list of 2 values; expected 6 finite numbers", new() { BaselineRow = [1, 2] });
        Refused("Shares is [0.5, 2]", new() { Shares = [0.5, 2] });
        Refused("which is no image", new() { Unit = EvaluationUnit.Pixel });
        Refused("expected [H, W]", new() { ImageShape = [2, 2] });
        Refused("the difference of two", linearize: new() { Targets = Targets.PredictedVersusRunnerUp });
        Refused("Explain by the model's inputs", linearize: new() { ExplainedInputs = ["Relu4_0"] });
    }

    private sealed class Heard(Action<long> then) : IProgress<long>
    {
        public List<long> Rows { get; } = [];

        public void Report(long value)
        {
            Rows.Add(value);
            then(value);
        }
    }
}
