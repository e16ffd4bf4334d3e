using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Microsoft.ML.OnnxRuntime;

namespace MLNetLinearize.Benchmarks.Comparison;

/// <summary>Seconds from a model's file to a session that explains.</summary>
/// <param name="Wall">On the clock.</param>
/// <param name="Processor">Of all processors together.</param>
internal sealed record Duration(double Wall, double Processor);

/// <summary>How long one model takes to be ready: medians over processes of their own.</summary>
/// <param name="Model">Name of the model's file.</param>
/// <param name="Compiled">Compiled, and its session opened.</param>
/// <param name="Cached">The same from a folder of compiled networks that has it.</param>
/// <param name="Scored">The model itself, as its file has it, opened in ONNX Runtime without optimizations, and one row scored.</param>
/// <param name="Load">Load average of the machine before.</param>
internal sealed record CompileTime(string Model, Duration Compiled, Duration Cached, Duration Scored, string Load);

/// <summary>
/// Times compilation as a user meets it: each time in a new process, which has yet to translate the library's code, from
/// reading the file to the open session.
/// </summary>
internal static class CompileTimes
{
    /// <summary>Name of the table in the folder of results.</summary>
    public const string Name = "compile-times";

    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true };

    /// <summary>Reads a stored table.</summary>
    public static List<CompileTime> Read(string file) => JsonSerializer.Deserialize<List<CompileTime>>(File.ReadAllText(file))!;

    /// <summary>Makes a model ready in this process; without a folder of compiled networks, to be scored alone.</summary>
    public static Duration Once(string model, string? cache)
    {
        using var process = Process.GetCurrentProcess();
        var (processor, clock) = (process.TotalProcessorTime, Stopwatch.StartNew());
        if (cache is null) ScoreOnce(model);
        else new Linearizer(model, new() { Threads = 1, CacheDirectory = cache }).Dispose();
        process.Refresh();
        return new(clock.Elapsed.TotalSeconds, (process.TotalProcessorTime - processor).TotalSeconds);
    }

    private static void ScoreOnce(string model)
    {
        using var options = new SessionOptions { GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL, IntraOpNumThreads = 1 };
        using var session = new InferenceSession(model, options);
        var (name, input) = session.InputMetadata.First();
        long[] shape = [.. input.Dimensions.Select(d => (long)Math.Max(d, 1))];
        using var row = OrtValue.CreateTensorValueFromMemory(new float[shape.Aggregate(1L, (a, d) => a * d)], shape);
        using var run = new RunOptions();
        using var scores = session.Run(run, [name], [row], [session.OutputNames[0]]);
    }

    /// <summary>Times a model in processes of their own, <paramref name="repeats"/> of each kind.</summary>
    /// <exception cref="InvalidOperationException">Such a process failed.</exception>
    public static CompileTime Measure(string model, int repeats)
    {
        var load = Results.Load;
        var folders = Enumerable.Range(0, repeats).Select(_ => Directory.CreateTempSubdirectory("compile-times-").FullName).ToList();
        try
        {
            // The first process of a folder compiles, the second finds what that left.
            var compiled = folders.Select(f => InProcess(model, f)).ToList();
            var cached = folders.Select(f => InProcess(model, f)).ToList();
            var scored = folders.Select(_ => InProcess(model)).ToList();
            return new(Path.GetFileName(model), Median(compiled), Median(cached), Median(scored), load);
        }
        finally
        {
            foreach (var folder in folders) Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Writes the table as JSON, and the same as Markdown beside it.</summary>
    public static void Save(string folder, IReadOnlyList<CompileTime> times)
    {
        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, Name + ".json"), JsonSerializer.Serialize(times, Json) + "\n");
        File.WriteAllText(Path.Combine(folder, Name + ".md"), Markdown(times));
    }

    private static string Markdown(IReadOnlyList<CompileTime> times)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"""
            # From a model's file to a session that explains

            Seconds to read the file, compile it for the predicted class and open the session with one thread, each time in a
            new process; then the same with a folder of compiled networks that has it; then of the model itself, opened without
            optimizations and one row scored, which compiling does once, since it compares with it. Medians. {Results.Processor()};
            {RuntimeInformation.FrameworkDescription}, {RuntimeInformation.OSDescription}. Load is the machine's load average before.
            Written by `dotnet run -c Release --project tests/MLNetLinearize.Benchmarks -- compile FILES`.

            | model | compiled | of processors | cached | of processors | scored | of processors | load |
            |---|---|---|---|---|---|---|---|

            """);
        foreach (var t in times)
            text.Append(CultureInfo.InvariantCulture, $"| {t.Model} | {Cells(t.Compiled)} | {Cells(t.Cached)} | {Cells(t.Scored)} | {t.Load} |\n");
        return text.ToString();
    }

    private static string Cells(Duration t) => string.Create(CultureInfo.InvariantCulture, $"{t.Wall:0.00} | {t.Processor:0.00}");

    private static Duration InProcess(string model, params string[] cache)
    {
        // Under the dotnet host the program is the host's first argument.
        var (program, self) = (Environment.ProcessPath!, Environment.GetCommandLineArgs()[0]);
        string[] host = Path.GetFileNameWithoutExtension(program) == "dotnet" ? [self] : [];
        using var child = Process.Start(new ProcessStartInfo(program, [.. host, CommandLine.CompileOnce, model, .. cache]) { RedirectStandardOutput = true })!;
        var output = child.StandardOutput.ReadToEnd();
        child.WaitForExit();
        if (child.ExitCode != 0) throw new InvalidOperationException($"Compiling '{model}' ended with exit code {child.ExitCode}: {output}");
        return JsonSerializer.Deserialize<Duration>(output)!;
    }

    private static Duration Median(List<Duration> times) => new(Median(times.Select(t => t.Wall)), Median(times.Select(t => t.Processor)));

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return Math.Round((sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2, 3);
    }
}
