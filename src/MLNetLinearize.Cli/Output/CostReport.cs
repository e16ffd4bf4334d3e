using System.Diagnostics;
using System.Globalization;
using MLNetLinearize.Linearization;
using MLNetLinearize.Runtime;
using MLNetLinearize.Transforms;

namespace MLNetLinearize.Cli.Output;

/// <summary>What explaining a row costs: counted, and measured for a moment on this machine.</summary>
internal static class CostReport
{
    private const int LeastRuns = 3;
    private static readonly TimeSpan Enough = TimeSpan.FromSeconds(0.3), Slow = TimeSpan.FromSeconds(5);

    /// <param name="opened">The network, over all outputs.</param>
    /// <param name="opening">What compiling it and opening the session took.</param>
    /// <param name="processor">The processor time of that, which other programs on the machine lengthen less.</param>
    public static IEnumerable<(string Name, string Value)> Facts(ExplanationSession opened, TimeSpan opening, TimeSpan processor)
    {
        var (graph, report) = (opened.Graph, opened.Graph.Report);
        yield return ("forward pass", $"{Words.Large(report.Nodes.Sum(n => n.MultiplyAdds))} multiply-adds a row, {Words.Number(report.Nodes.Count, "node")}");
        if (report.Accumulation is { } order)
        {
            var saved = order.MultiplyAdds < order.ReverseMultiplyAdds ? $"; in reverse mode alone {Words.Large(order.ReverseMultiplyAdds)}" : "";
            yield return ("linearization", $"{Words.Large(order.MultiplyAdds)} multiply-adds a row more for {Words.Number(graph.TargetCount, "target")}, {order}{saved}");
        }
        var rows = graph.IsRowByRow ? 1 : BatchChoice.Rows(graph, graph.Inputs.Sum(i => (long)i.RowLength), Columns(opened), 0, cursors: 1);
        using var other = opened.Plan.KindOf(rows) == opened.Kind ? null : new ExplanationSession(graph, rows: rows);
        var session = other ?? opened;
        yield return ("batch", $"{Words.Rows(session.Plan.RowsOf(rows, session.Plan.SideBySide(rows)))} a run");
        yield return ("speed", $"{Words.Rows((long)Math.Max(1, RowsPerSecond(session, rows)))} a second here, all outputs read, on {Environment.ProcessorCount} processors");
        yield return ("compiled", $"in {Seconds(opening)} s, the session opened ({Seconds(processor)} s of processor time)");
    }

    private static string Seconds(TimeSpan time) => time.TotalSeconds.ToString("0.00", CultureInfo.InvariantCulture);

    /// <summary>Elements of a row that come out.</summary>
    private static long Columns(ExplanationSession session) => session.Outputs.Sum(o => ExplanationBatch.RowLength(session.Graph, o));

    /// <summary>By the median of some runs, one before them not counted; a slow network gets that one run only.</summary>
    private static double RowsPerSecond(ExplanationSession session, int rows)
    {
        using var buffers = new ExplanationBuffers(session, SampleRows.Of(session.Graph, rows, seed: 1), rows, isPinned: false);
        var first = Run();
        if (first > Slow) return rows / first.TotalSeconds;
        var (times, whole) = (new List<TimeSpan>(), Stopwatch.StartNew());
        while (times.Count < LeastRuns || whole.Elapsed < Enough) times.Add(Run());
        times.Sort();
        return rows / times[times.Count / 2].TotalSeconds;

        TimeSpan Run()
        {
            var clock = Stopwatch.StartNew();
            buffers.Run(0, rows);
            return clock.Elapsed;
        }
    }
}
