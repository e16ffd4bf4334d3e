using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;
using MLNetLinearize.Runtime;

namespace MLNetLinearize.Cli;

/// <summary>
/// Runs blocks of rows in memory that ONNX Runtime allocated itself, shared by threads where that is faster. The order in which
/// it sums a row depends on where the row begins in memory (vectorised loops start at an aligned address), and managed arrays
/// begin anywhere: in them the last digits differ from run to run. Here the same rows give the same bits, which resuming and
/// sharding rest on.
/// </summary>
internal sealed class NativeBuffers(ExplanationSession session) : IDisposable
{
    private readonly RunOptions options = new();
    private readonly ConcurrentDictionary<int, ConcurrentBag<(OrtValue[] Inputs, OrtValue[] Outputs)>> free = [];

    /// <summary>Explains <paramref name="rows"/> rows: each input an array of its element type, row after row.</summary>
    public ExplanationBatch Run(IReadOnlyDictionary<string, Array> inputs, int rows)
    {
        var batch = new ExplanationBatch(session.Graph, session.Outputs, rows, isPinned: false);
        var sideBySide = session.Kind.IsOneThread ? session.Plan.SideBySide(rows) : 1;
        var step = session.Graph.IsRowByRow ? 1 : sideBySide > 1 ? session.Plan.RowsOf(rows, sideBySide) : rows;
        SideBySide.Run((rows + step - 1) / step, sideBySide, run => Run(inputs, batch, run * step, Math.Min(step, rows - run * step)));
        return batch;
    }

    public void Dispose()
    {
        foreach (var value in free.Values.SelectMany(bag => bag).SelectMany(v => v.Inputs.Concat(v.Outputs))) value.Dispose();
        options.Dispose();
    }

    private void Run(IReadOnlyDictionary<string, Array> inputs, ExplanationBatch batch, int start, int rows)
    {
        var mine = free.GetOrAdd(rows, _ => []);
        if (!mine.TryTake(out var values)) values = Allocate(rows);
        for (var n = 0; n < values.Inputs.Length; n++)
        {
            if (inputs[session.Graph.Inputs[n].Name] is string[] texts)
            {
                var length = session.Graph.Inputs[n].RowLength;
                OrtArrays.SetTexts(values.Inputs[n], texts.AsSpan(start * length, rows * length));
                continue;
            }
            var target = values.Inputs[n].GetTensorMutableRawData();
            Bytes(inputs[session.Graph.Inputs[n].Name]).Slice(start * (target.Length / rows), target.Length).CopyTo(target);
        }
        session.Run(options, values.Inputs, values.Outputs);
        for (var n = 0; n < values.Outputs.Length; n++)
        {
            var source = values.Outputs[n].GetTensorMutableRawData();
            source.CopyTo(Bytes(batch.All(session.Outputs[n])).Slice(start * (source.Length / rows), source.Length));
        }
        mine.Add(values);
    }

    private (OrtValue[] Inputs, OrtValue[] Outputs) Allocate(int rows)
    {
        var graph = session.Graph;
        return (
            [.. graph.Inputs.Select(i => Allocate(OrtArrays.TypeOf(i.ElementType), [.. i.HasBatchAxis ? [rows] : Array.Empty<long>(), .. i.RowShape.Select(d => (long)d)]))],
            [.. session.Outputs.Select(o => Allocate(o == OutputNames.ExplainedTarget ? Onnx.TensorProto.Types.DataType.Int64 : Onnx.TensorProto.Types.DataType.Float, [rows, .. ExplanationBatch.RowShape(graph, o)]))]);
    }

    // ONNX Runtime's element types have the numbers of the ONNX file format's.
    private static OrtValue Allocate(Onnx.TensorProto.Types.DataType type, long[] shape) => type == Onnx.TensorProto.Types.DataType.String
        ? OrtValue.CreateTensorWithEmptyStrings(OrtAllocator.DefaultInstance, shape)
        : OrtValue.CreateAllocatedTensorValue(OrtAllocator.DefaultInstance, (TensorElementType)(int)type, shape);

    private static Span<byte> Bytes(Array values) => MemoryMarshal.CreateSpan(ref MemoryMarshal.GetArrayDataReference(values), Buffer.ByteLength(values));
}
