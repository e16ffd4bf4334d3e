using System.Diagnostics;

namespace MLNetLinearize.Tests.Cli;

/// <summary>The command line in a process of its own, for what only a system can do to one.</summary>
internal static class CliProcess
{
    private static readonly string Tool = Path.Combine(AppContext.BaseDirectory, "mlnet-linearize.dll");

    public static Process Start(params string[] arguments) => Start("dotnet", [Tool, .. arguments]);

    /// <summary>Starts the tool by a line of a shell, in which <c>"$@"</c> is the tool with its arguments.</summary>
    public static Process StartBy(string script, params string[] arguments) => Start("bash", ["-c", script, "bash", "dotnet", Tool, .. arguments]);

    private static Process Start(string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        // A limit on the size of files, which some tests set, would hold for the runtime's own shared memory too.
        start.Environment["DOTNET_EnableWriteXorExecute"] = "0";
        return Process.Start(start)!;
    }
}
