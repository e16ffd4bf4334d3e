namespace MLNetLinearize.Evaluation;

/// <summary>One explanation by one method.</summary>
/// <param name="Units">Contributions of the units; first of the row, then of its neighbours.</param>
/// <param name="Offset">What belongs to no unit: with the contributions it should make the score.</param>
internal sealed record Attempt(IReadOnlyList<double[]> Units, double Offset)
{
    public double[] Here => Units[0];
}

/// <summary>The row, by how the score answers to changes that are the same for all methods.</summary>
/// <param name="Row">The row.</param>
/// <param name="Target">The explained output.</param>
/// <param name="Score">F(x).</param>
/// <param name="Removed">Random sets of units.</param>
/// <param name="Drops">By how much F falls without each of these sets.</param>
/// <param name="Probed">Units whose input × gradient is known.</param>
/// <param name="Gradients">Theirs, by central differences.</param>
internal sealed record Answers(EvaluatedRow Row, long Target, double Score, IReadOnlyList<int[]> Removed, IReadOnlyList<double> Drops, IReadOnlyList<int> Probed, IReadOnlyList<double> Gradients);

/// <summary>The measures of one method, summed over explanations. They are defined at <see cref="MethodEvaluation"/>.</summary>
internal sealed class MethodTally(AttributionMethod method, Scorer scorer, Units units, float[] baseline, EvaluateOptions options)
{
    private readonly int[] steps = StepCounts(units.Count, options.Steps), shares = [.. options.Shares.Select(s => (int)Math.Ceiling(s * units.Count))];
    private readonly RunningMean completeness = new(), deletionArea = new(), insertionArea = new(), comprehensiveness = new(), sufficiency = new(), infidelity = new(), sensitivity = new(), gradient = new(), agreement = new();
    private readonly RunningMean[] deletion = Means(units.Count, options.Steps), insertion = Means(units.Count, options.Steps);

    public IReadOnlyList<double> Fractions => [.. steps.Select(s => (double)s / units.Count)];

    public void Add(Answers answers, Attempt attempt, double[] ours)
    {
        var a = attempt.Here;
        completeness.Add(Math.Abs(answers.Score - (a.Sum() + attempt.Offset)) / Math.Max(1, Math.Abs(answers.Score)));
        AddCurves(answers, a);
        if (answers.Removed.Count > 0)
            infidelity.Add(answers.Removed.Zip(answers.Drops, (set, drop) => Math.Pow(set.Sum(u => a[u]) - drop, 2)).Average());
        if (attempt.Units.Count > 1 && Statistics.Norm(a) is > 0 and var length)
            sensitivity.Add(attempt.Units.Skip(1).Max(b => Statistics.Norm(b.Zip(a, (p, q) => p - q))) / length);
        gradient.Add(Statistics.Pearson([.. answers.Probed.Select(u => a[u])], answers.Gradients));
        agreement.Add(Statistics.Spearman(a, ours));
    }

    public MethodEvaluation Result() => new()
    {
        Method = method,
        CompletenessError = completeness.Value,
        LargestCompletenessError = completeness.Largest,
        DeletionArea = deletionArea.Value,
        InsertionArea = insertionArea.Value,
        Comprehensiveness = comprehensiveness.Value,
        Sufficiency = sufficiency.Value,
        Infidelity = infidelity.Value,
        MaxSensitivity = sensitivity.Value,
        GradientCorrelation = gradient.Value,
        RankAgreement = agreement.Value,
        Deletion = [.. deletion.Select(m => m.Value.Mean)],
        Insertion = [.. insertion.Select(m => m.Value.Mean)],
    };

    private void AddCurves(Answers answers, double[] a)
    {
        // OrderBy keeps equal ones in their order.
        int[] ranked = [.. Enumerable.Range(0, a.Length).OrderByDescending(u => a[u])];
        int[] counts = [.. steps.Concat(shares).Distinct().Order()];
        var scores = scorer.Scaled(answers.Row, answers.Target, 2 * counts.Length, (i, x) =>
        {
            var count = counts[i / 2];
            foreach (var unit in i % 2 == 0 ? ranked.AsSpan(0, count) : ranked.AsSpan(count)) Perturbation.Remove(x, units.Elements[unit], baseline);
        });
        double Without(int count) => scores[2 * Array.BinarySearch(counts, count)];
        double Alone(int count) => scores[2 * Array.BinarySearch(counts, count) + 1];

        double[] down = [.. steps.Select(Without)], up = [.. steps.Select(Alone)];
        for (var s = 0; s < steps.Length; s++)
        {
            deletion[s].Add(down[s]);
            insertion[s].Add(up[s]);
        }
        deletionArea.Add(Statistics.Area(Fractions, down));
        insertionArea.Add(Statistics.Area(Fractions, up));
        comprehensiveness.Add(shares.Average(c => Without(0) - Without(c)));
        sufficiency.Add(shares.Average(c => Without(0) - Alone(c)));
    }

    /// <summary>Numbers of units at the points of a curve: from 0 to all, in even steps up to rounding.</summary>
    private static int[] StepCounts(int units, int most)
    {
        var steps = Math.Min(most, units);
        return [.. Enumerable.Range(0, steps + 1).Select(s => (int)Math.Round((double)s * units / steps))];
    }

    private static RunningMean[] Means(int units, int most) => [.. StepCounts(units, most).Select(_ => new RunningMean())];
}
