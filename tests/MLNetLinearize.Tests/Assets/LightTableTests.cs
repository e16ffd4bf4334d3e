using System.Diagnostics;
using System.Globalization;
using System.Text;
using MLNetLinearize.Tests.Documentation;

namespace MLNetLinearize.Tests.Assets;

/// <summary>
/// Time and peak memory of compiling each of the ONNX project's ImageNet architectures for its top class: the command line's
/// <c>export</c> in a process of its own, which compiles, runs the map on random rows to prove that they do not mix, and
/// writes it. <c>MLNETLINEARIZE_UPDATE_LIGHT=1 dotnet test --filter LightTableTests</c> measures again, one by one, and
/// compares what the written graph scores with the model's committed output, and with ONNX Runtime's own of the tensor that is
/// explained. (The weights of these models are all alike: no claim about W or its error is made from them.)
/// </summary>
public class LightTableTests
{
    private const string Table = "tests/MLNetLinearize.Tests/Assets/onnx-light.txt";

    [AssetFact]
    public void Every_architecture_has_been_measured()
    {
        var models = Directory.GetFiles(AssetFolder.File("conformance/onnx-light"), "*.onnx").Order(StringComparer.Ordinal).ToList();
        if (Environment.GetEnvironmentVariable("MLNETLINEARIZE_UPDATE_LIGHT") == "1") File.WriteAllText(Repository.File(Table), Measure(models));
        var rows = File.ReadAllLines(Repository.File(Table)).Skip(3).ToList();
        Assert.Equal(models.Select(Path.GetFileName), rows.Select(r => r.Split(' ')[0]));
        Assert.All(rows, r => Assert.All(Numbers(r).Skip(2).Take(2), n => Assert.True(n > 0, r)));
        Assert.All(rows, r => Assert.All(Numbers(r).Skip(4), error => Assert.InRange(error, 0, LightModel.LargestError)));
    }

    private static IEnumerable<double> Numbers(string row) => row.Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Select(n => double.Parse(n, CultureInfo.InvariantCulture));

    private static string Measure(IEnumerable<string> models)
    {
        var text = new StringBuilder($"{"export --targets top:1",-30}{"model MB",10}{"written MB",12}{"seconds",10}{"peak MB",10}{"expected",10}{"runtime",10}\n{Load()}\n");
        foreach (var model in models)
        {
            using var folder = new Cli.TemporaryFolder();
            var written = folder.File("out.onnx");
            var (seconds, peak) = Run(model, written);
            var (expected, runtime) = new LightModel(model).Errors(written);
            text.Append(CultureInfo.InvariantCulture, $"{Path.GetFileName(model),-30}{new FileInfo(model).Length / 1e6,10:F1}{new FileInfo(written).Length / 1e6,12:F1}{seconds,10:F1}{peak / 1e3,10:F0}{expected,10:G1}{runtime,10:G1}\n");
        }
        return text.ToString();
    }

    /// <summary>What the columns are, and what else the machine did.</summary>
    private static string Load() => FormattableString.Invariant($"(expected, runtime: largest error of the score, relative to the largest one, against the committed output and ONNX Runtime's own; load of {Environment.ProcessorCount} cores before: {(File.Exists("/proc/loadavg") ? File.ReadAllText("/proc/loadavg").Split(' ')[0] : "unknown")})\n");

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
