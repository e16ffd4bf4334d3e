using System.Globalization;
using System.Text;
using MLNetLinearize.Benchmarks.Comparison;

namespace MLNetLinearize.Tests.Documentation;

/// <summary>README's table of speed, written from the committed measurements of one machine.</summary>
internal static class SpeedTable
{
    private const string Measured = "tests/MLNetLinearize.Benchmarks/results/intel-r-xeon-r-processor-2-processors-";

    public static string Write()
    {
        var (two, one) = (Results.Read(Repository.File(Measured + "2-threads.json")), Results.Read(Repository.File(Measured + "1-thread.json")));
        var text = new StringBuilder("| network | rows at once | top-1 attribution, two threads | one thread | W of all classes, two threads | one thread |\n|---|---|---|---|---|---|\n");
        foreach (var (network, batch) in two.Where(l => l.Question is Question.Top or Question.All).Select(l => (l.Network, l.Batch)).Distinct())
        {
            string Ratios(Question question) => string.Join(" | ", new[] { two, one }.Select(lines => Ratio(lines.Single(l => (l.Network, l.Batch, l.Question) == (network, batch, question)))));
            text.Append(CultureInfo.InvariantCulture, $"| {network} | {batch} | {Ratios(Question.Top)} | {Ratios(Question.All)} |\n");
        }
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

    private static string Ratio(Line line) => line.Ratio?.ToString("0.00", CultureInfo.InvariantCulture) ?? "";
}
