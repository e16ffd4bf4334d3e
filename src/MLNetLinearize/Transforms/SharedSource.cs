using System.Runtime.ExceptionServices;
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
    private ExceptionDispatchInfo? failure;

    public DataViewRowCursor Cursor => cursor;

    /// <summary>To be held while reading.</summary>
    public object Gate { get; } = new();

    /// <summary>
    /// The number that orders the rows of several cursors: rows of one number are in one cursor, in their order. A single
    /// cursor has the source's.
    /// </summary>
    public long Batch => isShared ? batches : cursor.Batch;

    /// <summary>Begins a batch. A source that failed for one reader has failed for all: it may have lost rows.</summary>
    public void BeginBatch()
    {
        failure?.Throw();
        batches++;
    }

    public void Fail(Exception exception) => failure = ExceptionDispatchInfo.Capture(exception);

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
