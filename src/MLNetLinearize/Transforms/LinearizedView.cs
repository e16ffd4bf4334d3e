using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetLinearize.Transforms;

/// <summary>The input with the explanation columns appended, computed as they are read.</summary>
internal sealed class LinearizedView(IDataView source, ColumnBinding binding, SessionCache sessions) : IDataView
{
    public bool CanShuffle => source.CanShuffle;

    public DataViewSchema Schema => binding.OutputSchema;

    public long? GetRowCount() => source.GetRowCount();

    public DataViewRowCursor GetRowCursor(IEnumerable<DataViewSchema.Column> columnsNeeded, Random? rand = null) => GetRowCursorSet(columnsNeeded, 1, rand)[0];

    /// <summary>
    /// Cursors for <paramref name="n"/> threads, which together give each row once: they take turns to read a batch from one
    /// source cursor, and run side by side. Where values cannot be kept (images), there is one.
    /// </summary>
    public DataViewRowCursor[] GetRowCursorSet(IEnumerable<DataViewSchema.Column> columnsNeeded, int n, Random? rand = null)
    {
        ArgumentNullException.ThrowIfNull(columnsNeeded);
        ArgumentOutOfRangeException.ThrowIfLessThan(n, 1);
        var wanted = columnsNeeded.ToList();
        var explanations = wanted.Select(c => binding.OutputAt(c.Index)).OfType<ExplanationColumn>().Distinct().ToList();
        var kept = wanted.Where(c => c.Index < binding.InputSchema.Count).Select(c => binding.InputSchema[c.Index]).Distinct().ToList();
        var cursor = source.GetRowCursor(binding.Dependencies(wanted), rand);
        var made = new List<DataViewRowCursor>();
        try
        {
            var batch = explanations.Count == 0 || !kept.All(c => PassThrough.CanKeep(c.Type)) ? 1 : BatchSize(explanations, kept, n);
            if (batch == 1) return [new RowCursor(cursor, new ExplainedRow(cursor, binding, sessions, wanted))];
            var shared = new SharedSource(cursor, n);
            while (made.Count < n) made.Add(new BatchCursor(shared, binding, sessions, kept, explanations, batch));
            return [.. made];
        }
        catch
        {
            foreach (var one in made) one.Dispose();
            cursor.Dispose();
            throw;
        }
    }

    private int BatchSize(IEnumerable<ExplanationColumn> explanations, IEnumerable<DataViewSchema.Column> kept, int cursors) => BatchChoice.Rows(
        binding.Graph,
        binding.Inputs.Sum(i => (long)i.Input.RowLength),
        explanations.Sum(c => (long)c.Type.Size),
        kept.Sum(c => c.Type is VectorDataViewType { IsKnownSize: true } vector ? vector.Size : 1L),
        cursors);
}
