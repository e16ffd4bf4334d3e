using MathNet.Numerics.LinearAlgebra;
using MLNetLinearize.Onnx;
using MLNetLinearize.Runtime;
using MLNetLinearize.Tests.Oracle;
using MLNetLinearize.Tests.Rules;
using static MLNetLinearize.Tests.Rules.Agreement;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Tests.Assets;

/// <summary>The ONNX project's own test cases, by the oracle and by the compiler.</summary>
public class ConformanceTests
{
    /// <summary>At most this many elements of W are asked for at once.</summary>
    private const int LargestMatrix = 1_000_000;

    /// <summary>Where ONNX Runtime takes the whole size, and the ONNX project the exact product of size and scale, for the last corner.</summary>
    private static readonly string[] ComputedDifferently = ["test_resize_downsample_scales_cubic_align_corners", "test_resize_downsample_scales_linear_align_corners"];

    public static TheoryData<string> Names => [.. ConformanceCase.Names];

    /// <summary>Without VGG-19 and ZFNet-512: they take longest, and AlexNet has all their operators.</summary>
    public static TheoryData<string> Light => AssetFolder.Path is null
        ? ["none"]
        : [.. Directory.GetFiles(AssetFolder.File("conformance/onnx-light"), "*.onnx").Select(f => Path.GetFileName(f)).Where(f => f is not ("light_vgg19.onnx" or "light_zfnet512.onnx")).Order(StringComparer.Ordinal)];

    /// <summary>What the oracle knows it must compute as the ONNX project does.</summary>
    [AssetTheory]
    [MemberData(nameof(Names))]
    public void The_oracle_computes_the_expected_output_or_knows_that_it_does_not_know(string name)
    {
        var one = new ConformanceCase(name);
        if (!one.HasNumbers || !one.IsFinite) return;
        double[] output;
        try
        {
            output = DenseOracle.Evaluate(one.Model, one.Feeds, one.Model.Graph.Output[0].Name).Value;
        }
        catch (NotSupportedException e)
        {
            Assert.NotEmpty(e.Message);
            return;
        }
        AssertClose(DenseOracle.Read(one.Expected).Value, output, name, 1e-5, 1e-5);
    }

    /// <summary>A model is either explained exactly or refused in words.</summary>
    [AssetTheory]
    [MemberData(nameof(Names))]
    public void A_model_is_explained_as_the_oracle_does_or_refused_clearly(string name)
    {
        var one = new ConformanceCase(name);
        if (!one.HasNumbers || one.Explained is not { } explained || !one.IsFinite) return;
        LinearizationGraph graph;
        try
        {
            graph = Compile(one, explained);
        }
        catch (Exception e) when (e is UnsupportedOperatorException or InvalidModelException)
        {
            Assert.True(e.Message.Length > 40, e.Message);
            Assert.DoesNotContain("ONNX Runtime refuses the model", e.Message, StringComparison.Ordinal);
            return;
        }
        using var session = new ExplanationSession(graph);
        var batch = session.Run(graph.Inputs.ToDictionary(i => i.Name, i => ConformanceCase.Values(one.Inputs[i.Name])), 1);
        if (graph.Report.CutActivation is null && !ComputedDifferently.Any(c => name.EndsWith(c, StringComparison.Ordinal))) AssertClose(DenseOracle.Read(one.Expected).Value, batch.Single("Score", 0).ToArray().Widened(), "Score", 1e-5, 1e-5);
        var (weights, bias, scores) = (batch.Single("Weights", 0).ToArray(), batch.Single("Bias", 0).ToArray(), batch.Single("ExplainedScore", 0).ToArray());
        var targets = batch.Int64("ExplainedTarget", 0).ToArray();
        var x = one.Inputs[explained].ToSingle();
        var map = new LinearMap(Matrix<float>.Build.Dense(x.Length, targets.Length, weights).Transpose(), Vector<float>.Build.Dense(bias), Vector<float>.Build.Dense(x), Vector<float>.Build.Dense(batch.Single("Score", 0).ToArray()), Vector<float>.Build.Dense(scores), targets, Vector<float>.Build.Dense(batch.Single("LinearizationError", 0).ToArray()));
        // Some examples stand on a singular point, such as the root of zero: there no slope is finite.
        for (var k = 0; k < targets.Length; k++)
            if (map.Weights.Row(k).All(float.IsFinite)) AssertExact(map, k, $"target {k}");
        if (graph.Report.CutActivation is null) CompareWithOracle(one, explained, map);
    }

    /// <summary>Whole architectures whose weights are all alike, so that nearly every maximum is a tie.</summary>
    [AssetTheory]
    [MemberData(nameof(Light))]
    public void A_whole_architecture_is_exact(string file)
    {
        using var linearizer = new Linearizer(AssetFolder.File($"conformance/onnx-light/{file}"));
        var random = new Random(5);
        var map = linearizer.Explain([.. Enumerable.Range(0, linearizer.Graph.Inputs[0].RowLength).Select(_ => random.NextSingle())]);
        AssertExact(map, 0, file);
        var light = new LightModel(AssetFolder.File($"conformance/onnx-light/{file}"));
        var (expected, runtime) = light.Errors([.. linearizer.Explain(light.Row).Scores]);
        Assert.InRange(expected, 0, LightModel.LargestError);
        Assert.InRange(runtime, 0, LightModel.LargestError);
    }

    private static LinearizationGraph Compile(ConformanceCase one, string explained)
    {
        LinearizationGraph With(Targets targets) => LinearizationGraph.Compile(CaseRun.Stream(one.WithConstants(explained)), new() { Targets = targets });
        var graph = With(Targets.Predicted);
        return (long)graph.OutputCount * one.Inputs[explained].Count() <= LargestMatrix ? With(Targets.All) : graph;
    }

    private static void CompareWithOracle(ConformanceCase one, string explained, LinearMap map)
    {
        var tensor = one.Inputs[explained];
        // The oracle is dense: a direction for every element.
        if (map.Input.Count > 1000) return;
        var directions = Enumerable.Range(0, map.Input.Count).Select(i => Enumerable.Range(0, map.Input.Count).Select(j => i == j ? 1.0 : 0).ToArray()).ToList();
        AffineMap oracle;
        try
        {
            oracle = DenseOracle.Linearize(one.Model, explained, tensor.ToDouble(), [.. tensor.Dims], directions, null, one.Feeds);
        }
        catch (NotSupportedException)
        {
            return;
        }
        if (!oracle.Weights.Enumerate().All(double.IsFinite)) return;
        for (var k = 0; k < map.Targets.Count; k++) AssertClose(oracle.Weights.Row((int)map.Targets[k]), map.Weights.Row(k).Widened(), $"W of output {map.Targets[k]}", absolute: Math.Max(Absolute, Relative * oracle.Weights.Enumerate().Max(Math.Abs)));
    }
}
