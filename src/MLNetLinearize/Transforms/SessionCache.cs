using MLNetLinearize.Runtime;

namespace MLNetLinearize.Transforms;

/// <summary>
/// The sessions of one transformer, one for each set of graph outputs that was asked for: ONNX Runtime runs every node of
/// its graph whatever is fetched, so only a graph without the unread outputs makes them cost nothing. Where batches and
/// single rows use threads in different ways, each has its own.
/// </summary>
internal sealed class SessionCache(LinearizationGraph graph) : IDisposable
{
    private readonly Dictionary<(string Outputs, RunKind Kind), ExplanationSession> sessions = [];
    private readonly object gate = new();
    private bool isDisposed;

    public LinearizationGraph Graph => graph;

    /// <summary>Number of sessions opened so far.</summary>
    public int Count
    {
        get
        {
            lock (gate) return sessions.Count;
        }
    }

    /// <summary>Number of runs of the network so far, in all sessions.</summary>
    public long Runs
    {
        get
        {
            lock (gate) return sessions.Values.Sum(s => s.Runs);
        }
    }

    /// <summary>Number of cursors and rows that hold native memory.</summary>
    public int OpenBuffers
    {
        get
        {
            lock (gate) return sessions.Values.Sum(s => s.OpenBuffers);
        }
    }

    /// <param name="outputs">Graph outputs to fetch.</param>
    /// <param name="rows">Rows of a batch.</param>
    public ExplanationSession Get(IEnumerable<string> outputs, int rows)
    {
        var wanted = outputs.Distinct().Order(StringComparer.Ordinal).ToList();
        var key = (string.Join('\n', wanted), new RunPlan(graph, wanted).KindOf(rows));
        lock (gate)
        {
            ObjectDisposedException.ThrowIf(isDisposed, typeof(LinearizingTransformer));
            if (!sessions.TryGetValue(key, out var session)) sessions[key] = session = new ExplanationSession(graph, wanted, rows);
            return session;
        }
    }

    public void Dispose()
    {
        lock (gate)
        {
            isDisposed = true;
            foreach (var session in sessions.Values) session.Dispose();
            sessions.Clear();
        }
    }
}
