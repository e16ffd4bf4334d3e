using System.Diagnostics;
using System.Globalization;
using System.Text;
using MLNetLinearize.Tests.Documentation;

namespace MLNetLinearize.Tests.Assets;

/// <summary>
/// Time and peak memory of compiling each of the ONNX project's ImageNet architectures for its top class: the command line's
/// <c>export</c> in a process of its own, which compiles, runs the map on random rows to prove that they do not mix, and
/// writes it. <c>MLNETLINEARIZE_UPDATE_LIGHT=1 dotnet test --filter LightTableTests</c> measures again, one by one.
/// (The weights of these models are all alike: no claim about W or its error is made from them.)
/// </summary>
public class LightTableTests
{
    private const string Table = "tests/MLNetLinearize.Tests/Assets/onnx-light.txt";

    [AssetFact]
    public void Every_architecture_has_been_measured()
    {
        var models = Directory.GetFiles(AssetFolder.File("conformance/onnx-light"), "*.onnx").Order(StringComparer.Ordinal).ToList();
        if (Environment.GetEnvironmentVariable("MLNETLINEARIZE_UPDATE_LIGHT") == "1") File.WriteAllText(Repository.File(Table), Measure(models));
        var rows = File.ReadAllLines(Repository.File(Table)).Skip(2).ToList();
        Assert.Equal(models.Select(Path.GetFileName), rows.Select(r => r.Split(' ')[0]));
        Assert.All(rows, r => Assert.All(Numbers(r).TakeLast(2), n => Assert.True(n > 0, r)));
    }

    private static IEnumerable<double> Numbers(string row) => row.Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(n => double.Parse(n, CultureInfo.InvariantCulture));

    private static string Measure(IEnumerable<string> models)
    {
        var text = new StringBuilder($"{"export --targets top:1",-30}{"model MB",10}{"written MB",12}{"seconds",10}{"peak MB",10}\n\n");
        foreach (var model in models)
        {
            using var folder = new Cli.TemporaryFolder();
            var written = folder.File("out.onnx");
            var (seconds, peak) = Run(model, written);
            text.Append(CultureInfo.InvariantCulture, $"{Path.GetFileName(model),-30}{new FileInfo(model).Length / 1e6,10:F1}{new FileInfo(written).Length / 1e6,12:F1}{seconds,10:F1}{peak / 1e3,10:F0}\n");
        }
        return text.ToString();
    }

    /// <summary>Wall-clock seconds, and the largest resident set (VmHWM) in kB.</summary>
    private static (double Seconds, double PeakKilobytes) Run(string model, string written)
    {
        var tool = Path.Combine(AppContext.BaseDirectory, "mlnet-linearize.dll");
        var watch = Stopwatch.StartNew();
        using var process = Process.Start(new ProcessStartInfo("dotnet", ["exec", tool, "export", model, written, "--targets", "top:1"]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEndAsync();
        double peak = 0;
        while (!process.WaitForExit(20))
        {
            try
            {
                if (File.ReadLines($"/proc/{process.Id}/status").FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal)) is { } line)
                    peak = Math.Max(peak, double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture));
            }
            catch (IOException)
            {
                // It has just ended.
            }
        }
        Assert.True(process.ExitCode == 0, errors.Result + output.Result);
        return (watch.Elapsed.TotalSeconds, peak);
    }
}
