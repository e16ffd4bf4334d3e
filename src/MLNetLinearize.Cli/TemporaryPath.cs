using MLNetLinearize.Cli.Output;

namespace MLNetLinearize.Cli;

/// <summary>
/// Files among the system's temporary ones. The folder may be missing, full, or another's: that is told with its name, since no
/// argument names it.
/// </summary>
internal static class TemporaryPath
{
    /// <summary>A path that nothing has.</summary>
    public static string New(string extension)
    {
        var folder = Path.GetTempPath();
        return Directory.Exists(folder) ? Path.Combine(folder, $"mlnet-linearize.{Guid.NewGuid():N}{extension}") : throw Unusable(folder, "There is no "
            + "such folder.");
    }

    /// <summary>Runs what writes to a temporary path. A failure names its folder.</summary>
    public static void Try(string path, Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (OutputFile.IsFailure(e))
        {
            throw Unusable(Path.GetDirectoryName(path)!, Words.Sentence(e.Message));
        }
    }

    private static InputException Unusable(string folder, string why) =>
        new($"The folder of temporary files '{Path.TrimEndingDirectorySeparator(folder)}' cannot be written to: "
            + $"{why} Set {(OperatingSystem.IsWindows() ? "TEMP" : "TMPDIR")} to a folder that can be written to, on a disk with room for it.");
}
