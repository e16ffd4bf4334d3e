namespace Tabular;

/// <summary>An explanation for a reader who knows the case and not the network.</summary>
internal static class Letter
{
    private const int Reasons = 4;

    public static void Write(int number, Explained explained, IReadOnlyList<string> names, IReadOnlyList<double> average, IReadOnlyList<Change> changes)
    {
        var said = Diagnosis(explained.LogOdds);
        Console.WriteLine($"Letter on case {number}");
        Console.WriteLine();
        Console.WriteLine($"  Our network calls this mass {said}, with a probability of {Probability(explained.LogOdds):P0}.");
        Console.WriteLine();
        Console.WriteLine("  Why: compared with the average case,");
        var reasons = explained.Weights.Select((w, i) => (Measurement: i, Push: w * (explained.Case[i] - average[i]))).OrderByDescending(r => Math.Abs(r.Push)).ToArray();
        foreach (var (i, push) in reasons.Take(Reasons))
            Console.WriteLine($"  - {names[i]} is {(explained.Case[i] > average[i] ? "high" : "low")} ({explained.Case[i]:0.####}; average {average[i]:0.####}), which speaks for {Diagnosis(push)} ({Math.Abs(push):0.00}).");
        var rest = reasons.Skip(Reasons).Sum(r => r.Push);
        Console.WriteLine($"  - The other {reasons.Length - Reasons} measurements together speak for {Diagnosis(rest)} ({Math.Abs(rest):0.00}).");
        var start = explained.LogOdds - reasons.Sum(r => r.Push);
        Console.WriteLine($"  An average case under the same rules would start at {Math.Abs(start):0.00} for {Diagnosis(start)}; all in all {Math.Abs(explained.LogOdds):0.00} for {said}.");
        Console.WriteLine();
        Console.WriteLine($"  What would have to change for the network to call it {Diagnosis(-explained.LogOdds)}, one measurement at a time and all others as they are:");
        foreach (var change in changes)
        {
            Console.WriteLine($"  - {names[change.Measurement]} of {change.To:0.####} instead of {change.From:0.####}. We tried it: it says {Diagnosis(change.Actual)} ({Math.Abs(change.Actual):0.00}; predicted {Math.Abs(change.Predicted):0.00} for {Diagnosis(change.Predicted)}).");
            Console.WriteLine(change.Inside
                ? "    The rules that hold for this case hold up to there."
                : "    On the way there other rules come to hold, so that the figure is no more than a first guess.");
        }
    }

    private static string Diagnosis(double logOdds) => logOdds > 0 ? "malignant" : "benign";

    private static double Probability(double logOdds) => 1 / (1 + Math.Exp(-Math.Abs(logOdds)));
}
