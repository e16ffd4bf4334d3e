using System.Globalization;

namespace MLNetLinearize.Fuzz;

/// <summary>Runs mutants in this process: seeds come in by lines; stages and verdicts go out by lines, with tabs between.</summary>
internal static class Worker
{
    public const string StageMark = "stage";
    public const string VerdictMark = "verdict";
    private const long LargestPeak = 2L << 30;
    private const int MostMutants = 400;

    public static int Run(Corpus corpus)
    {
        // What libraries print must not stand between the lines.
        var answers = Console.Out;
        Console.SetOut(TextWriter.Null);
        for (var i = 0; i < MostMutants && Console.In.ReadLine() is { } line; i++)
        {
            var verdict = Judge(corpus, int.Parse(line, CultureInfo.InvariantCulture), s => answers.WriteLine($"{StageMark}\t{s}"));
            answers.WriteLine($"{VerdictMark}\t{verdict.Outcome}\t{verdict.Message.ReplaceLineEndings(" ").Replace('\t', ' ')}");
            answers.Flush();
            // Memory that stays would count against the next.
            if (Environment.WorkingSet > LargestPeak / 4) break;
        }
        return 0;
    }

    public static int Reproduce(Corpus corpus, int seed, FileInfo? output)
    {
        var mutant = Mutant.Draw(corpus, seed);
        Console.WriteLine(mutant.Description);
        if (output is not null) File.WriteAllBytes(output.FullName, mutant.Bytes);
        var verdict = Judge(corpus, seed, s => Console.WriteLine($"{s} …"));
        Console.WriteLine($"{verdict.Outcome}: {verdict.Message}");
        return verdict.IsFailure ? 1 : 0;
    }

    private static Verdict Judge(Corpus corpus, int seed, Action<Stage> stage)
    {
        stage(Stage.Draw);
        PeakMemory.Reset();
        var verdict = Trial.Run(Mutant.Draw(corpus, seed), seed, stage);
        var peak = PeakMemory.Bytes();
        return peak > LargestPeak ? new(Outcome.Memory, $"{peak:N0} bytes; {verdict.Outcome}: {verdict.Message}") : verdict;
    }
}
