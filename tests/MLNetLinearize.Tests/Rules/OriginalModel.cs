using Google.Protobuf;
using Microsoft.ML.OnnxRuntime;
using MLNetLinearize.Onnx;
using MLNetLinearize.Runtime;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Tests.Rules;

/// <summary>A model as it came, in ONNX Runtime, with one of its tensors fetched.</summary>
internal sealed class OriginalModel : IDisposable
{
    private readonly InferenceSession session;
    private readonly string tensor;

    public OriginalModel(ModelProto model, string tensor)
    {
        this.tensor = tensor;
        var copy = model.Clone();
        if (copy.Graph.Output.All(o => o.Name != tensor))
            copy.Graph.Output.Add(new ValueInfoProto { Name = tensor, Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)DataType.Float } } });
        // Fusions would make it another computation than the one that was written down.
        using var options = new SessionOptions { GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL, IntraOpNumThreads = 1, LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_ERROR };
        session = new InferenceSession(copy.ToByteArray(), options);
    }

    public float[] Run<T>(string input, T[] values, long[] shape)
    {
        using var value = OrtArrays.Wrap(values, shape);
        using var run = new RunOptions();
        using var results = session.Run(run, [input], [value], [tensor]);
        return results[0].GetTensorDataAsSpan<float>().ToArray();
    }

    public void Dispose() => session.Dispose();
}
