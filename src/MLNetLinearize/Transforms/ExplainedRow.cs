using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize.Runtime;

namespace MLNetLinearize.Transforms;

/// <summary>
/// A row with its explanation, which is computed when a value of it is first read and kept until the row moves on.
/// Disposing it disposes the row it wraps, as ML.NET's own rows do.
/// </summary>
internal sealed class ExplainedRow : DataViewRow
{
    private readonly DataViewRow source;
    private readonly ColumnBinding binding;
    private readonly HashSet<int> active;
    private readonly InputReader? inputs;
    private readonly ExplanationBuffers? buffers;
    private long explained = -1;

    public ExplainedRow(DataViewRow source, ColumnBinding binding, SessionCache sessions, IEnumerable<DataViewSchema.Column> columns)
    {
        this.source = source;
        this.binding = binding;
        active = [.. columns.Select(c => c.Index)];
        var outputs = active.Select(binding.OutputAt).OfType<ExplanationColumn>().Select(c => c.Output).ToList();
        if (outputs.Count == 0) return;
        inputs = new InputReader(binding, source, capacity: 1);
        buffers = new ExplanationBuffers(sessions.Get(outputs, rows: 1), inputs.Arrays, rows: 1, isPinned: true);
    }

    public override DataViewSchema Schema => binding.OutputSchema;

    public override long Position => source.Position;

    public override long Batch => source.Batch;

    public override ValueGetter<DataViewRowId> GetIdGetter() => source.GetIdGetter();

    public override bool IsColumnActive(DataViewSchema.Column column) => active.Contains(column.Index);

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
    {
        Getters.CheckActive(this, column);
        return binding.OutputAt(column.Index) is { } explained
            ? Getters.Typed<TValue>(column, ExplanationGetters.Create(explained, buffers!.Outputs, Explain))
            : source.GetGetter<TValue>(source.Schema[column.Index]);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            buffers?.Dispose();
            source.Dispose();
        }
        base.Dispose(disposing);
    }

    private int Explain()
    {
        if (source.Position < 0) throw Getters.NoRow();
        if (explained == source.Position) return 0;
        // Stays so where reading or running fails.
        explained = -1;
        inputs!.Read(0);
        buffers!.Run(0, 1);
        explained = source.Position;
        return 0;
    }
}
