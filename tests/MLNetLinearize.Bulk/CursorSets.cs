using System.Diagnostics;
using Microsoft.ML;

namespace MLNetLinearize.Bulk;

/// <summary>A cursor for each core, read side by side: beside one cursor, and with all threads for each cursor or one.</summary>
internal static class CursorSets
{
    private const int Rounds = 5;

    public static void Run(MLContext ml, Digits digits, BulkOptions options, Report report)
    {
        var cursors = Environment.ProcessorCount;
        report.Line($"");
        report.Line($"{cursors} cursors read side by side, all columns, medians of {Rounds} passes in turns, with the processor time of a row");
        foreach (var (name, file, targets, count) in new[] { ("digits-mlp, Targets.All", options.Mlp, Targets.All, options.Compared), ("digits-cnn, Targets.All", options.Cnn, Targets.All, options.ComparedCnn), ("digits-cnn, Targets.Predicted", options.Cnn, Targets.Predicted, options.ComparedCnn) })
        {
            var view = digits.View(count);
            using var all = ml.Transforms.Linearize(file, new() { InputColumn = "pixels", Targets = targets, Threads = cursors }).Fit(view);
            using var one = ml.Transforms.Linearize(file, new() { InputColumn = "pixels", Targets = targets, Threads = 1 }).Fit(view);
            (string, Func<(double, double)>)[] ways =
            [
                ("one cursor", () => Rate(all.Transform(view), 1)),
                ("all threads for each", () => Rate(all.Transform(view), cursors)),
                ("one thread for each", () => Rate(one.Transform(view), cursors)),
            ];
            foreach (var (_, rate) in ways) rate();
            var rates = Enumerable.Range(0, Rounds).Select(_ => ways.Select(w => w.Item2()).ToArray()).ToList();
            double Median(Func<(double, double)[], double> of) => rates.Select(of).Order().ElementAt(Rounds / 2);
            var medians = ways.Select((w, i) => FormattableString.Invariant($"{w.Item1} {Median(r => r[i].Item1):N0} rows a second ({Median(r => r[i].Item2):N0} µs)"));
            report.Line($"  {name,-30} {string.Join(", ", medians)}");
        }
    }

    private static (double RowsPerSecond, double ProcessorMicroseconds) Rate(IDataView view, int cursors)
    {
        var (clock, before) = (Stopwatch.StartNew(), Environment.CpuUsage.TotalTime);
        var set = view.GetRowCursorSet(view.Schema.Where(c => !c.IsHidden), cursors);
        var counts = Task.WhenAll(set.Select(cursor => Task.Factory.StartNew(() => AllColumns.Read(cursor), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default))).GetAwaiter().GetResult();
        return (counts.Sum() / clock.Elapsed.TotalSeconds, (Environment.CpuUsage.TotalTime - before).TotalMicroseconds / counts.Sum());
    }
}
