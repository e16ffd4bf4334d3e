using Google.Protobuf;
using MathNet.Numerics.LinearAlgebra;
using Microsoft.ML.OnnxRuntime;
using MLNetLinearize.Linearization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Rules;
using MLNetLinearize.Runtime;
using MLNetLinearize.Tests.Oracle;
using static MLNetLinearize.Tests.Rules.Agreement;

namespace MLNetLinearize.Tests.Rules;

/// <summary>
/// The adjoint is linear in its cotangent and its operators have rules of their own, so that transposing it once more gives
/// the forward mode: Wᵀu by the adjoint, W·d by the adjoint of the adjoint.
/// </summary>
public class ClosureTests
{
    public static TheoryData<string> Names => [.. RuleCases.All.Where(c => !c.IsConstant).Select(c => c.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_operator_on_the_cotangents_path_has_a_rule(string name)
    {
        var (model, explained) = RuleCases.Named(name).Build();
        var adjoint = Adjoint(model, explained);
        Assert.Empty(WithoutRule(adjoint, "u"));
        Assert.Empty(WithoutRule(ForwardMode(adjoint), "d"));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_adjoint_is_linear_in_its_cotangent_and_is_W_transposed(string name)
    {
        var run = CaseRun.Of(name);
        var adjoint = Adjoint(run.Model, run.Explained);
        var (w, u) = (run.Oracle[0].Weights, new double[run.Oracle[0].Values.Length]);
        Array.Fill(u, 0.5);
        var x = new Dictionary<string, Dual> { ["x"] = new(Shapes.Ints(run.Case.InputShape), CaseRun.Widen(run.Rows[0])) };
        var directions = Enumerable.Range(0, u.Length).Select(i => Vector<double>.Build.Dense(u.Length, j => i == j ? 1 : 0).ToArray()).ToList();
        var map = DenseOracle.Linearize(adjoint, "u", u, [1, 1, u.Length], directions, "Wᵀu", x);
        AssertClose(w.Transpose().ToRowMajorArray(), map.Weights.ToRowMajorArray(), "Wᵀ");
        AssertClose(new double[map.Bias.Length], map.Bias, "Wᵀu at u = 0");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void The_adjoint_of_the_adjoint_is_the_forward_mode(string name)
    {
        var run = CaseRun.Of(name);
        var w = run.Oracle[0].Weights;
        var random = new Random(3);
        var u = Vector<double>.Build.Dense(w.RowCount, _ => random.NextDouble() * 2 - 1);
        var d = Vector<double>.Build.Dense(w.ColumnCount, _ => random.NextDouble() * 2 - 1);
        var adjoint = Adjoint(run.Model, run.Explained);
        var feeds = new Dictionary<string, (float[], long[])> { ["x"] = (run.Rows[0], run.Case.InputShape), ["u"] = Row(u) };
        var pulled = Run(adjoint, feeds, "Wᵀu");
        feeds["d"] = Row(d);
        var pushed = Run(ForwardMode(adjoint), feeds, "Wd");
        var scale = Relative * w.Enumerate().Select(Math.Abs).Max();
        AssertClose(w.TransposeThisAndMultiply(u), pulled, "Wᵀu", absolute: Math.Max(Absolute, scale));
        AssertClose(w * d, pushed, "W·d", absolute: Math.Max(Absolute, scale));
        AssertClose([d * Vector<double>.Build.DenseOfEnumerable(pulled)], [u * Vector<double>.Build.DenseOfEnumerable(pushed)], "d·(Wᵀu) and u·(W·d)", absolute: Math.Max(Absolute, scale * u.L1Norm()));
    }

    private static ModelProto Adjoint(ModelProto model, string explained) => Pullback.Compile(model, new() { ExplainedOutput = explained }, "u", "Wᵀu");

    private static ModelProto ForwardMode(ModelProto adjoint) => Pullback.Compile(adjoint, new() { ExplainedInputs = ["u"], ExplainedOutput = "Wᵀu" }, "d", "Wd");

    private static (float[], long[]) Row(Vector<double> values) => ([.. values.Select(v => (float)v)], [1, 1, values.Count]);

    /// <summary>Nodes that read, through other nodes, from <paramref name="cotangent"/>.</summary>
    private static IEnumerable<string> WithoutRule(ModelProto model, string cotangent)
    {
        var reached = new HashSet<string> { cotangent };
        foreach (var node in model.Graph.Node.Where(n => n.Input.Any(reached.Contains)))
        {
            reached.UnionWith(node.Output);
            // What a shape is computed from is constant, whatever tensor it is the shape of.
            if (node.OpType == "Shape") reached.ExceptWith(node.Output);
            else if (RuleTable.Find(node)?.Apply is null) yield return node.Describe();
        }
    }

    private static double[] Run(ModelProto model, Dictionary<string, (float[] Values, long[] Shape)> feeds, string output)
    {
        using var session = new InferenceSession(model.ToByteArray());
        using var options = new RunOptions();
        var inputs = session.InputNames.Select(n => OrtArrays.Wrap(feeds[n].Values, feeds[n].Shape)).ToList();
        using var results = session.Run(options, session.InputNames, inputs, [output]);
        foreach (var input in inputs) input.Dispose();
        return CaseRun.Widen(results[0].GetTensorDataAsSpan<float>().ToArray());
    }
}
