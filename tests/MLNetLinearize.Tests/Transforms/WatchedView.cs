using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetLinearize.Tests.Transforms;

/// <summary>Data that tells which columns are asked for, when a row is read, and when a cursor is disposed.</summary>
internal sealed class WatchedView(IDataView source, Action<IEnumerable<string>> asked, Action? disposed = null) : IDataView
{
    /// <summary>Whether a cursor that has told its end goes on as if there were more.</summary>
    public bool BeginsAgain { get; init; }

    /// <summary>Called with the number of rows read before each next one is.</summary>
    public Action<int>? Reading { get; init; }

    public bool CanShuffle => source.CanShuffle;

    public DataViewSchema Schema => source.Schema;

    public long? GetRowCount() => source.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null)
    {
        var columns = columnsNeeded.ToList();
        asked(columns.Select(c => c.Name));
        return new Cursor(source.GetRowCursor(columns, rand), disposed, BeginsAgain, Reading);
    }

    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null) => [GetRowCursor(columnsNeeded, rand)];

    private sealed class Cursor(DataViewRowCursor inner, Action? disposed, bool beginsAgain, Action<int>? reading) : DataViewRowCursor
    {
        private bool hasEnded;
        private int rows;

        public override DataViewSchema Schema => inner.Schema;

        public override long Position => inner.Position;

        public override long Batch => inner.Batch;

        public override bool MoveNext()
        {
            if (hasEnded) return beginsAgain;
            reading?.Invoke(rows++);
            return !(hasEnded = !inner.MoveNext());
        }

        public override ValueGetter<DataViewRowId> GetIdGetter() => inner.GetIdGetter();

        public override bool IsColumnActive(DataViewSchema.Column column) => inner.IsColumnActive(column);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column) => inner.GetGetter<TValue>(column);

        protected override void Dispose(bool disposing)
        {
            disposed?.Invoke();
            inner.Dispose();
            base.Dispose(disposing);
        }
    }
}
