using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize.Runtime;

namespace MLNetLinearize.Transforms;

/// <summary>
/// Reads rows from one source cursor until a batch is full, explains them in one run, and hands them out. What the consumer
/// reads of the input columns is kept beside the explanations, so the two can never belong to different rows, whatever the
/// source is: a file, a shuffle, or a generator that gives other rows each time it is asked.
/// </summary>
internal sealed class BatchCursor : DataViewRowCursor
{
    private readonly DataViewRowCursor source;
    private readonly ColumnBinding binding;
    private readonly ExplanationSession session;
    private readonly InputReader inputs;
    private readonly Dictionary<int, PassThrough> kept;
    private readonly HashSet<int> active;
    private readonly ValueGetter<DataViewRowId> readId;
    private readonly DataViewRowId[] ids;
    private readonly long[] positions;
    private readonly long[] batches;
    private ExplanationBatch? explanations;
    private int count;
    private int current = -1;
    private bool isAtEnd;
    private bool isDisposed;

    public BatchCursor(DataViewRowCursor source, ColumnBinding binding, SessionCache sessions, IEnumerable<DataViewSchema.Column> kept, IReadOnlyCollection<ExplanationColumn> explanations, int capacity)
    {
        this.source = source;
        this.binding = binding;
        session = sessions.Get(explanations.Select(c => c.Output));
        inputs = new InputReader(binding, source, capacity);
        this.kept = kept.ToDictionary(c => c.Index, c => PassThrough.Create(source, source.Schema[c.Index], capacity));
        active = [.. this.kept.Keys, .. explanations.Select(c => binding.OutputSchema[c.Name].Index)];
        readId = source.GetIdGetter();
        ids = new DataViewRowId[capacity];
        positions = new long[capacity];
        batches = new long[capacity];
    }

    public override DataViewSchema Schema => binding.OutputSchema;

    public override long Position => current < 0 ? -1 : positions[current];

    public override long Batch => current < 0 ? 0 : batches[current];

    public override bool IsColumnActive(DataViewSchema.Column column) => active.Contains(column.Index);

    public override bool MoveNext()
    {
        if (isDisposed) return false;
        if (current + 1 < count)
        {
            current++;
            return true;
        }
        if (Fill())
        {
            current = 0;
            return true;
        }
        current = -1;
        return false;
    }

    public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId value) => value = ids[Current()];

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        Getters.CheckActive(this, column);
        return Getters.Typed<TValue>(column, binding.OutputAt(column.Index) is { } explanation
            ? ExplanationGetters.Create(explanation, () => (explanations!, Current()))
            : kept[column.Index].Getter(Current));
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing && !isDisposed)
        {
            isDisposed = true;
            current = -1;
            count = 0;
            source.Dispose();
        }
        base.Dispose(disposing);
    }

    private int Current() => current >= 0 ? current : throw Getters.NoRow();

    private bool Fill()
    {
        count = 0;
        current = -1;
        // A source that has ended is not asked again: not every cursor stays at its end.
        while (count < ids.Length && !isAtEnd)
        {
            if (!source.MoveNext())
            {
                isAtEnd = true;
                break;
            }
            inputs.Read(count);
            foreach (var column in kept.Values) column.Read(count);
            readId(ref ids[count]);
            positions[count] = source.Position;
            batches[count] = source.Batch;
            count++;
        }
        if (count == 0) return false;
        explanations = session.Run(inputs.Arrays, count);
        return true;
    }
}
