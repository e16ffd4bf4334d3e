using System.Diagnostics;
using System.Text.RegularExpressions;
using MLNetLinearize.Tests.Documentation;

namespace MLNetLinearize.Tests.SamplePrograms;

/// <summary>The sample service as a process of its own, on a free port of loopback, until disposed.</summary>
public sealed partial class ServiceProcess : IAsyncLifetime
{
    private Process? process;

    public HttpClient Client { get; } = new();

    public async Task InitializeAsync()
    {
        var here = new DirectoryInfo(AppContext.BaseDirectory);
        var dll = Repository.File($"samples/Service/bin/{here.Parent!.Name}/net10.0/Service.dll");
        process = Process.Start(new ProcessStartInfo("dotnet", [dll, "--urls", "http://127.0.0.1:0"]) { RedirectStandardOutput = true })!;
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        while (await process.StandardOutput.ReadLineAsync(patience.Token) is { } line)
        {
            if (Listening().Match(line) is not { Success: true } match) continue;
            Client.BaseAddress = new Uri(match.Groups[1].Value);
            _ = process.StandardOutput.ReadToEndAsync(CancellationToken.None); // so that its log never fills the pipe
            return;
        }
        Assert.Fail("The service ended before it listened.");
    }

    public Task DisposeAsync()
    {
        Client.Dispose();
        process?.Kill(entireProcessTree: true);
        process?.Dispose();
        return Task.CompletedTask;
    }

    [GeneratedRegex(@"Now listening on: (http://127\.0\.0\.1:\d+)")]
    private static partial Regex Listening();
}
