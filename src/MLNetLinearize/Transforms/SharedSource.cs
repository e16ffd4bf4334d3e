using Microsoft.ML;

namespace MLNetLinearize.Transforms;

/// <summary>
/// The one source cursor behind one or several batch cursors, which take turns to read a batch from it. One cursor, because
/// a second one over a live generator would see other rows, and over a file would read it again.
/// </summary>
internal sealed class SharedSource(DataViewRowCursor cursor, int users)
{
    private readonly bool isShared = users > 1;
    private int users = users;
    private long batches;
    private bool isAtEnd;

    public DataViewRowCursor Cursor => cursor;

    /// <summary>To be held while reading.</summary>
    public object Gate { get; } = new();

    /// <summary>
    /// The number that orders the rows of several cursors: rows of one number are in one cursor, in their order. A single
    /// cursor has the source's.
    /// </summary>
    public long Batch => isShared ? batches : cursor.Batch;

    public void BeginBatch() => batches++;

    /// <summary>Moves to the next row. A source that has ended is not asked again: not every cursor stays at its end.</summary>
    public bool MoveNext()
    {
        if (!isAtEnd) isAtEnd = !cursor.MoveNext();
        return !isAtEnd;
    }

    /// <summary>One user less; the last one closes the source.</summary>
    public void Release()
    {
        if (Interlocked.Decrement(ref users) == 0) cursor.Dispose();
    }
}
