using System.Globalization;
using System.Text;
using MLNetLinearize.Benchmarks.Comparison;

namespace MLNetLinearize.Tests.Documentation;

/// <summary>README's table of speed, written from the committed measurements.</summary>
internal static class SpeedTable
{
    private const string Measured = "tests/MLNetLinearize.Benchmarks/results/";

    /// <summary>The machines, with the beginning of their files' names.</summary>
    private static readonly (string Name, string File)[] Machines = [("Xeon", "intel-r-xeon-r-processor-2-processors"), ("EPYC", "amd-epyc-2-processors")];

    public static string Write()
    {
        List<Line>[] measured = [.. Machines.SelectMany(m => new[] { "2-threads", "1-thread" }.Select(threads => Results.Read(Repository.File($"{Measured}{m.File}-{threads}.json"))))];
        Question[] questions = [Question.Top, Question.All];
        var text = new StringBuilder("| network | rows at once |").AppendJoin("", questions.SelectMany(q => Machines.Select(m => $" {Case.Words(q)}, {m.Name} |"))).Append("\n|---|---|---|---|---|---|\n");
        foreach (var (network, batch) in measured[0].Where(l => questions.Contains(l.Question)).Select(l => (l.Network, l.Batch)).Distinct())
        {
            var ratios = questions.SelectMany(q => measured.Select(lines => Ratio(lines.Single(l => (l.Network, l.Batch, l.Question) == (network, batch, q)))).Chunk(2));
            text.Append(CultureInfo.InvariantCulture, $"| {network} | {batch} | ").AppendJoin(" | ", ratios.Select(r => string.Join(", ", r))).Append(" |\n");
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
