using System.Diagnostics;
using MLNetLinearize.Tests.Transforms;

namespace MLNetLinearize.Tests.Bulk;

/// <summary>
/// The long measurements in a short form, in a process of their own, where nothing else takes memory: that every row comes,
/// none is wrong, and memory stays. Speed is not judged here.
/// </summary>
public class BulkRunTests
{
    [Fact]
    public async Task AShortRunKeepsMemoryAndEveryRow()
    {
        var dll = Path.Combine(AppContext.BaseDirectory, "MLNetLinearize.Bulk.dll");
        using var process = Process.Start(new ProcessStartInfo("dotnet", [dll, "--samples", Samples.Path(""), "--rows", "20000", "--compared", "100", "--soak", "3"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var text = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();

        Assert.True(process.ExitCode == 0, text + await errors);
        Assert.Contains("20,000 rows", text, StringComparison.Ordinal);
        Assert.Contains("wrong rows: 0", text, StringComparison.Ordinal);
        Assert.Equal(4, text.Split("times (at least").Length - 1);
    }
}
