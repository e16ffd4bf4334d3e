using System.Runtime.ExceptionServices;

namespace MLNetLinearize.Runtime;

/// <summary>
/// Pieces of work that the calling thread shares with threads of the pool. <see cref="Parallel"/> does the same, but its tasks
/// cost a twentieth of a small network's batch; a caller that watches for the end of the last piece is back at once; and the
/// first piece is always the caller's, whose cache still holds what it left there the last time. Where the pool has no thread free, the
/// caller does all pieces.
/// </summary>
internal sealed class SideBySide : IThreadPoolWorkItem
{
    /// <summary>How often a caller looks whether the others have ended before it sleeps until they have: some tens of microseconds.</summary>
    private const int Looks = 1000;

    private readonly Action<int> piece;
    private readonly int count;
    private readonly object ended = new();
    private int begun = 1; // the first is the caller's
    private int atWork = 1; // the caller
    private Exception? error;

    private SideBySide(int count, Action<int> piece) => (this.count, this.piece) = (count, piece);

    /// <summary>Does every piece once, and returns when all are done.</summary>
    /// <param name="count">Number of pieces, 1 or more.</param>
    /// <param name="threads">Threads at most.</param>
    /// <param name="piece">Does the piece of a number from 0 on.</param>
    /// <exception cref="Exception">The first that a piece threw; pieces not yet begun are left out then.</exception>
    public static void Run(int count, int threads, Action<int> piece)
    {
        var work = new SideBySide(count, piece);
        for (var i = 1; i < Math.Min(count, threads); i++) ThreadPool.UnsafeQueueUserWorkItem(work, preferLocal: false);
        work.Do(0);
        work.Wait();
        if (work.error is not null) ExceptionDispatchInfo.Throw(work.error);
    }

    void IThreadPoolWorkItem.Execute()
    {
        // Counted before it takes a piece: while anybody is at work, the caller waits.
        Interlocked.Increment(ref atWork);
        Do(Next());
    }

    private int Next() => Interlocked.Increment(ref begun) - 1;

    /// <summary>Does a piece, then those that nobody has begun.</summary>
    private void Do(int first)
    {
        try
        {
            for (var i = first; i < count; i = Next()) piece(i);
        }
        catch (Exception e)
        {
            Interlocked.CompareExchange(ref error, e, null);
            Interlocked.Exchange(ref begun, count);
        }
        if (Interlocked.Decrement(ref atWork) == 0)
            lock (ended) Monitor.Pulse(ended);
    }

    private void Wait()
    {
        for (var look = 0; look < Looks && Volatile.Read(ref atWork) > 0; look++) Thread.SpinWait(1);
        lock (ended)
            while (Volatile.Read(ref atWork) > 0) Monitor.Wait(ended);
    }
}
