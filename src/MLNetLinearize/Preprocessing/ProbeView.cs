using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize.Transforms;

namespace MLNetLinearize.Preprocessing;

/// <summary>Rows to probe a stage with, under the schema that it was fitted for: made one by one as the stage reads them.</summary>
/// <param name="schema">The stage's input.</param>
/// <param name="rows">Number of rows.</param>
/// <param name="values">Their values.</param>
internal sealed class ProbeView(DataViewSchema schema, int rows, ProbeValues values) : IDataView
{
    public bool CanShuffle => false;

    public DataViewSchema Schema => schema;

    public long? GetRowCount() => rows;

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) => new Cursor(schema, rows, values);

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) => [GetRowCursor(columnsNeeded, rand)];

    private sealed class Cursor(DataViewSchema schema, int rows, ProbeValues values) : DataViewRowCursor
    {
        private int row = -1;

        public override DataViewSchema Schema => schema;

        public override long Position => row < rows ? row : -1;

        public override long Batch => 0;

        public override bool IsColumnActive(DataViewSchema.Column column) => values.Columns.Any(c => c.Index == column.Index);

        public override bool MoveNext()
        {
            if (row < rows) row++;
            if (row == rows) return false;
            values.MoveTo(row);
            return true;
        }

        public override ValueGetter<DataViewRowId> GetIdGetter() => (ref DataViewRowId id) => id = new((ulong)row, 0);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            Getters.CheckActive(this, column);
            return Getters.Typed<TValue>(column, values.Getter(column));
        }
    }
}

/// <summary>Values of a probe's rows.</summary>
internal abstract class ProbeValues(IReadOnlyList<DataViewSchema.Column> columns)
{
    /// <summary>The columns that have values. Others cannot be read.</summary>
    public IReadOnlyList<DataViewSchema.Column> Columns => columns;

    public abstract void MoveTo(int row);

    public abstract Delegate Getter(DataViewSchema.Column column);
}
