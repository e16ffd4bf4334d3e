using System.Globalization;
using System.Text;
using MLNetLinearize.Benchmarks.Comparison;

namespace MLNetLinearize.Tests.Documentation;

/// <summary>README's table of speed, written from the committed measurements of one machine.</summary>
internal static class SpeedTable
{
    private const string Measured = "tests/MLNetLinearize.Benchmarks/results/amd-epyc-2-processors-1-thread.json";

    public static string Write()
    {
        var lines = Results.Read(Repository.File(Measured));
        var text = new StringBuilder("| network | rows at once | top-1 attribution | W of all classes |\n|---|---|---|---|\n");
        foreach (var group in lines.Where(l => l.Question is Question.Top or Question.All).GroupBy(l => (l.Network, l.Batch)))
            text.Append(CultureInfo.InvariantCulture, $"| {group.Key.Network} | {group.Key.Batch} | {Ratio(group, Question.Top)} | {Ratio(group, Question.All)} |\n");
        return text.ToString().Trim();
    }

    /// <summary>README's sentence on compile times, from the committed measurements.</summary>
    public static string WriteCompileTimes()
    {
        var times = CompileTimes.Read(Repository.File($"tests/MLNetLinearize.Benchmarks/results/{CompileTimes.Name}.json"));
        static string Seconds(Duration d) => string.Create(CultureInfo.InvariantCulture, $"{d.Wall:0.0} s ({d.Processor:0.0} s of a processor)");
        var each = times.Select(t => $"`{t.Model}` {Seconds(t.Compiled)}, from the cache {Seconds(t.Cached)}");
        return $"From the file to a session that explains, in a new process ([measured](tests/MLNetLinearize.Benchmarks/results/{CompileTimes.Name}.md) at the load it names):\n{string.Join(";\n", each)}.";
    }

    private static string Ratio(IEnumerable<Line> lines, Question question) =>
        lines.SingleOrDefault(l => l.Question == question)?.Ratio is { } ratio ? ratio.ToString("0.00", CultureInfo.InvariantCulture) : "";
}
