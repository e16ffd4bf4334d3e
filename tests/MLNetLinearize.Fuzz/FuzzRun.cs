using System.Diagnostics;
using System.Globalization;

namespace MLNetLinearize.Fuzz;

/// <summary>How long to go on.</summary>
internal sealed record FuzzLimit(TimeSpan Time, int Count);

/// <summary>Runs mutant after mutant in workers, and counts what came of them.</summary>
internal sealed class FuzzRun(Corpus corpus, string samples)
{
    private const int Progress = 100;

    /// <returns>Whether none failed.</returns>
    public bool Run(int first, FuzzLimit limit, FileInfo? results)
    {
        var (clock, tally) = (Stopwatch.StartNew(), new Tally());
        WorkerProcess? worker = null;
        try
        {
            for (var seed = first; seed - first < limit.Count && clock.Elapsed < limit.Time; seed++)
            {
                var verdict = Verdict(ref worker, seed);
                tally.Add(verdict);
                if (verdict.IsFailure || verdict.Outcome is Outcome.Guarded or Outcome.RuntimeAlone) Tell(tally, seed, verdict);
                if (tally.Total % Progress == 0) Console.WriteLine($"{tally.Total} mutants in {clock.Elapsed.TotalSeconds:F0} s, {tally.Failures} failures");
            }
        }
        finally
        {
            worker?.Dispose();
        }
        var text = tally.Table(FormattableString.Invariant(
            $"{tally.Total:N0} mutants from seed {first} on, in {clock.Elapsed.TotalSeconds:F0} s, on {DateTime.UtcNow:yyyy-MM-dd}, of {corpus.Describe()}"));
        Console.Write(text);
        if (results is not null) File.WriteAllText(results.FullName, text);
        return tally.Failures == 0;
    }

    private Verdict Verdict(ref WorkerProcess? worker, int seed)
    {
        while (true)
        {
            worker ??= new(samples);
            var verdict = worker.Run(seed);
            if (worker.IsAlive) return verdict;
            var unread = worker.WasUnread;
            worker.Dispose();
            worker = null;
            if (!unread) return verdict;
        }
    }

    private void Tell(Tally tally, int seed, Verdict verdict)
    {
        var line = string.Create(CultureInfo.InvariantCulture, $"{verdict.Outcome}: seed {seed}, {Mutant.Draw(corpus, seed).Description}: {verdict.Message}");
        tally.Failed(verdict, line);
        Console.WriteLine(line);
    }
}
