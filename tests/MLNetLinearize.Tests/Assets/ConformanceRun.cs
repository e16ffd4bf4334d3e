using MathNet.Numerics.LinearAlgebra;
using Microsoft.ML.OnnxRuntime;
using MLNetLinearize.Onnx;
using MLNetLinearize.Runtime;
using MLNetLinearize.Tests.Oracle;
using MLNetLinearize.Tests.Rules;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Tests.Assets;

/// <summary>What became of a case, or of one of its outputs with respect to one of its inputs; the worst one counts.</summary>
internal enum Verdict
{
    NothingToExplain,
    Pass,
    NotRunByOnnxRuntime,
    AnsweredDifferently,
    BeyondSingle,
    Refused,
    Fail,
}

/// <summary>One of the ONNX project's cases: every float output explained with respect to every float input, the others held constant.</summary>
internal static class ConformanceRun
{
    /// <summary>At most this many elements of W are asked for at once; above, the predicted output alone.</summary>
    private const int LargestMatrix = 1_000_000;

    /// <summary>The oracle is dense, a direction for every element: above, differences along one direction.</summary>
    private const int LargestDense = 1_000;

    private const double LargestError = 1e-4;

    /// <summary>Said of a case whose contributions are so large that a float32 sum of them cannot be known to <see cref="LargestError"/>.</summary>
    public const string ByRounding = ", error judged by the rounding of its contributions";

    /// <summary>Said of a case whose input holds infinities or missing numbers.</summary>
    public const string WithoutInfinities = ", error without the inputs that are no finite numbers";

    public static (Verdict Verdict, string Detail) Of(string name)
    {
        var one = new ConformanceCase(name);
        var results = one.FloatOutputs.SelectMany(o => one.FloatInputs.Select(i => Pair(one, o, i))).Where(r => r.Verdict != Verdict.NothingToExplain).ToList();
        if (results.Count == 0) return (Verdict.NothingToExplain, "no float output depends on a float input");
        var worst = results.Max(r => r.Verdict);
        return (worst, string.Join("; ", results.Where(r => r.Verdict == worst).Select(r => r.Detail).Distinct()));
    }

    private static (Verdict Verdict, string Detail) Pair(ConformanceCase one, string output, string input)
    {
        try
        {
            return Explained(one, output, input);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return (Verdict.Fail, $"'{output}' by '{input}': {e.GetType().Name}: {e.Message.ReplaceLineEndings(" ")}");
        }
    }

    private static (Verdict Verdict, string Detail) Explained(ConformanceCase one, string output, string input)
    {
        var largest = new[] { one.Outputs[output] }.Concat(one.FloatInputs.Select(i => one.Inputs[i])).SelectMany(t => t.ToDouble()).Where(double.IsFinite).Max(Math.Abs);
        if (largest > float.MaxValue) return (Verdict.BeyondSingle, $"holds {largest:G2}");
        var x = one.Inputs[input].ToSingle();
        LinearizationGraph graph;
        try
        {
            graph = Compile(one, output, input, Targets.Predicted);
            if ((long)graph.OutputCount * x.Length <= LargestMatrix) graph = Compile(one, output, input, Targets.All);
        }
        catch (UnsupportedOperatorException e) when (e.Nodes.Any(n => n.Reason.EndsWith("shapes depend on the data", StringComparison.Ordinal)))
        {
            return (Verdict.NothingToExplain, $"'{input}' decides a shape");
        }
        catch (UnsupportedOperatorException e) when (Runs(one, output) is { } why)
        {
            return (Verdict.NotRunByOnnxRuntime, $"{e.Nodes[0].Operator}: {why}");
        }
        catch (UnsupportedOperatorException e)
        {
            return (Verdict.Refused, $"by '{input}': {e.Nodes[0].Operator}: {e.Nodes[0].Reason}");
        }
        catch (InvalidModelException e) when (e.Message.Contains("does not depend on", StringComparison.Ordinal))
        {
            return (Verdict.NothingToExplain, "");
        }
        catch (InvalidModelException e)
        {
            return Runs(one, output) is { } why ? (Verdict.NotRunByOnnxRuntime, why) : (Verdict.Refused, $"by '{input}': {e.Message}");
        }
        using var session = new ExplanationSession(graph);
        var batch = session.Run(new Dictionary<string, Array> { [input] = x }, 1);
        var expected = one.Outputs[output].ToDouble();
        var score = batch.Single("Score", 0).ToArray().Widened().ToArray();
        if (Difference(expected, score, Precision(one.Outputs[output].ElementType())) is { } wrong)
            return Original(one, output) is { } own && Difference(own, score, Precision(DataType.Float)) is null ? (Verdict.AnsweredDifferently, "ONNX Runtime's own output is not the expected one") : (Verdict.Fail, $"score of '{output}': {wrong}");
        return Map(one, output, input, x, batch);
    }

    private static (Verdict, string) Map(ConformanceCase one, string output, string input, float[] x, ExplanationBatch batch)
    {
        var targets = batch.Int64("ExplainedTarget", 0).ToArray();
        var weights = Matrix<double>.Build.Dense(x.Length, targets.Length, [.. batch.Single("Weights", 0).ToArray().Widened()]).Transpose();
        // Some cases stand on a singular point, such as the root of 0: there no slope is finite; and of an infinite score there is nothing to explain.
        var scores = batch.Single("ExplainedScore", 0).ToArray();
        int[] rows = [.. Enumerable.Range(0, targets.Length).Where(k => float.IsFinite(scores[k]) && weights.Row(k).All(double.IsFinite))];
        if (rows.Length == 0) return (Verdict.Pass, "no finite slope there");
        double[] errors = [.. batch.Single("LinearizationError", 0).ToArray().Widened()];
        var isFinite = x.All(float.IsFinite);
        if (!isFinite) errors = Finite(batch, x, weights);
        // Contributions of 10,000 that cancel to 1 are known to 0.001 in single precision: their rounding is allowed.
        double Rounding(int k) => 4 * Math.Pow(2, -23) * x.Select((v, i) => float.IsFinite(v) ? Math.Abs(weights[k, i] * v) : 0).Sum();
        if (rows.FirstOrDefault(k => !(errors[k] <= Math.Max(LargestError, Rounding(k))), -1) is >= 0 and var worst) return (Verdict.Fail, $"error {errors[worst]:G3} of '{output}' by '{input}'");
        var judged = rows.Any(k => errors[k] > LargestError) ? ByRounding : !isFinite ? WithoutInfinities : "";
        var scale = rows.Max(k => weights.Row(k).AbsoluteMaximum());
        if (x.Length <= LargestDense && Oracle(one, output, input, x) is { } oracle && rows.Where(k => oracle.Row((int)targets[k]).All(double.IsFinite)).ToList() is { Count: > 0 } known)
        {
            var wrong = known.Select(k => Difference(oracle.Row((int)targets[k]), weights.Row(k), 1e-5, scale)).FirstOrDefault(w => w is not null);
            return wrong is null ? (Verdict.Pass, $"float64 oracle{judged}") : (Verdict.Fail, $"W of '{output}' by '{input}': {wrong}");
        }
        return Differences.Check(d => Forward(one, output, input, d), x, weights, targets, rows) switch
        {
            { Wrong: { } wrong } => (Verdict.Fail, $"W·d of '{output}' by '{input}': {wrong}"),
            { Says: false } => (Verdict.Pass, $"primal and error only: differences in the model's own precision say nothing there{judged}"),
            _ => (Verdict.Pass, $"float32 differences{judged}"),
        };
    }

    /// <summary>|F − (Σ W∘x + b)| / max(1, |F|) over the finite inputs: what an infinite one contributes, 0·∞ where the score is finite, is no number.</summary>
    private static double[] Finite(ExplanationBatch batch, float[] x, Matrix<double> weights)
    {
        var (scores, bias) = (batch.Single("ExplainedScore", 0).ToArray(), batch.Single("Bias", 0).ToArray());
        return [.. scores.Select((score, k) => Math.Abs(score - x.Select((v, i) => float.IsFinite(v) ? weights[k, i] * v : 0).Sum() - bias[k]) / Math.Max(1, Math.Abs((double)score)))];
    }

    /// <summary>What the expected output itself is rounded to, and single precision's sums in any case.</summary>
    private static double Precision(DataType type) => type switch { DataType.Float16 => 1 / 1024.0, DataType.Bfloat16 => 1 / 128.0, _ => 1e-5 };

    private static LinearizationGraph Compile(ConformanceCase one, string output, string input, Targets targets) =>
        LinearizationGraph.Compile(CaseRun.Stream(one.WithConstants(input)), new() { Targets = targets, ExplainedInputs = [input], ExplainedOutput = output, InputShapes = new Dictionary<string, IReadOnlyList<int>> { [input] = [.. one.Inputs[input].Dims.Select(d => (int)d)] } });

    private static Matrix<double>? Oracle(ConformanceCase one, string output, string input, float[] x)
    {
        var directions = Enumerable.Range(0, x.Length).Select(i => Enumerable.Range(0, x.Length).Select(j => i == j ? 1.0 : 0).ToArray()).ToList();
        try
        {
            var oracle = DenseOracle.Linearize(one.Model, input, [.. x.Widened()], [.. one.Inputs[input].Dims], directions, output, one.Feeds);
            return oracle.Weights;
        }
        catch (Exception e) when (e is NotSupportedException or InvalidModelException or ArgumentException or NullReferenceException)
        {
            return null; // an operator, a type or a dependence that the oracle does not know
        }
    }

    private static string? Runs(ConformanceCase one, string output)
    {
        try
        {
            _ = Original(one, output);
            return null;
        }
        catch (OnnxRuntimeException e)
        {
            return e.Message[..Math.Min(e.Message.Length, 160)].ReplaceLineEndings(" ");
        }
    }

    private static double[]? Original(ConformanceCase one, string output) => one.FloatInputs.FirstOrDefault() is { } input ? Forward(one, output, input, one.Inputs[input].ToSingle()) : null;

    /// <summary>The case's own model in ONNX Runtime; null where that is not single precision.</summary>
    private static double[]? Forward(ConformanceCase one, string output, string input, float[] x)
    {
        if (one.Inputs[input].ElementType() != DataType.Float || one.Outputs[output].ElementType() != DataType.Float) return null;
        using var model = new OriginalModel(one.WithConstants(input), output);
        return [.. model.Run(input, x, [.. one.Inputs[input].Dims]).Widened()];
    }

    /// <summary>The first difference beyond a part of the largest finite element; null where there is none.</summary>
    private static string? Difference(IEnumerable<double> expected, IEnumerable<double> actual, double relative, double scale = 0)
    {
        var (e, a) = (expected.ToArray(), actual.ToArray());
        if (e.Length != a.Length) return $"{a.Length} elements instead of {e.Length}";
        var allowed = relative * Math.Max(Math.Max(1, scale), e.Where(double.IsFinite).Select(Math.Abs).DefaultIfEmpty().Max());
        for (var i = 0; i < e.Length; i++)
            if (!(Math.Abs(e[i] - a[i]) <= allowed) && !e[i].Equals(a[i])) return $"[{i}] is {a[i]:G6} instead of {e[i]:G6}";
        return null;
    }
}
