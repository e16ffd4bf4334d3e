using MathNet.Numerics.LinearAlgebra;
using MLNetLinearize.Linearization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Runtime;
using MLNetLinearize.Tests.Oracle;
using static MLNetLinearize.Tests.Rules.Agreement;
using static MLNetLinearize.Tests.Rules.Net;

namespace MLNetLinearize.Tests.Rules;

/// <summary>Any tensor by any tensor: several inputs, inputs that are held constant, and inner tensors.</summary>
public class ExplainedTensorTests
{
    private static readonly float[] Left = [0.5f, -1, 2], Right = [1.5f, 0.25f];

    [Fact]
    public void Each_of_several_inputs_has_its_own_weights_and_they_share_one_bias()
    {
        var (model, output) = TwoInputs();
        var graph = LinearizationGraph.Compile(CaseRun.Stream(model), new() { Targets = Targets.All });
        var batch = Explain(graph);
        var (a, b) = (Oracle(model, output, "a"), Oracle(model, output, "b"));
        AssertClose(a.Weights.ToRowMajorArray(), batch.Single("Weights.a", 0).ToArray().Widened(), "W of a");
        AssertClose(b.Weights.ToRowMajorArray(), batch.Single("Weights.b", 0).ToArray().Widened(), "W of b");
        // Of both together, the bias is what is left when both contributions are taken off.
        var both = Vector(a.Values) - a.Weights * Vector(Left) - b.Weights * Vector(Right);
        AssertClose(both, batch.Single("Bias", 0).ToArray().Widened(), "b");
        AssertClose(a.Weights.ToRowMajorArray().Select((w, i) => w * Left[i % 3]), batch.Single("Attribution.a", 0).ToArray().Widened(), "Attribution of a");
        Assert.All(batch.Single("LinearizationError", 0).ToArray(), e => Assert.InRange(e, 0, 1e-5));
    }

    [Theory]
    [InlineData("a")]
    [InlineData("b")]
    public void An_input_that_is_not_explained_is_a_constant_of_the_row_and_its_share_is_bias(string explained)
    {
        var (model, output) = TwoInputs();
        var graph = LinearizationGraph.Compile(CaseRun.Stream(model), new() { Targets = Targets.All, ExplainedInputs = [explained] });
        var (batch, oracle) = (Explain(graph), Oracle(model, output, explained));
        AssertClose(oracle.Weights.ToRowMajorArray(), batch.Single("Weights", 0).ToArray().Widened(), "W");
        AssertClose(oracle.Bias, batch.Single("Bias", 0).ToArray().Widened(), "b");
        Assert.All(batch.Single("LinearizationError", 0).ToArray(), e => Assert.InRange(e, 0, 1e-5));
    }

    [Theory]
    [InlineData(false, true)]
    [InlineData(true, false)]
    [InlineData(true, true)]
    public void Inner_tensors_can_be_explained_and_explain(bool fromInner, bool toInner)
    {
        var net = new Net(17, 8);
        var x = net.Input("x", "N", 1, 6, 6);
        var early = net.Op("Relu", [net.Op("Conv", [x, net.Weights(2, 1, 3, 3), net.Weights(2)])]);
        var late = net.Op("Relu", [net.Op("Gemm", [net.Op("Flatten", [net.Op("MaxPool", [early], ("kernel_shape", L(2, 2)), ("strides", L(2, 2)))]), net.Weights(8, 5), net.Weights(5)])]);
        var output = net.Op("Softmax", [net.Op("Gemm", [late, net.Weights(5, 3), net.Weights(3)])]);
        var model = net.Build(output);
        var explained = toInner ? late : model.Graph.Node[^2].Output[0];
        var row = new RuleCase("inner", "", [1, 6, 6], (_, _) => "").Rows(1)[0];
        using var session = new ExplanationSession(LinearizationGraph.Compile(CaseRun.Stream(model), new()
        {
            Targets = Targets.All,
            ExplainedInputs = fromInner ? [early] : null,
            ExplainedOutput = toInner ? late : null,
        }));
        var batch = session.Run(new Dictionary<string, Array> { ["x"] = row }, 1);
        AffineMap oracle;
        if (fromInner)
        {
            var inner = DenseOracle.Linearize(model, "x", CaseRun.Widen(row), [1, 1, 6, 6], early);
            // What lies behind the inner tensor, as a model of its own.
            var tail = model.Clone();
            while (tail.Graph.Node[0].Output[0] != early) tail.Graph.Node.RemoveAt(0);
            tail.Graph.Node.RemoveAt(0);
            oracle = DenseOracle.Linearize(tail, early, inner.Values, [1, 2, 4, 4], explained);
        }
        else oracle = DenseOracle.Linearize(model, "x", CaseRun.Widen(row), [1, 1, 6, 6], explained);
        AssertClose(oracle.Values, batch.Single("Score", 0).ToArray().Widened(), "score");
        AssertClose(oracle.Weights.ToRowMajorArray(), batch.Single("Weights", 0).ToArray().Widened(), "W");
        AssertClose(oracle.Bias, batch.Single("Bias", 0).ToArray().Widened(), "b");
        Assert.All(batch.Single("LinearizationError", 0).ToArray(), e => Assert.InRange(e, 0, 1e-5));
    }

    /// <summary>A model whose inputs meet in a sum, a product and a maximum.</summary>
    private static (ModelProto Model, string Output) TwoInputs()
    {
        var net = new Net(17, 4);
        var (a, b) = (net.Input("a", "N", 3), net.Input("b", "N", 2));
        var (fromA, fromB) = (net.Op("Relu", [net.Op("Gemm", [a, net.Weights(3, 4), net.Weights(4)])]), net.Op("Gemm", [b, net.Weights(2, 4), net.Weights(4)]));
        var joined = net.Op("Concat", [net.Op("Add", [fromA, fromB]), net.Op("Mul", [fromA, fromB]), net.Op("Max", [fromA, fromB])], ("axis", 1L));
        var output = net.Op("Gemm", [joined, net.Weights(12, 3), net.Weights(3)]);
        return (net.Build(output), output);
    }

    private static AffineMap Oracle(ModelProto model, string output, string input)
    {
        var (mine, other, name) = input == "a" ? (Left, Right, "b") : (Right, Left, "a");
        var directions = Enumerable.Range(0, mine.Length).Select(i => Enumerable.Range(0, mine.Length).Select(j => i == j ? 1.0 : 0).ToArray()).ToList();
        return DenseOracle.Linearize(model, input, CaseRun.Widen(mine), [1, mine.Length], directions, output, new Dictionary<string, Dual> { [name] = new([1, other.Length], CaseRun.Widen(other)) });
    }

    private static ExplanationBatch Explain(LinearizationGraph graph)
    {
        using var session = new ExplanationSession(graph);
        return session.Run(new Dictionary<string, Array> { ["a"] = Left, ["b"] = Right }, 1);
    }

    private static Vector<double> Vector(IEnumerable<double> values) => Vector<double>.Build.DenseOfEnumerable(values);

    private static Vector<double> Vector(float[] values) => Vector(values.Widened());

    [Fact]
    public void A_tensor_and_what_it_is_computed_from_are_not_explained_together()
    {
        var net = new Net(17, 3);
        var relu = net.Op("Relu", [net.Op("Gemm", [net.Input("x", "N", 5), net.Weights(5, 4), net.Weights(4)])]);
        var model = net.Build(net.Op("Gemm", [relu, net.Weights(4, 2), net.Weights(2)]));
        var e = Assert.Throws<InvalidModelException>(() => Compiler.Compile(model, new() { ExplainedInputs = ["x", relu] }));
        Assert.Contains($"'{relu}' of ExplainedInputs is computed from 'x'", e.Message, StringComparison.Ordinal);
    }
}
