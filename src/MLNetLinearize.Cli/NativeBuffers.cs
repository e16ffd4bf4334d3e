using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using MLNetLinearize.Runtime;

namespace MLNetLinearize.Cli;

/// <summary>
/// Runs blocks of rows in memory that ONNX Runtime allocated itself. The order in which it sums a row depends on where the
/// row begins in memory (vectorised loops start at an aligned address), and managed arrays begin anywhere: in them the
/// last digits differ from run to run. Here the same rows give the same bits, which resuming and sharding rest on.
/// </summary>
internal sealed class NativeBuffers(ExplanationSession session) : IDisposable
{
    private readonly RunOptions options = new();
    private readonly Dictionary<int, (OrtValue[] Inputs, OrtValue[] Outputs)> values = [];

    /// <summary>Explains <paramref name="rows"/> rows: each input an array of its element type, row after row.</summary>
    public ExplanationBatch Run(IReadOnlyDictionary<string, Array> inputs, int rows)
    {
        var batch = new ExplanationBatch(session.Graph, session.Outputs, rows, isPinned: false);
        var step = session.Graph.IsRowByRow ? 1 : rows;
        var (i, o) = Values(step);
        for (var row = 0; row < rows; row += step)
        {
            for (var n = 0; n < i.Length; n++)
            {
                var target = i[n].GetTensorMutableRawData();
                Bytes(inputs[session.Graph.Inputs[n].Name]).Slice(row / step * target.Length, target.Length).CopyTo(target);
            }
            session.Run(options, i, o);
            for (var n = 0; n < o.Length; n++)
            {
                var source = o[n].GetTensorMutableRawData();
                source.CopyTo(Bytes(batch.All(session.Outputs[n])).Slice(row / step * source.Length, source.Length));
            }
        }
        return batch;
    }

    public void Dispose()
    {
        foreach (var value in values.Values.SelectMany(v => v.Inputs.Concat(v.Outputs))) value.Dispose();
        options.Dispose();
    }

    private (OrtValue[] Inputs, OrtValue[] Outputs) Values(int rows)
    {
        if (values.TryGetValue(rows, out var known)) return known;
        var graph = session.Graph;
        return values[rows] = (
            [.. graph.Inputs.Select(i => Allocate(OrtArrays.TypeOf(i.ElementType), [.. i.HasBatchAxis ? [rows] : Array.Empty<long>(), .. i.RowShape.Select(d => (long)d)]))],
            [.. session.Outputs.Select(o => Allocate(o == OutputNames.ExplainedTarget ? Onnx.TensorProto.Types.DataType.Int64 : Onnx.TensorProto.Types.DataType.Float, [rows, .. ExplanationBatch.RowShape(graph, o)]))]);
    }

    // ONNX Runtime's element types have the numbers of the ONNX file format's.
    private static OrtValue Allocate(Onnx.TensorProto.Types.DataType type, long[] shape) => OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, (TensorElementType)(int)type, shape);

    private static Span<byte> Bytes(Array values) => MemoryMarshal.CreateSpan(ref MemoryMarshal.GetArrayDataReference(values), Buffer.ByteLength(values));
}
