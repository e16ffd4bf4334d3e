using Microsoft.ML;

namespace MLNetLinearize.Bulk;

/// <param name="Samples">The repository's folder of samples.</param>
/// <param name="Rows">Rows of the long pass.</param>
/// <param name="Compared">Rows of each pass of the comparison.</param>
/// <param name="SoakSeconds">Seconds of the soak.</param>
internal sealed record BulkOptions(string Samples, int Rows, int Compared, int SoakSeconds)
{
    /// <summary>Rows of each pass over the convolutional network, which takes longer.</summary>
    public int ComparedCnn => Math.Max(1, Compared / 5);

    public string Mlp => Path.Combine(Samples, "models", "digits-mlp.onnx");

    public string Cnn => Path.Combine(Samples, "models", "digits-cnn.onnx");

    public string Digits => Path.Combine(Samples, "data", "digits", "digits.csv");
}

/// <summary>All measurements, one after the other. Each says whether it kept what it promises.</summary>
internal static class BulkRun
{
    public static bool Run(BulkOptions options, Report report)
    {
        var ml = new MLContext(seed: 1);
        var digits = new Digits(ml, options.Digits);
        report.Line($"{Machine()}");
        var flat = LongPass.Run(ml, digits, options, report);
        var fast = Comparison.Run(ml, digits, options, report);
        CursorSets.Run(ml, digits, options, report);
        var sound = Soak.Run(ml, digits, options, report);
        return flat & fast & sound;
    }

    private static string Machine()
    {
        var info = "/proc/cpuinfo";
        var processor = File.Exists(info) ? File.ReadLines(info).FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim() : null;
        return $"{processor ?? "unknown processor"}, {Environment.ProcessorCount} cores, {GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 30} GiB, .NET {Environment.Version}, ONNX Runtime {typeof(Microsoft.ML.OnnxRuntime.InferenceSession).Assembly.GetName().Version?.ToString(3)}";
    }
}
