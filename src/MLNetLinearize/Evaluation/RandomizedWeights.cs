namespace MLNetLinearize.Evaluation;

/// <summary>The sanity check of <see cref="RandomizedStage"/>: keeps the first explanations, and explains their rows again by networks with ever more noise for weights.</summary>
internal sealed class RandomizedWeights(ForwardNetwork network, Nonlinearity nonlinearity, Units units, EvaluateOptions options, CancellationToken cancel)
{
    private readonly List<(EvaluatedRow Row, long Target, double[] Attribution)> kept = [];

    public void Keep(EvaluatedRow row, long target, double[] attribution)
    {
        if (kept.Count < options.RandomizedRows)
            kept.Add((row with { Inputs = row.Inputs.ToDictionary(i => i.Key, i => (Array)i.Value.Clone()) }, target, attribution));
    }

    public IReadOnlyList<RandomizedStage> Result()
    {
        if (kept.Count == 0) return [];
        var layers = network.Layers();
        var perStage = (int)Math.Ceiling((double)layers.Count / options.RandomizedStages);
        var random = new Random(options.Seed);
        var stages = new List<RandomizedStage>();
        var noisy = network;
        for (var start = 0; start < layers.Count; start += perStage)
        {
            var stage = layers.Skip(start).Take(perStage).ToList();
            noisy = noisy.Randomize(stage.SelectMany(l => l.Weights), random);
            stages.Add(Compare(noisy, [.. stage.Select(l => l.Name)]));
        }
        return stages;
    }

    private RandomizedStage Compare(ForwardNetwork noisy, IReadOnlyList<string> layers)
    {
        using var attributor = new Attributor(noisy.Explain(nonlinearity), units, cancel);
        RunningMean signed = new(), sizes = new(), similarity = new();
        foreach (var (row, target, attribution) in kept)
        {
            var other = attributor.Explain(row, target, [row.X])[0];
            int[] used = [.. Enumerable.Range(0, units.Count).Where(u => units.Elements[u].Any(e => row.X[e] != 0))];
            signed.Add(Statistics.Spearman([.. used.Select(u => attribution[u])], [.. used.Select(u => other[u])]));
            sizes.Add(Statistics.Spearman([.. used.Select(u => Math.Abs(attribution[u]))], [.. used.Select(u => Math.Abs(other[u]))]));
            if (units.Image is { } image) similarity.Add(Statistics.StructuralSimilarity(Map(attribution), Map(other), image));
        }
        return new() { Layers = layers, RankCorrelation = signed.Value, AbsoluteRankCorrelation = sizes.Value, StructuralSimilarity = similarity.Value };
    }

    private static double[] Map(double[] attribution)
    {
        var largest = attribution.Max(Math.Abs);
        return [.. attribution.Select(a => largest > 0 ? Math.Abs(a) / largest : 0)];
    }
}
