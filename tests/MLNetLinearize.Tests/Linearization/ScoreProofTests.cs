using MLNetLinearize.Linearization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Tests.Rules;

namespace MLNetLinearize.Tests.Linearization;

/// <summary>A graph that computes another network than the model's is found out, whatever it adds up to.</summary>
public class ScoreProofTests
{
    private static readonly LinearizeOptions All = new() { Targets = Targets.All, Threads = 1 };

    [Fact]
    public void A_graph_of_other_weights_is_refused_by_the_node_that_is_the_first_to_differ()
    {
        using var scores = new ScoreProof(Compiler.Open(Network(1), All).Request);
        scores.Check(Compiler.Compile(Network(1), All));
        var error = Assert.Throws<UnsupportedOperatorException>(() => scores.Check(Compiler.Compile(Network(1.001f), All)));
        var node = Assert.Single(error.Nodes);
        Assert.Equal(("Mul", "Mul5"), (node.Operator, node.Name));
        Assert.Matches("^what the library makes of it is not what ONNX Runtime makes of it: output [0-2] is .* on a made-up row, and .* by the model itself$", node.Reason);
    }

    [Fact]
    public void The_last_digits_of_float32_are_no_other_network()
    {
        using var scores = new ScoreProof(Compiler.Open(Network(1), All).Request);
        Assert.Null(scores.Objection(Compiler.Compile(Network(1 + 4e-7f), All)));
        Assert.NotNull(scores.Objection(Compiler.Compile(Network(1 + 1e-3f), All)));
    }

    /// <summary>Where a number lies at the edge of a step, its other side is as good; a whole step away from one it is another number.</summary>
    [Theory]
    [InlineData(1 + 2e-7f, true)]
    [InlineData(1.4f, false)]
    public void A_step_off_is_taken_at_the_edge_of_a_step_alone(float factor, bool explained)
    {
        var request = Compiler.Open(Steps(1), All).Request;
        using var reference = ReferenceModel.Open(request);
        var graph = Compiler.Compile(Steps(factor), All);
        // Half to even: 0.5 becomes 0, and a little more than 0.5 becomes 1.
        var row = new Dictionary<string, Array> { ["x"] = new[] { 0.5f, 3.1f, -2f } };
        using var forward = new ForwardRun(graph, [OutputNames.Score]);
        var score = forward.Run(row)[0].Value;
        Assert.True(Math.Abs(score[0] - reference.Score(row)[0]) > 0.9);
        using var steps = QuantizedSteps.Of(reference, graph)!;
        Assert.Equal(explained ? (1L, 3L) : null, steps.Explain(row, score));
    }

    private static ModelProto Network(float factor)
    {
        var net = new Net(17, 5);
        var hidden = net.Op("Relu", [net.Op("MatMul", [net.Input("x", "N", 4), net.Weights(4, 3)])]);
        return net.Build(net.Op("Tanh", [net.Op("Mul", [hidden, net.Scalar(factor)])]));
    }

    private static ModelProto Steps(float factor)
    {
        var net = new Net(21, 6);
        var scaled = net.Op("Mul", [net.Input("x", "N", 3), net.Scalar(factor)]);
        var quantized = net.Op("QuantizeLinear", [scaled, net.Scalar(1), net.SignedBytes(0)]);
        return net.Build(net.Op("ReduceSum", [net.Op("DequantizeLinear", [quantized, net.Scalar(1), net.SignedBytes(0)]), net.Ints(1)]));
    }
}
