using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize.Runtime;

namespace MLNetLinearize.Transforms;

/// <summary>From rows of an explanation batch to ML.NET values.</summary>
internal static class ExplanationGetters
{
    /// <param name="column">The column.</param>
    /// <param name="current">Gives the batch and the row in it that the consumer is at.</param>
    public static Delegate Create(ExplanationColumn column, Func<(ExplanationBatch Batch, int Row)> current)
    {
        if (column.Output == OutputNames.ExplainedTarget)
            return (ValueGetter<VBuffer<long>>)((ref VBuffer<long> value) =>
            {
                var (batch, row) = current();
                Dense(batch.Int64(column.Output, row), ref value);
            });
        if (column.Top is { } top)
            return (ValueGetter<VBuffer<float>>)((ref VBuffer<float> value) =>
            {
                var (batch, row) = current();
                Largest(batch.Single(column.Output, row), top, column.PerTarget, ref value);
            });
        return (ValueGetter<VBuffer<float>>)((ref VBuffer<float> value) =>
        {
            var (batch, row) = current();
            Dense(batch.Single(column.Output, row), ref value);
        });
    }

    private static void Dense<T>(ReadOnlySpan<T> source, ref VBuffer<T> value)
    {
        var editor = VBufferEditor.Create(ref value, source.Length);
        source.CopyTo(editor.Values);
        value = editor.Commit();
    }

    /// <summary>Keeps the <paramref name="top"/> largest contributions of each target, those at lower positions among equals.</summary>
    internal static void Largest(ReadOnlySpan<float> source, int top, int perTarget, ref VBuffer<float> value)
    {
        var kept = new List<int>();
        var heap = new PriorityQueue<int, (float Size, int Position)>();
        for (var start = 0; start < source.Length; start += perTarget)
        {
            heap.Clear();
            for (var i = start; i < start + perTarget; i++)
            {
                var size = Math.Abs(source[i]);
                // NaN is kept before all else: it must be seen.
                if (float.IsNaN(size)) size = float.PositiveInfinity;
                if (size == 0) continue;
                if (heap.Count < top) heap.Enqueue(i, (size, -i));
                else heap.EnqueueDequeue(i, (size, -i));
            }
            while (heap.TryDequeue(out var position, out _)) kept.Add(position);
        }
        kept.Sort();
        var editor = VBufferEditor.Create(ref value, source.Length, kept.Count);
        for (var i = 0; i < kept.Count; i++)
        {
            editor.Values[i] = source[kept[i]];
            if (kept.Count < source.Length) editor.Indices[i] = kept[i];
        }
        value = editor.Commit();
    }
}
