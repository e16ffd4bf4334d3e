using System.Diagnostics;
using System.Text.Json.Nodes;
using MLNetLinearize.Cli.Output;
using Spectre.Console;

namespace MLNetLinearize.Cli;

/// <summary>Hears how far a run is.</summary>
internal interface IRunProgress
{
    /// <param name="rows">Rows explained so far.</param>
    /// <param name="share">Share of all rows, 0 to 1; NaN where nothing tells how many there are.</param>
    public void Report(long rows, double share);

    /// <summary>The rows so far were explained by an earlier run: they say nothing of this one's speed.</summary>
    public void Resume(long rows, double share);
}

/// <summary>Progress on the error stream: a bar with rate and time left on a terminal, a line now and then in a log, as JSON with <c>--json</c>.</summary>
internal static class RunProgress
{
    private static readonly TimeSpan LogEvery = TimeSpan.FromSeconds(10);

    public static TimeSpan Show(Terminal terminal, bool quiet, Func<IRunProgress, TimeSpan> run)
    {
        var console = terminal.Error;
        if (quiet) return run(new Log(null, json: false));
        if (terminal.IsJson || !console.Profile.Capabilities.Interactive || !console.Profile.Capabilities.Ansi) return run(new Log(console, terminal.IsJson));
        return console.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context => run(new Bar(context.AddTask("explaining", maxValue: 1))));
    }

    /// <summary>Rate and time left, over what this run explained itself.</summary>
    private sealed class Rate
    {
        private readonly Stopwatch clock = Stopwatch.StartNew();
        private long rowsBefore;
        private double shareBefore;

        public TimeSpan Elapsed => clock.Elapsed;

        public void Restart(long rows, double share)
        {
            (rowsBefore, shareBefore) = (rows, share);
            clock.Restart();
        }

        public double PerSecond(long rows) => (rows - rowsBefore) / Math.Max(1e-9, Elapsed.TotalSeconds);

        /// <summary>Null where nothing tells how much there is.</summary>
        public TimeSpan? Left(double share) => double.IsNaN(share) ? null : TimeSpan.FromSeconds(Math.Min(1e9, Elapsed.TotalSeconds * (1 - share) / Math.Max(share - shareBefore, 1e-9)));
    }

    private sealed class Bar(ProgressTask task) : IRunProgress
    {
        private readonly Rate rate = new();

        public void Report(long rows, double share)
        {
            task.IsIndeterminate = double.IsNaN(share);
            if (!double.IsNaN(share)) task.Value = share;
            task.Description = $"{Words.Rows(rows)}, {Words.Rate(rate.PerSecond(rows))} a second";
        }

        public void Resume(long rows, double share) => rate.Restart(rows, share);
    }

    /// <summary>A line now and then, as text or as JSON.</summary>
    private sealed class Log(IAnsiConsole? console, bool json) : IRunProgress
    {
        private readonly Rate rate = new();
        private TimeSpan next = LogEvery;

        public void Report(long rows, double share)
        {
            if (console is null || rate.Elapsed < next) return;
            next = rate.Elapsed + LogEvery;
            var (perSecond, left) = (rate.PerSecond(rows), rate.Left(share));
            var line = json
                ? new JsonObject { ["progress"] = new JsonObject { ["rows"] = rows, ["share"] = double.IsNaN(share) ? null : share, ["rowsPerSecond"] = Math.Round(perSecond, 1), ["secondsLeft"] = left?.TotalSeconds } }.ToJsonString()
                : $"{Words.Rows(rows)}, {(left is null ? "" : $"{Words.Percent(share)}, ")}{Words.Rate(perSecond)} a second{(left is { } time ? $", {time:hh\\:mm\\:ss} left" : "")}";
            console.Profile.Out.Writer.WriteLine(line);
        }

        public void Resume(long rows, double share)
        {
            rate.Restart(rows, share);
            next = LogEvery;
        }
    }
}
