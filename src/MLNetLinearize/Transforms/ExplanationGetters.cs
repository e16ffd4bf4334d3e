using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize.Runtime;

namespace MLNetLinearize.Transforms;

/// <summary>From rows of an explanation batch to ML.NET values.</summary>
internal static class ExplanationGetters
{
    /// <param name="column">The column.</param>
    /// <param name="batch">The explanations.</param>
    /// <param name="current">Gives the row in them that the consumer is at.</param>
    public static Delegate Create(ExplanationColumn column, ExplanationBatch batch, Func<int> current)
    {
        if (column.Output == OutputNames.ExplainedTarget)
        {
            var targets = batch.RowsOf<long>(column.Output);
            return (ValueGetter<VBuffer<long>>)((ref VBuffer<long> value) => Dense(targets[current()], ref value));
        }
        var rows = batch.RowsOf<float>(column.Output);
        if (column.Top is { } top)
        {
            var largest = new Largest(top, column.PerTarget);
            return (ValueGetter<VBuffer<float>>)((ref VBuffer<float> value) => largest.Get(rows[current()], ref value));
        }
        if (column.Groups is { } groups)
        {
            var size = column.Type.Size;
            return (ValueGetter<VBuffer<float>>)((ref VBuffer<float> value) =>
            {
                var editor = VBufferEditor.Create(ref value, size);
                groups.Sum(rows[current()], editor.Values);
                value = editor.Commit();
            });
        }
        return (ValueGetter<VBuffer<float>>)((ref VBuffer<float> value) => Dense(rows[current()], ref value));
    }

    private static void Dense<T>(ReadOnlySpan<T> source, ref VBuffer<T> value)
    {
        var editor = VBufferEditor.Create(ref value, source.Length);
        source.CopyTo(editor.Values);
        value = editor.Commit();
    }

    /// <summary>Keeps the <paramref name="top"/> largest contributions of each target, those at lower positions among equals.</summary>
    private sealed class Largest(int top, int perTarget)
    {
        private readonly List<int> kept = [];
        private readonly PriorityQueue<int, (float Size, int Position)> heap = new();

        public void Get(ReadOnlySpan<float> source, ref VBuffer<float> value)
        {
            kept.Clear();
            for (var start = 0; start < source.Length; start += perTarget) Keep(source, start);
            kept.Sort();
            var editor = VBufferEditor.Create(ref value, source.Length, kept.Count);
            for (var i = 0; i < kept.Count; i++)
            {
                editor.Values[i] = source[kept[i]];
                if (kept.Count < source.Length) editor.Indices[i] = kept[i];
            }
            value = editor.Commit();
        }

        private void Keep(ReadOnlySpan<float> source, int start)
        {
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
    }
}
