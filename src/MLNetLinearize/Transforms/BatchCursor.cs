using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize.Runtime;

namespace MLNetLinearize.Transforms;

/// <summary>
/// Reads rows from one source cursor until a batch is full, explains them in one run, and hands them out, while the next
/// batch is read and explained beside it. What the consumer reads of the input columns is kept beside the explanations, so
/// the two can never belong to different rows, whatever the source is: a file, a shuffle, or a generator that gives other
/// rows each time it is asked.
/// </summary>
/// <remarks>
/// Its buffers have two halves: the consumer is at a row of one, the next batch is written to the other. The consumer never
/// touches the source, so only one thread at a time does.
/// </remarks>
internal sealed class BatchCursor : DataViewRowCursor
{
    private readonly SharedSource source;
    private readonly ColumnBinding binding;
    private readonly RowBuffer rows;
    private readonly ExplanationBuffers explanations;
    private readonly HashSet<int> active;
    private readonly int capacity;
    private readonly CancellationTokenSource disposal = new();
    private Task<int>? next;
    private int start;
    private int count;
    private int current = -1;
    private bool isDisposed;

    public BatchCursor(SharedSource source, ColumnBinding binding, SessionCache sessions, IReadOnlyCollection<DataViewSchema.Column> kept, IReadOnlyCollection<ExplanationColumn> explained, int capacity)
    {
        this.source = source;
        this.binding = binding;
        this.capacity = capacity;
        active = [.. kept.Select(c => c.Index), .. explained.Select(c => binding.OutputSchema[c.Name].Index)];
        var session = sessions.Get(explained.Select(c => c.Output), capacity);
        rows = new RowBuffer(source, binding, kept, 2 * capacity);
        explanations = new ExplanationBuffers(session, rows.Inputs, 2 * capacity, isPinned: true);
        start = capacity;
    }

    public override DataViewSchema Schema => binding.OutputSchema;

    public override long Position => current < 0 ? -1 : rows.Position(current);

    public override long Batch => current < 0 ? 0 : rows.Batch(current);

    public override bool IsColumnActive(DataViewSchema.Column column) => active.Contains(column.Index);

    public override bool MoveNext()
    {
        if (isDisposed) return false;
        if (current >= 0 && current + 1 < start + count)
        {
            current++;
            // Not before a second row is wanted: who looks at the first row only shall not pay for two batches.
            if (count == capacity) next ??= Task.Run(FillOther, CancellationToken.None);
            return true;
        }
        current = -1;
        if (next is null)
        {
            next = new Task<int>(FillOther);
            next.RunSynchronously(TaskScheduler.Default);
        }
        // A batch that failed, and the end, stay: asked again, they answer the same.
        count = next.GetAwaiter().GetResult();
        if (count == 0) return false;
        next = null;
        start = OtherStart;
        current = start;
        return true;
    }

    public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId value) => value = rows.Id(Current());

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        Getters.CheckActive(this, column);
        return Getters.Typed<TValue>(column, binding.OutputAt(column.Index) is { } explanation
            ? ExplanationGetters.Create(explanation, explanations.Outputs, Current)
            : rows.Getter(column.Index, Current));
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !isDisposed)
        {
            isDisposed = true;
            current = -1;
            disposal.Cancel();
            explanations.Cancel();
            try
            {
                next?.Wait();
            }
            catch (AggregateException)
            {
                // Whoever leaves does not want to know.
            }
            explanations.Dispose();
            disposal.Dispose();
            source.Release();
        }
        base.Dispose(disposing);
    }

    private int OtherStart => capacity - start;

    private int Current() => current >= 0 ? current : throw Getters.NoRow();

    private int FillOther()
    {
        var other = OtherStart;
        var read = rows.Read(other, capacity, disposal.Token);
        if (read > 0 && !disposal.IsCancellationRequested) explanations.Run(other, read);
        return read;
    }
}
