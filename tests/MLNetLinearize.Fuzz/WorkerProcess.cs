using System.Collections.Concurrent;
using System.Diagnostics;

namespace MLNetLinearize.Fuzz;

/// <summary>A child that runs mutants, watched: it may die, hang or grow, and the mutant it was at is to blame.</summary>
internal sealed class WorkerProcess : IDisposable
{
    private const long LargestSize = 4L << 30;
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan Glance = TimeSpan.FromMilliseconds(200);

    private readonly Process process;
    private readonly BlockingCollection<string?> answers = [];
    private readonly ConcurrentQueue<string> errors = [];

    public WorkerProcess(string samples)
    {
        var start = new ProcessStartInfo(Environment.ProcessPath!)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (Path.GetFileNameWithoutExtension(Environment.ProcessPath) == "dotnet") start.ArgumentList.Add(typeof(WorkerProcess).Assembly.Location);
        foreach (var argument in (string[])["--worker", "--samples", samples]) start.ArgumentList.Add(argument);
        // A dump of each crash would fill the disk.
        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        process = Process.Start(start)!;
        process.OutputDataReceived += (_, e) => answers.Add(e.Data);
        process.ErrorDataReceived += (_, e) => errors.Enqueue(e.Data ?? "");
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>Whether it takes another mutant.</summary>
    public bool IsAlive { get; private set; } = true;

    public Verdict Run(int seed)
    {
        var (clock, stage, wasRead) = (Stopwatch.StartNew(), nameof(Stage.Draw), false);
        errors.Clear();
        try
        {
            process.StandardInput.WriteLine(seed);
            process.StandardInput.Flush();
        }
        catch (IOException)
        {
            // It has gone: what it says, or does not say, tells.
        }
        while (true)
        {
            if (answers.TryTake(out var line, Glance))
            {
                // After its last mutant a worker goes by itself; the seed that it has not read is for the next.
                if (line is null) return Gone(stage, wasRead);
                var parts = line.Split('\t');
                if (parts[0] == Worker.StageMark) (stage, wasRead) = (parts[1], true);
                if (parts[0] == Worker.VerdictMark) return new(Enum.Parse<Outcome>(parts[1]), parts[2]);
            }
            process.Refresh();
            var size = process.HasExited ? 0 : process.WorkingSet64;
            if (size > LargestSize) return Killed(Outcome.Memory, $"{size:N0} bytes at {stage}");
            if (clock.Elapsed > Longest)
                return Killed(stage == nameof(Stage.OwnRun) ? Outcome.RuntimeAlone : Outcome.Hang, $"no answer after {Longest.TotalSeconds} s at {stage}");
        }
    }

    /// <summary>Whether it went before it looked at the mutant, which another one is to run.</summary>
    public bool WasUnread { get; private set; }

    public void Dispose()
    {
        if (!process.HasExited) process.Kill();
        process.Dispose();
        answers.Dispose();
    }

    private Verdict Killed(Outcome outcome, string message)
    {
        IsAlive = false;
        process.Kill();
        process.WaitForExit();
        return new(outcome, message);
    }

    private Verdict Gone(string stage, bool wasRead)
    {
        IsAlive = false;
        process.WaitForExit();
        WasUnread = process.ExitCode == 0 && !wasRead;
        var said = errors.FirstOrDefault(e => e.Length > 0) ?? "";
        return new(stage == nameof(Stage.OwnRun) ? Outcome.RuntimeAlone : Outcome.Crash, $"exit code {process.ExitCode} at {stage}: {said}");
    }
}
