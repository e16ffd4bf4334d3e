using System.Diagnostics;
using System.Globalization;

namespace MLNetLinearize.Fuzz;

/// <summary>The most memory that this process has held since it was last asked to forget.</summary>
internal static class PeakMemory
{
    private const string Status = "/proc/self/status";

    /// <summary>Forgets what was; Linux alone can.</summary>
    public static void Reset()
    {
        if (!OperatingSystem.IsLinux()) return;
        try
        {
            File.WriteAllText("/proc/self/clear_refs", "5");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Then the peak is that of all mutants of this process.
        }
    }

    public static long Bytes()
    {
        if (!OperatingSystem.IsLinux()) return Process.GetCurrentProcess().PeakWorkingSet64;
        var line = File.ReadLines(Status).First(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
        return 1024 * long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
    }
}
