using System.Diagnostics;
using System.Globalization;
using Microsoft.ML.OnnxRuntime;

namespace MLNetLinearize.Runtime;

/// <summary>
/// Keeps a compilation within its time and bytes, and ends it where the caller cancels: between its steps, and within a run of the network
/// between the network's nodes, which also ends a loop that never would.
/// </summary>
internal sealed class CompilationWatch(CompilationLimits limits, CancellationToken cancellation)
{
    /// <summary>How often a run is looked after.</summary>
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(20);

    private readonly Stopwatch clock = Stopwatch.StartNew();

    /// <exception cref="InvalidModelException">The time is over.</exception>
    /// <exception cref="OperationCanceledException">The caller has cancelled.</exception>
    public void Check()
    {
        cancellation.ThrowIfCancellationRequested();
        if (clock.Elapsed > limits.MaxTime) throw OutOfTime();
    }

    /// <summary>Runs a session, and ends the run where a limit is met.</summary>
    /// <exception cref="InvalidModelException">A limit was met.</exception>
    /// <exception cref="OperationCanceledException">The caller has cancelled.</exception>
    /// <exception cref="OnnxRuntimeException">The run fails of itself.</exception>
    public T Run<T>(Func<RunOptions, T> run)
    {
        Check();
        using var options = new RunOptions();
        var (before, isOver, exceeded) = (Environment.WorkingSet, false, (Exception?)null);
        var guard = new object();
        using var timer = new Timer(_ => End(Exceeded(before)), null, Interval, Interval);
        try
        {
            return run(options);
        }
        catch (OnnxRuntimeException) when (exceeded is not null)
        {
            throw exceeded;
        }
        finally
        {
            lock (guard) isOver = true; // the timer may still be about to end what has ended, whose options are gone then
        }

        void End(Exception? why)
        {
            if (why is null) return;
            lock (guard)
            {
                if (isOver) return;
                exceeded ??= why;
                options.Terminate = true;
            }
        }
    }

    private Exception? Exceeded(long before)
    {
        if (cancellation.IsCancellationRequested) return new OperationCanceledException(cancellation);
        if (clock.Elapsed > limits.MaxTime) return OutOfTime();
        var grown = Environment.WorkingSet - before;
        return grown > limits.MaxBytes
            ? new InvalidModelException($"A run of the model on a sample row takes {Text(grown)} bytes of memory, and at most {Text(limits.MaxBytes)} are taken. Check the model's sizes, or raise LinearizeOptions.Limits.MaxBytes.") { IsModelSound = true, IsLimit = true }
            : null;
    }

    private InvalidModelException OutOfTime() =>
        new($"Compiling has taken {limits.MaxTime.TotalSeconds.ToString("0.#", CultureInfo.InvariantCulture)} seconds, and is given up. Explain a smaller part of the model, or raise LinearizeOptions.Limits.MaxTime.") { IsModelSound = true, IsLimit = true };

    private static string Text(long bytes) => bytes.ToString("N0", CultureInfo.InvariantCulture);
}
