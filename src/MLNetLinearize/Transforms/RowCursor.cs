using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetLinearize.Transforms;

/// <summary>
/// Explains the row that the source is at: for columns whose values cannot be kept (images), for batches of one, and where
/// no explanation is read at all.
/// </summary>
internal sealed class RowCursor(DataViewRowCursor source, ExplainedRow row) : DataViewRowCursor
{
    private bool isAtEnd;

    public override DataViewSchema Schema => row.Schema;

    public override long Position => row.Position;

    public override long Batch => row.Batch;

    public override bool MoveNext()
    {
        // A source that has ended is not asked again: not every cursor stays at its end.
        if (!isAtEnd) isAtEnd = !source.MoveNext();
        return !isAtEnd;
    }

    public override ValueGetter<DataViewRowId> GetIdGetter() => row.GetIdGetter();

    public override bool IsColumnActive(DataViewSchema.Column column) => row.IsColumnActive(column);

    public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => row.GetGetter<TValue>(column);

    protected override void Dispose(bool disposing)
    {
        if (disposing) row.Dispose();
        base.Dispose(disposing);
    }
}
