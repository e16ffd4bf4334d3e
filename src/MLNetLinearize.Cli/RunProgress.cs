using System.Diagnostics;
using MLNetLinearize.Cli.Output;
using Spectre.Console;

namespace MLNetLinearize.Cli;

/// <summary>Hears how far a run is.</summary>
internal interface IRunProgress
{
    /// <param name="rows">Rows explained so far.</param>
    /// <param name="share">Share of all rows, 0 to 1.</param>
    public void Report(long rows, double share);
}

/// <summary>Progress on the error stream: a bar with rate and time left on a terminal, a line now and then in a log.</summary>
internal static class RunProgress
{
    private static readonly TimeSpan LogEvery = TimeSpan.FromSeconds(10);

    public static TimeSpan Show(IAnsiConsole console, bool quiet, Func<IRunProgress, TimeSpan> run)
    {
        if (quiet) return run(new Log(null));
        if (!console.Profile.Capabilities.Interactive || !console.Profile.Capabilities.Ansi) return run(new Log(console));
        return console.Progress()
            .AutoClear(true)
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .Start(context => run(new Bar(context.AddTask("explaining", maxValue: 1))));
    }

    private sealed class Bar(ProgressTask task) : IRunProgress
    {
        private readonly Stopwatch clock = Stopwatch.StartNew();

        public void Report(long rows, double share)
        {
            task.Value = share;
            task.Description = $"{Words.Count(rows)} rows, {Words.Count((long)(rows / clock.Elapsed.TotalSeconds))} a second";
        }
    }

    private sealed class Log(IAnsiConsole? console) : IRunProgress
    {
        private readonly Stopwatch clock = Stopwatch.StartNew();
        private TimeSpan last;

        public void Report(long rows, double share)
        {
            if (console is null || clock.Elapsed - last < LogEvery) return;
            last = clock.Elapsed;
            var left = TimeSpan.FromSeconds(last.TotalSeconds * (1 - share) / Math.Max(share, 1e-9));
            console.WriteLine($"{Words.Count(rows)} rows, {Words.Percent(share)}, {Words.Count((long)(rows / last.TotalSeconds))} a second, {left:hh\\:mm\\:ss} left");
        }
    }
}
