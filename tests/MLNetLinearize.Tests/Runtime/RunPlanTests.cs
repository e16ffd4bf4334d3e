using Microsoft.ML.OnnxRuntime;
using MLNetLinearize.Linearization;
using MLNetLinearize.Runtime;
using MLNetLinearize.Tests.Rules;
using MLNetLinearize.Tests.Transforms;

namespace MLNetLinearize.Tests.Runtime;

/// <summary>Rows of a batch are shared by threads where that pays, and give the same explanations then.</summary>
public class RunPlanTests
{
    private const int Rows = 48, Pixels = 64;
    private static readonly string[] Outputs = [OutputNames.Score, OutputNames.Bias, OutputNames.Weights];

    [Theory]
    [InlineData(1, Rows, 1)]
    [InlineData(3, Rows, 3)]
    [InlineData(3, 2, 2)]
    [InlineData(3, 1, 1)]
    [InlineData(64, Rows, Rows)]
    public void A_batch_of_much_work_is_a_run_for_each_thread(int threads, int rows, int sideBySide)
    {
        var plan = new RunPlan(Compile("digits-cnn.onnx", threads), Outputs);
        Assert.Equal(sideBySide, plan.SideBySide(rows));
        // Neither more than the cache holds nor so many that a thread has none.
        Assert.InRange(plan.RowsOf(rows, sideBySide), 1, Math.Min(plan.RowsPerRun, rows - sideBySide + 1));
    }

    [Fact]
    public void Little_work_stays_on_the_thread_that_asks()
    {
        var plan = new RunPlan(Compile("digits-mlp.onnx", threads: 8), Outputs);
        Assert.Equal(1, plan.SideBySide(1));
        Assert.True(plan.KindOf(1).IsOneThread);
        Assert.InRange(plan.SideBySide(4), 1, 3);
        Assert.False(new RunPlan(Compile("fashion-cnn.onnx", threads: 8), Outputs).KindOf(1).IsOneThread);
    }

    [Fact]
    public void A_single_row_of_many_targets_is_shared_by_them()
    {
        var plan = new RunPlan(Compile("fashion-cnn.onnx", threads: 8), Outputs);
        // Ten targets: more than three shares would make the forward pass too often.
        Assert.Equal(new RunKind(3, 2), plan.KindOf(1));
        Assert.Equal(RunKind.OneThread, plan.KindOf(Rows));
        var graph = Compile("fashion-cnn.onnx", threads: 2);
        Assert.Equal(new RunKind(2, 1), new RunPlan(graph, Outputs).KindOf(1));
        Assert.Equal(1, new RunPlan(graph.With(graph.Options with { GpuDeviceId = 0 }), Outputs).KindOf(1).Shares);
        var predicted = LinearizationGraph.Compile(Samples.Path("models/fashion-cnn.onnx"), new() { Threads = 8 });
        Assert.Equal(1, new RunPlan(predicted, Outputs).KindOf(1).Shares);
    }

    [Theory]
    [InlineData(2, false)]
    [InlineData(1024, true)] // its 16.8 M weights ask for more than the convolutions' work
    public void Weights_of_dense_layers_are_read_by_one_run(int hidden, bool isForwardOnce)
    {
        var net = new Net(18, 6);
        string Conv(string x, int from) => net.Op("Relu", [net.Op("Conv", [x, net.Weights(16, from, 3, 3), net.Weights(16)], ("pads", Net.L(1, 1, 1, 1)))]);
        var dense = net.Op("Relu", [net.Op("Gemm", [net.Op("Flatten", [Conv(Conv(net.Input("x", "N", 3, 32, 32), 3), 16)]), net.Weights(16 * 32 * 32, hidden), net.Weights(hidden)])]);
        var graph = Compiler.Compile(net.Build(net.Op("Gemm", [dense, net.Weights(hidden, 10), net.Weights(10)])), new() { Targets = Targets.All, Threads = 2 });
        Assert.Equal(new RunKind(2, 1, isForwardOnce), new RunPlan(graph, Outputs).KindOf(1));
    }

    [Fact]
    public void A_batch_waits_for_memory_on_all_threads()
    {
        var graph = Compile("fashion-cnn.onnx", threads: 4096);
        Assert.Equal(1, new RunPlan(graph, Outputs).SideBySide(100_000));
        Assert.Equal(1, new RunPlan(graph.With(graph.Options with { GpuDeviceId = 0 }), Outputs).SideBySide(Rows));
    }

    [Theory]
    [InlineData("digits-cnn.onnx")]
    [InlineData("digits-mlp.onnx")]
    public void Runs_side_by_side_give_what_one_after_the_other_gives(string model)
    {
        using var alone = new ExplanationSession(Compile(model, threads: 1), Outputs, 256);
        using var shared = new ExplanationSession(Compile(model, threads: 3), Outputs, 256);
        Assert.True(shared.Plan.SideBySide(256) > 1);
        var (expected, got) = (alone.Run(Inputs(256), 256), shared.Run(Inputs(256), 256));
        Assert.InRange(shared.Runs, shared.Plan.SideBySide(256), 256);
        foreach (var output in Outputs)
            Agreement.AssertClose(expected.AllSingle(output).Widened(), got.AllSingle(output).Widened(), output, 1e-5, 1e-5);
    }

    [Fact]
    public void Runs_that_meet_give_what_each_gives_alone()
    {
        using var session = new ExplanationSession(LinearizationGraph.Compile(Samples.Path("models/fashion-cnn.onnx"), new() { Threads = 2 }), Outputs);
        Assert.Equal(new RunKind(1, 2), session.Kind);
        var row = new Dictionary<string, Array> { ["image"] = Inputs(13)["pixels"] }; // 28 · 28 pixels and some
        var alone = session.Run(row, 1);
        Parallel.For(0, 400, new ParallelOptions { MaxDegreeOfParallelism = 4 }, _ =>
        {
            var met = session.Run(row, 1);
            foreach (var output in Outputs)
                Agreement.AssertClose(alone.AllSingle(output).Widened(), met.AllSingle(output).Widened(), output, 1e-5, 1e-5);
        });
        Assert.Equal(401, session.Runs);
    }

    [Fact]
    public void A_cancelled_run_ends_the_others_with_its_own_error()
    {
        using var session = new ExplanationSession(Compile("digits-cnn.onnx", threads: 2), Outputs, Rows);
        using var buffers = new ExplanationBuffers(session, Inputs(Rows), Rows, isPinned: false);
        buffers.Run(0, Rows);
        Assert.True(session.Runs > 1);
        buffers.Cancel();
        Assert.Throws<OnnxRuntimeException>(() => buffers.Run(0, Rows));
    }

    private static LinearizationGraph Compile(string model, int threads) =>
        LinearizationGraph.Compile(Samples.Path($"models/{model}"), new() { Targets = Targets.All, Threads = threads });

    private static Dictionary<string, Array> Inputs(int rows)
    {
        var random = new Random(3);
        return new() { ["pixels"] = Enumerable.Range(0, rows * Pixels).Select(_ => random.NextSingle()).ToArray() };
    }
}
