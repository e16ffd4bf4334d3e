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
    private readonly ExplanationSession? session;
    private ExplanationBatch? explanation;
    private long explained = -1;

    public ExplainedRow(DataViewRow source, ColumnBinding binding, SessionCache sessions, IEnumerable<DataViewSchema.Column> columns)
    {
        this.source = source;
        this.binding = binding;
        active = [.. columns.Select(c => c.Index)];
        var outputs = active.Select(binding.OutputAt).OfType<ExplanationColumn>().Select(c => c.Output).ToList();
        if (outputs.Count == 0) return;
        inputs = new InputReader(binding, source, capacity: 1);
        session = sessions.Get(outputs);
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
            ? Getters.Typed<TValue>(column, ExplanationGetters.Create(explained, () => (Explanation(), 0)))
            : source.GetGetter<TValue>(source.Schema[column.Index]);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) source.Dispose();
        base.Dispose(disposing);
    }

    private ExplanationBatch Explanation()
    {
        if (source.Position < 0) throw Getters.NoRow();
        if (explanation is null || explained != source.Position)
        {
            explanation = null;
            inputs!.Read(0);
            explanation = session!.Run(inputs.Arrays, 1);
            explained = source.Position;
        }
        return explanation;
    }
}
