namespace MLNetLinearize.Evaluation;

/// <summary>
/// Judges explanations one by one and keeps sums only, but for the first few rows, which the randomised networks explain at
/// the end.
/// </summary>
internal sealed class Evaluator : IDisposable
{
    /// <summary>Step of the central differences, as a share of the element: a power of two, so that the step itself is exact.</summary>
    private const float GradientStep = 1f / 128;

    private readonly EvaluateOptions options;
    private readonly CancellationToken cancel;
    private readonly ForwardNetwork network;
    private readonly LinearizationGraph graph;
    private readonly Units units;
    private readonly float[] baseline;
    private readonly EvaluationScale scale;
    private readonly Scorer scorer;
    private readonly Attributor ours;
    private readonly Attributor? tangent;
    private readonly RandomizedWeights randomized;
    private readonly Dictionary<AttributionMethod, MethodTally> tallies;
    private long rows, explanations, skipped;

    /// <param name="graph">The graph whose explanations are judged.</param>
    /// <param name="options">How.</param>
    /// <param name="columns">For each explained element its original column, where these are known.</param>
    /// <param name="cancel">Stops between runs of the network.</param>
    /// <exception cref="ArgumentException">An option is out of range or does not fit the network.</exception>
    /// <exception cref="InvalidOperationException">The graph does not hold what an evaluation needs.</exception>
    public Evaluator(LinearizationGraph graph, EvaluateOptions options, int[]? columns, CancellationToken cancel)
    {
        Check(graph, options);
        (this.graph, this.options, this.cancel) = (graph, options, cancel);
        units = Units.Of(graph, options, columns);
        baseline = [.. options.BaselineRow ?? [.. Enumerable.Repeat(options.Baseline, graph.ExplainedInputs.Sum(i => i.RowLength))]];
        scale = options.Scale ?? Scorer.Default(graph);
        network = ForwardNetwork.Of(graph);
        var nonlinearity = graph.Options.Nonlinearity;
        var explain = network.Explain(nonlinearity);
        scorer = new(explain, scale, cancel);
        ours = new(explain, units, cancel);
        tangent = nonlinearity == Nonlinearity.Tangent || graph.Report.IsPiecewiseLinear ? null : new(network.Explain(Nonlinearity.Tangent), units, cancel);
        randomized = new(network, nonlinearity, units, options, cancel);
        tallies = Enum.GetValues<AttributionMethod>().ToDictionary(m => m, m => new MethodTally(m, scorer, units, baseline, options));
    }

    /// <summary>Counts a row; its explanations follow.</summary>
    public void CountRow() => rows++;

    /// <param name="inputs">By name of the ONNX input: the row's elements.</param>
    /// <param name="target">The explained output; −1 where none is known.</param>
    /// <param name="score">Its score.</param>
    /// <param name="bias">The explanation's bias.</param>
    /// <param name="attribution">Its contributions, one explained input after the other.</param>
    public void Add(IReadOnlyDictionary<string, Array> inputs, long target, float score, float bias, ReadOnlySpan<float> attribution)
    {
        var row = scorer.Row(inputs);
        var here = units.Sum(attribution);
        if (target < 0 || !float.IsFinite(score) || !float.IsFinite(bias) || !here.All(double.IsFinite) || !row.X.All(float.IsFinite))
        {
            skipped++;
            return;
        }
        var random = new Random(unchecked(options.Seed * 1_000_003 + (int)explanations));
        var answers = Ask(row, target, score, random);
        float[][] points = [row.X, .. Perturbation.Neighbours(row.X, options.SensitivitySamples, options.SensitivityRadius, random)];
        double[][] own = [here, .. ours.Explain(row, target, points[1..])];
        var empty = scorer.Raw(row, target, 1, (_, x) => baseline.CopyTo(x, 0))[0];
        void Measure(AttributionMethod method, double[][] attributions, double offset) => tallies[method].Add(answers, new(attributions, offset), here);

        Measure(AttributionMethod.Linearization, own, bias);
        Measure(AttributionMethod.InputTimesGradient, tangent?.Explain(row, target, points) ?? own, empty);
        Measure(AttributionMethod.Occlusion, Comparisons.Occlusion(scorer, units, baseline, row, target, points), empty);
        Measure(AttributionMethod.Random, Comparisons.Shuffled(own, random), empty);
        randomized.Keep(row, target, here);
        explanations++;
    }

    public AttributionEvaluation Result() => new()
    {
        Rows = rows,
        Explanations = explanations,
        Skipped = skipped,
        Unit = units.Kind,
        Units = units.Count,
        Scale = scale,
        Baseline = options.BaselineRow is null ? options.Baseline : null,
        Fractions = tallies[AttributionMethod.Linearization].Fractions,
        Methods = [.. tallies.Values.Select(t => t.Result())],
        RandomizedStages = randomized.Result(),
    };

    public void Dispose()
    {
        scorer.Dispose();
        ours.Dispose();
        tangent?.Dispose();
    }

    /// <summary>How the score answers to changes that do not depend on any attribution.</summary>
    private Answers Ask(EvaluatedRow row, long target, float score, Random random)
    {
        int[][] removed = [.. Enumerable.Range(0, options.InfidelitySamples).Select(_ => Enumerable.Range(0, units.Count).Where(_ => random.NextDouble() < options.RemovedShare).ToArray())];
        int[] probed = [.. Enumerable.Range(0, units.Count).Where(u => units.Elements[u].Any(e => row.X[e] != 0))];
        random.Shuffle(probed);
        probed = [.. probed.Take(options.GradientSamples)];
        var scores = scorer.Raw(row, target, removed.Length + 2 * probed.Length, (i, x) =>
        {
            if (i < removed.Length)
                foreach (var unit in removed[i]) Perturbation.Remove(x, units.Elements[unit], baseline);
            else
                foreach (var e in units.Elements[probed[(i - removed.Length) / 2]]) x[e] *= 1 + ((i - removed.Length) % 2 == 0 ? GradientStep : -GradientStep);
        });
        return new(row, target, score, removed, [.. removed.Select((_, i) => score - scores[i])],
            probed, [.. probed.Select((_, p) => (scores[removed.Length + 2 * p] - scores[removed.Length + 2 * p + 1]) / (2 * GradientStep))]);
    }

    private static void Check(LinearizationGraph graph, EvaluateOptions o)
    {
        void Require(bool holds, string option, object value, string expected)
        {
            if (!holds) throw new ArgumentException(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"EvaluateOptions.{option} is {value}; expected {expected}."));
        }
        var length = graph.ExplainedInputs.Sum(i => i.RowLength);
        Require(o.Steps >= 1, nameof(o.Steps), o.Steps, "1 or more");
        Require(float.IsFinite(o.Baseline), nameof(o.Baseline), o.Baseline, "a finite number");
        Require(o.BaselineRow is null || (o.BaselineRow.Count == length && o.BaselineRow.All(float.IsFinite)), nameof(o.BaselineRow), $"a list of {o.BaselineRow?.Count} values", $"{length} finite numbers, one for each explained element");
        Require(o.Shares.Count > 0 && o.Shares.All(s => s is > 0 and <= 1), nameof(o.Shares), $"[{string.Join(", ", o.Shares)}]", "one or more numbers above 0, up to 1");
        Require(o.InfidelitySamples >= 0, nameof(o.InfidelitySamples), o.InfidelitySamples, "0 or more");
        Require(o.RemovedShare is > 0 and <= 1, nameof(o.RemovedShare), o.RemovedShare, "a number above 0, up to 1");
        Require(o.SensitivitySamples >= 0, nameof(o.SensitivitySamples), o.SensitivitySamples, "0 or more");
        Require(o.SensitivityRadius > 0 && double.IsFinite(o.SensitivityRadius), nameof(o.SensitivityRadius), o.SensitivityRadius, "a finite number above 0");
        Require(o.GradientSamples >= 0, nameof(o.GradientSamples), o.GradientSamples, "0 or more");
        Require(o.RandomizedRows >= 0, nameof(o.RandomizedRows), o.RandomizedRows, "0 or more");
        Require(o.RandomizedStages >= 1, nameof(o.RandomizedStages), o.RandomizedStages, "1 or more");
        if (graph.Options.Targets.Kind is TargetKind.Contrast or TargetKind.PredictedVersusRunnerUp)
            throw new ArgumentException($"An evaluation follows the score of one output, and the targets '{graph.Options.Targets}' explain the difference of two. Explain Targets.Predicted, Classes, Top, All or FromColumn.");
    }
}
