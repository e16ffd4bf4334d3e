using Microsoft.ML.OnnxRuntime;
using MLNetLinearize.Linearization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Runtime;
using MLNetLinearize.Tests.Rules;
using MLNetLinearize.Tests.Transforms;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Tests.Runtime;

/// <summary>Shares of the targets, side by side, give what one run of all of them gives.</summary>
public class TargetSharesTests
{
    private static readonly string[] Everything =
        [OutputNames.Score, OutputNames.ExplainedTarget, OutputNames.ExplainedScore, OutputNames.Attribution, OutputNames.Bias, OutputNames.Weights, OutputNames.LinearizationError];

    [Theory]
    [InlineData("digits-cnn.onnx", "pixels", 2)]
    [InlineData("digits-cnn.onnx", "pixels", 3)]
    [InlineData("digits-cnn.onnx", "pixels", 64)]
    [InlineData("fashion-cnn.onnx", "pixels", 3)]
    public void Written_out_targets_give_the_same_in_shares(string model, string input, int shares)
    {
        var graph = LinearizationGraph.Compile(Samples.Path($"models/{model}"), new() { Targets = Targets.All, Threads = 1 });
        AssertSame(graph, input, Everything, shares, expected: Math.Min(shares, 10));
        AssertSame(graph, input, [OutputNames.Weights], shares, expected: Math.Min(shares, 10));
        AssertSame(graph, input, [OutputNames.Bias, OutputNames.ExplainedTarget], shares, expected: Math.Min(shares, 10));
    }

    [Theory]
    [InlineData(17, 2)]
    [InlineData(40, 3)]
    [InlineData(40, 4)] // five turns, as no equal parts but the last hold them
    [InlineData(17, 64)]
    public void Looped_targets_give_the_same_in_shares(int classes, int shares)
    {
        var graph = Compiler.Compile(Convolutions(8, 6, classes), new() { Targets = Targets.All, Threads = 1 });
        Assert.Contains(graph.Model.Graph.Node, n => n.OpType == "Scan");
        var turns = (classes + 7) / 8;
        AssertSame(graph, "x", Everything, shares, expected: Math.Min(shares, turns));
        AssertSame(graph, "x", [OutputNames.Attribution], shares, expected: Math.Min(shares, turns));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Every_tensor_is_made_by_one_part(bool isForwardOnce)
    {
        var graph = LinearizationGraph.Compile(Samples.Path("models/digits-cnn.onnx"), new() { Targets = Targets.All });
        var cut = TargetShares.Of(graph.Model, 4, isForwardOnce);
        Assert.Equal(isForwardOnce, cut.Forward is not null);
        List<string> forward = [.. cut.Forward?.Outputs ?? []], made = [.. forward, .. cut.Shares.SelectMany(s => s.Outputs)];
        Assert.Equal(made.Count, made.Distinct().Count());
        Assert.Equal(cut.Shares.Append(cut.Rest).SelectMany(p => p.Given).Distinct().Where(g => g != "pixels").Order(), made.Order());
        Assert.All(cut.Shares, s => Assert.Empty(s.Given.Except(forward).Except(["pixels"])));
        // What belongs to no target is made once, and each share leaves out the passes of the others.
        Assert.DoesNotContain(cut.Shares.Skip(isForwardOnce ? 0 : 1), s => s.Outputs.Contains(OutputNames.Score));
        List<int> sizes = [.. cut.Shares.Select(s => s.Model(_ => DataType.Float).Graph.Node.Count)];
        Assert.All(sizes, s => Assert.True(s < graph.Model.Graph.Node.Count));
        // What all targets read goes into the shares where it is not given to them.
        var whole = TargetShares.Of(graph.Model, 4, !isForwardOnce).Shares.Select(s => s.Model(_ => DataType.Float).Graph.Node.Count);
        Assert.All(sizes.Zip(whole), s => Assert.Equal(isForwardOnce, s.First < s.Second));
    }

    [Fact]
    public void A_linear_network_gives_the_same_in_shares()
    {
        var net = new Net(18, 6);
        var image = net.Op("Conv", [net.Input("x", "N", 3, 8, 8), net.Weights(16, 3, 3, 3), net.Weights(16)]);
        var graph = Compiler.Compile(net.Build(net.Op("Flatten", [net.Op("Conv", [image, net.Weights(2, 16, 5, 5)])])), new() { Targets = Targets.All, Threads = 1 });
        AssertSame(graph, "x", [OutputNames.Weights], 2, expected: 2);
        AssertSame(graph, "x", Everything, 2, expected: 2);
    }

    [Fact]
    public void What_differs_from_run_to_run_is_not_shared()
    {
        var model = LinearizationGraph.Compile(Samples.Path("models/digits-cnn.onnx"), new() { Targets = Targets.All }).Model.Clone();
        Assert.True(TargetShares.Suits(model));
        model.Graph.Node.Insert(0, Nodes.Create("RandomNormal", [], ["noise"], "noise", ("shape", new long[] { 1 })));
        Assert.False(TargetShares.Suits(model));
        Assert.False(TargetShares.Suits(LinearizationGraph.Compile(Samples.Path("models/digits-mlp.onnx"), new() { Targets = Targets.All }).Model));
    }

    [Fact]
    public void A_cancelled_share_ends_the_run()
    {
        var graph = Compiler.Compile(Convolutions(32, 16, 12), new() { Targets = Targets.All, Threads = 2 });
        using var session = new ExplanationSession(graph, Everything);
        Assert.Equal(new RunKind(2, 1), session.Kind);
        var row = new Dictionary<string, Array> { ["x"] = new float[3 * 16 * 16] };
        using var buffers = new ExplanationBuffers(session, row, 1, isPinned: false);
        buffers.Run(0, 1);
        Assert.Equal(1, session.Runs);
        buffers.Cancel();
        Assert.Throws<OnnxRuntimeException>(() => buffers.Run(0, 1));
    }

    private static void AssertSame(LinearizationGraph graph, string input, string[] outputs, int shares, int expected)
    {
        var only = ExplanationSession.Only(graph.Model, outputs);
        foreach (var isForwardOnce in new[] { false, true }) Assert.Equal(expected, TargetShares.Of(only, shares, isForwardOnce).Shares.Count);
        var random = new Random(5);
        foreach (var rows in new[] { 1, 3 })
        {
            var given = new Dictionary<string, Array> { [input] = Enumerable.Range(0, rows * graph.Inputs[0].RowLength).Select(_ => random.NextSingle()).ToArray() };
            var whole = Run(new(1, 1));
            foreach (var shared in new[] { Run(new(shares, 1)), Run(new(shares, 1, IsForwardOnce: true)) })
                foreach (var output in outputs)
                {
                    if (output == OutputNames.ExplainedTarget) Assert.Equal((long[])whole.All(output), (long[])shared.All(output));
                    else Agreement.AssertClose(whole.AllSingle(output).Widened(), shared.AllSingle(output).Widened(), output, 1e-6, 1e-6);
                }

            ExplanationBatch Run(RunKind kind)
            {
                using var network = NetworkRun.Open(only, outputs, graph.Options, kind);
                var batch = new ExplanationBatch(graph, outputs, rows, isPinned: false);
                using var options = new RunOptions();
                OrtValue[] from = [OrtArrays.Wrap(given[input], [rows, .. graph.Inputs[0].RowShape.Select(d => (long)d)])];
                OrtValue[] to = [.. outputs.Select(o => OrtArrays.Wrap(batch.All(o), [rows, .. ExplanationBatch.RowShape(graph, o)]))];
                network.Run(options, from, to);
                foreach (var value in from.Concat(to)) value.Dispose();
                return batch;
            }
        }
    }

    private static ModelProto Convolutions(int channels, int size, int classes)
    {
        var net = new Net(18, 6);
        string Conv(string x, int from) => net.Op("Relu", [net.Op("Conv", [x, net.Weights(channels, from, 3, 3), net.Weights(channels)], ("pads", Net.L(1, 1, 1, 1)))]);
        var last = Conv(Conv(net.Input("x", "N", 3, size, size), 3), channels);
        return net.Build(net.Op("Gemm", [net.Op("Flatten", [last]), net.Weights(channels * size * size, classes), net.Weights(classes)]));
    }
}
