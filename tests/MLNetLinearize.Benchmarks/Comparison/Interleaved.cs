using System.Diagnostics;

namespace MLNetLinearize.Benchmarks.Comparison;

/// <summary>
/// Times contenders in turn, A, B, C, A, B, C, …, so that a change of the machine's pace meets all of them alike: what is
/// wanted is the ratio of two engines on one machine, and a tool that measures one after the other, minutes apart, gives the
/// ratio of two moods of the machine as well. Each turn is a block of calls; a time is the median over turns, a ratio the
/// median of the ratios within turns. Before a block the threads of the contender before it are left to fall asleep: libtorch's
/// watch for work for some milliseconds after their last, and took an eighth of the processors from whoever came next.
/// </summary>
/// <remarks>
/// With one thread, time is the time that the process had on a processor, which waiting for a neighbour does not lengthen;
/// with more it is what a clock on the wall shows.
/// </remarks>
internal static class Interleaved
{
    /// <summary>Peers this much slower than the best one in the first turn are not timed further.</summary>
    private const double Hopeless = 1.5;

    /// <summary>Turns at least, however slow the case.</summary>
    private const int FewestTurns = 3;

    private const int MostTurns = 101;

    public static Measurement Run(Contenders contenders, int threads, TimeSpan budget)
    {
        var clock = Stopwatch.StartNew();
        Timed Open(Contender contender) => new(contender, threads == 1 ? () => Environment.CpuUsage.TotalTime : () => clock.Elapsed);
        List<Timed> peers = [.. contenders.Peers.Select(Open)];
        var (ours, scoring) = (Open(contenders.Ours), contenders.Scoring is { } s ? Open(s) : null);
        var best = peers.Count > 0 ? peers.Min(p => p.First) : 0;
        peers.RemoveAll(p => p.First > Hopeless * best);
        var fewest = ours.First > Timed.SlowSeconds ? 1 : FewestTurns;
        for (var turn = 0; turn < MostTurns && (turn < fewest || clock.Elapsed < budget); turn++)
        {
            ours.Turn();
            foreach (var peer in peers) peer.Turn();
            scoring?.Turn();
        }
        return new Measurement(ours, peers, scoring);
    }
}

/// <summary>One contender's times, in seconds a call.</summary>
internal sealed class Timed
{
    /// <summary>A call as long as this needs no warm-up and no second turn.</summary>
    public const double SlowSeconds = 20;

    private const double BlockSeconds = 0.03;

    /// <summary>Calls shorter than this are warmed up again by one that is not timed: another contender had the caches.</summary>
    private const double ShortSeconds = 0.005;

    private static readonly TimeSpan Rest = TimeSpan.FromMilliseconds(10);

    private readonly Action run;
    private readonly Func<TimeSpan> now;
    private readonly double parts;
    private readonly int calls = 1;

    /// <summary>Warms up, and finds how many calls make a block.</summary>
    public Timed(Contender contender, Func<TimeSpan> now)
    {
        this.now = now;
        Name = contender.Name;
        run = contender.Run;
        parts = contender.Parts;
        First = Block(1);
        if (First > SlowSeconds * parts) return;
        First = Block(1);
        if (First < BlockSeconds) First = Block((int)Math.Ceiling(BlockSeconds / Math.Max(First, 1e-7) / 4) + 1);
        calls = Math.Max(1, (int)(BlockSeconds / First));
    }

    public string Name { get; }

    public double First { get; }

    public List<double> Turns { get; } = [];

    public void Turn()
    {
        Thread.Sleep(Rest);
        if (First < ShortSeconds) run();
        Turns.Add(Block(calls));
    }

    private double Block(int count)
    {
        var start = now();
        for (var i = 0; i < count; i++) run();
        return (now() - start).TotalSeconds / count * parts;
    }
}

/// <summary>What one case gave.</summary>
internal sealed class Measurement(Timed ours, IReadOnlyList<Timed> peers, Timed? scoring)
{
    public double Ours { get; } = Median(ours.Turns);

    /// <summary>The peer's best way; null where no peer is here.</summary>
    public Timed? Best { get; } = peers.MinBy(p => Median(p.Turns));

    public double? Peer => Best is null ? null : Median(Best.Turns);

    public double? Scoring => scoring is null ? null : Median(scoring.Turns);

    /// <summary>Our time by the best peer's.</summary>
    public double? Ratio => Best is null ? null : Median([.. ours.Turns.Zip(Best.Turns, (a, b) => a / b)]);

    /// <summary>Half of the turns gave a ratio between these.</summary>
    public (double Low, double High)? Spread => Best is null ? null : Quartiles([.. ours.Turns.Zip(Best.Turns, (a, b) => a / b)]);

    /// <summary>Our time in units of scoring.</summary>
    public double? InScorings => scoring is null ? null : Median([.. ours.Turns.Zip(scoring.Turns, (a, b) => a / b)]);

    public int Turns => ours.Turns.Count;

    private static double Median(List<double> values) => Quantile(values, 0.5);

    private static (double, double) Quartiles(List<double> values) => (Quantile(values, 0.25), Quantile(values, 0.75));

    private static double Quantile(List<double> values, double q)
    {
        double[] sorted = [.. values.Order()];
        var at = q * (sorted.Length - 1);
        var low = (int)at;
        return sorted[low] + (at - low) * (sorted[Math.Min(low + 1, sorted.Length - 1)] - sorted[low]);
    }
}
