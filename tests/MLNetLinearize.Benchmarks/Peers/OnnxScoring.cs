using Microsoft.ML.OnnxRuntime;
using MLNetLinearize.Benchmarks.Networks;
using MLNetLinearize.Onnx;
using MLNetLinearize.Runtime;

namespace MLNetLinearize.Benchmarks.Peers;

/// <summary>Scoring alone in ONNX Runtime, with the library's own session settings: F, the unit of the limit.</summary>
internal sealed class OnnxScoring : IDisposable
{
    private readonly InferenceSession session;
    private readonly RunOptions options = new();
    private readonly OrtValue[] inputs;
    private readonly OrtValue[] outputs;

    public OnnxScoring(Network network, ModelProto model, float[] rows, int count, int threads)
    {
        session = Sessions.Create(model, new() { Threads = threads });
        Scores = GC.AllocateArray<float>(count * network.Outputs, pinned: true);
        inputs = [OrtArrays.Wrap(rows, [count, .. network.RowShape.Select(d => (long)d)])];
        outputs = [OrtArrays.Wrap(Scores, 0, [count, network.Outputs], isPinned: true)];
    }

    /// <summary>Scores of the last run, [N, C].</summary>
    public float[] Scores { get; }

    public void Run() => session.Run(options, [Network.Input], inputs, [Network.Output], outputs);

    public void Dispose()
    {
        foreach (var value in inputs.Concat(outputs)) value.Dispose();
        options.Dispose();
        session.Dispose();
    }
}
