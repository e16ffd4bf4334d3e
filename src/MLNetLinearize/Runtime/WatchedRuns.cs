using Microsoft.ML.OnnxRuntime;

namespace MLNetLinearize.Runtime;

/// <summary>Runs within the limits of the compilation that they belong to.</summary>
internal static class WatchedRuns
{
    /// <summary>Runs a session under the watch of the options, if there is one.</summary>
    public static T Watched<T>(this LinearizeOptions options, Func<RunOptions, T> run)
    {
        if (options.Watch is { } watch) return watch.Run(run);
        using var plain = new RunOptions();
        return run(plain);
    }
}
