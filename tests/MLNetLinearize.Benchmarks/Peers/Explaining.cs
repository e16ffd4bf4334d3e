using MLNetLinearize.Benchmarks.Networks;
using MLNetLinearize.Linearization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Runtime;

namespace MLNetLinearize.Benchmarks.Peers;

/// <summary>The library: a compiled network over a batch of rows, through the buffers that its cursor uses.</summary>
internal sealed class Explaining : IDisposable
{
    private readonly ExplanationBuffers buffers;
    private readonly int count;

    public Explaining(Network network, ModelProto model, Targets targets, string[] outputs, float[] rows, int count, int threads)
    {
        this.count = count;
        var graph = Compiler.Compile(model, new() { Targets = targets, Threads = threads, MaxBytesPerRow = long.MaxValue });
        Session = new ExplanationSession(graph, outputs, count);
        var input = GC.AllocateArray<float>(rows.Length, pinned: true);
        rows.CopyTo(input, 0);
        buffers = new ExplanationBuffers(Session, new Dictionary<string, Array> { [Network.Input] = input }, count, isPinned: true);
    }

    public ExplanationSession Session { get; }

    public LinearizationGraph Graph => Session.Graph;

    /// <summary>What the last run wrote.</summary>
    public ExplanationBatch Outputs => buffers.Outputs;

    /// <summary>Score, class and attribution of the largest score, as <see cref="LibTorchNetwork.RunTop"/> gives.</summary>
    public static Explaining Top(Network network, ModelProto model, float[] rows, int count, int threads) =>
        new(network, model, Targets.Predicted, [OutputNames.ExplainedTarget, OutputNames.ExplainedScore, OutputNames.Attribution], rows, count, threads);

    /// <summary>W of all classes.</summary>
    public static Explaining All(Network network, ModelProto model, float[] rows, int count, int threads) =>
        new(network, model, Targets.All, [OutputNames.Score, OutputNames.Weights], rows, count, threads);

    public void Run() => buffers.Run(0, count);

    public void Dispose()
    {
        buffers.Dispose();
        Session.Dispose();
    }
}
