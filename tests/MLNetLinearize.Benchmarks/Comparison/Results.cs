using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using MLNetLinearize.Benchmarks.Networks;

namespace MLNetLinearize.Benchmarks.Comparison;

/// <summary>One measured case as it is stored. Times are milliseconds a call; <c>Wrong</c> names the peer's ways that answered wrongly and were not timed.</summary>
internal sealed record Line(string Network, int Batch, Question Question, double? Goal, double? Ratio, double? Low, double? High, double Ours, double? Peer, string? PeerWay, double? Scoring, double? InScorings, int Turns, string Load, string? Wrong = null);

/// <summary>The measured table of one machine and number of threads: a JSON file, and the same as Markdown beside it.</summary>
internal sealed class Results
{
    private static readonly JsonSerializerOptions Json = new() { WriteIndented = true, Converters = { new System.Text.Json.Serialization.JsonStringEnumConverter() } };

    private readonly string file;
    private readonly int threads;
    private readonly List<Line> lines;

    /// <summary>Opens what is stored for this machine; measured lines replace those of the same case.</summary>
    public Results(string folder, int threads)
    {
        this.threads = threads;
        var processor = Processor();
        file = Path.Combine(folder, $"{Slug(processor)}-{threads}-thread{(threads == 1 ? "" : "s")}.json");
        lines = File.Exists(file) ? Read(file) : [];
    }

    /// <summary>The lines of a stored table.</summary>
    public static List<Line> Read(string file) => JsonSerializer.Deserialize<List<Line>>(File.ReadAllText(file), Json)!;

    public static string Load => File.Exists("/proc/loadavg") ? File.ReadAllText("/proc/loadavg").Split(' ')[0] : "unknown";

    public Line Add(Case asked, Measurement measured, string? wrong, string load)
    {
        var line = new Line(asked.Network, asked.Batch, asked.Question, asked.Goal, Round(measured.Ratio), Round(measured.Spread?.Low), Round(measured.Spread?.High), Milliseconds(measured.Ours)!.Value, Milliseconds(measured.Peer), measured.Best?.Name, Milliseconds(measured.Scoring), Round(measured.InScorings), measured.Turns, load, asked.Question == Question.MlNet ? null : wrong);
        lines.RemoveAll(l => (l.Network, l.Batch, l.Question) == (line.Network, line.Batch, line.Question));
        lines.Add(line);
        return line;
    }

    public void Save()
    {
        var order = Case.Everything.Select((c, i) => (c, i)).ToDictionary(p => (p.c.Network, p.c.Batch, p.c.Question), p => p.i);
        List<Line> sorted = [.. lines.Where(l => order.ContainsKey((l.Network, l.Batch, l.Question))).OrderBy(l => order[(l.Network, l.Batch, l.Question)])];
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(file))!);
        File.WriteAllText(file, JsonSerializer.Serialize(sorted, Json) + "\n");
        File.WriteAllText(Path.ChangeExtension(file, ".md"), Markdown(sorted));
    }

    private string Markdown(List<Line> sorted)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"""
            # {Processor()}, {threads} thread{(threads == 1 ? "" : "s")}

            Time of ours divided by the peer's: medians over interleaved turns in one process, with the quartiles of the ratio.
            The peer is libtorch in its best way here (loop over classes or repeated inputs, memory layout, BatchNorm folded or
            not); of the lines "through ML.NET", `ApplyOnnxModel`, which only scores. F is ONNX Runtime's time to score the
            batch; the limit is 2 F for one target and (1 + C) F for all C. {RuntimeInformation.FrameworkDescription}, {RuntimeInformation.OSDescription}.
            Load is the machine's load average when the line was taken. Written by
            `dotnet run -c Release --project tests/MLNetLinearize.Benchmarks -p:LibTorch=true -- compare --threads {threads}`.

            | network | batch | question | ratio | quartiles | goal | | ours | peer | its way | F | ours/F | limit | load |
            |---|---|---|---|---|---|---|---|---|---|---|---|---|---|

            """);
        foreach (var l in sorted)
            text.Append(CultureInfo.InvariantCulture, $"| {l.Network} | {l.Batch} | {Case.Words(l.Question)} | {l.Ratio:0.00} | {l.Low:0.00}–{l.High:0.00} | {(l.Goal is { } g ? $"≤ {g:0.00}" : "")} | {Verdict(l)} | {Time(l.Ours)} | {Time(l.Peer)} | {l.PeerWay}{(l.Wrong is { } wrong ? $" ({wrong}: wrong scores, left out)" : "")} | {Time(l.Scoring)} | {l.InScorings:0.0} | {Limit(l)} | {l.Load} |\n");
        return text.ToString();
    }

    private static string Verdict(Line line) => (line.Goal, line.Ratio) switch
    {
        ({ } goal, { } ratio) => ratio <= goal ? "met" : "missed",
        _ => "",
    };

    private static string Limit(Line line) => line.Question switch
    {
        Question.Top => "2",
        Question.All => $"{1 + NetworkCatalog.Make(line.Network).Outputs}",
        _ => "",
    };

    private static string Time(double? milliseconds) => milliseconds switch
    {
        null => "",
        < 1 and var t => string.Create(CultureInfo.InvariantCulture, $"{t * 1000:0.0} µs"),
        < 1000 and var t => string.Create(CultureInfo.InvariantCulture, $"{t:0.00} ms"),
        var t => string.Create(CultureInfo.InvariantCulture, $"{t / 1000:0.00} s"),
    };

    private static double? Milliseconds(double? seconds) => seconds is { } s ? Math.Round(s * 1000, 5) : null;

    private static double? Round(double? value) => value is { } v ? Math.Round(v, 4) : null;

    /// <summary>Name of the processor and its number of threads.</summary>
    public static string Processor()
    {
        const string source = "/proc/cpuinfo";
        var name = File.Exists(source) ? File.ReadLines(source).FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim() : null;
        return $"{name ?? RuntimeInformation.ProcessArchitecture.ToString()}, {Environment.ProcessorCount} processors";
    }

    private static string Slug(string text) => string.Join('-', text.ToLowerInvariant().Split([' ', ',', '(', ')', '@', '.'], StringSplitOptions.RemoveEmptyEntries));
}
