using Microsoft.Extensions.ObjectPool;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize;
using Samples.Shared;

namespace Service;

/// <summary>
/// The model behind the service: one fitted stage, which threads share, and a pool of prediction engines over it, which they
/// do not. An engine serves one request at a time and goes back.
/// </summary>
internal sealed class Explainer : IDisposable
{
    public const int Length = 30;

    private readonly MLContext ml = new(seed: 1);
    private readonly ITransformer model;
    private readonly ObjectPool<PredictionEngine<Case, Explained>> engines;
    private readonly string[] diagnoses;

    public Explainer()
    {
        var data = Path.Combine(SampleData.Folder, "data/breast-cancer");
        using (var table = File.OpenText(Path.Combine(data, "breast-cancer.csv"))) Measurements = table.ReadLine()!.Split(',')[1..];
        diagnoses = File.ReadAllLines(Path.Combine(data, "labels.txt"));
        // Of two classes the difference of scores is the log-odds.
        model = ml.Transforms.Linearize(Path.Combine(SampleData.Folder, "models/breast-cancer-mlp.onnx"), new()
        {
            InputColumn = nameof(Case.Features),
            Targets = Targets.PredictedVersusRunnerUp,
            WeightsColumn = null,
            Threads = 1, // a row is too little to share: the requests are what runs side by side
        }).Fit(ml.Data.LoadFromEnumerable<Case>([]));
        engines = new DefaultObjectPoolProvider().Create(new Policy(ml, model));
    }

    /// <summary>Names of the measurements, in the order the network takes them.</summary>
    public IReadOnlyList<string> Measurements { get; }

    /// <summary>What is wrong with a request, by field; empty if nothing is.</summary>
    public Dictionary<string, string[]> Problems(ExplanationRequest request)
    {
        if (request.Measurements is null) return new() { ["measurements"] = [$"missing: an object of {Length} numbers by name is needed"] };
        var missing = Measurements.Where(name => !request.Measurements.ContainsKey(name))
            .Select(name => (name, Problem: "missing: a number is needed, in standard deviations from the mean"));
        var unknown = request.Measurements.Keys.Except(Measurements)
            .Select(name => (name, Problem: $"unknown: the nearest known measurement is '{Measurements.MinBy(known => Distance(known, name))}'"));
        var infinite = request.Measurements.Where(m => !float.IsFinite(m.Value))
            .Select(m => (name: m.Key, Problem: "too large: it must fit a 32-bit floating-point number"));
        return missing.Concat(unknown).Concat(infinite).GroupBy(p => $"measurements.{p.name}").ToDictionary(g => g.Key, g => g.Select(p => p.Problem).ToArray());
    }

    /// <summary>Explains a request that has no <see cref="Problems"/>. Thread-safe.</summary>
    /// <returns>The answer; null where numbers exceeded float32 on their way through the network, so that none of it can be told.</returns>
    public ExplanationAnswer? Explain(ExplanationRequest request)
    {
        var row = new Case { Features = [.. Measurements.Select(name => request.Measurements![name])] };
        var engine = engines.Get();
        try
        {
            var explained = engine.Predict(row);
            float[] sums = [explained.ExplainedScore[0], explained.Bias[0], explained.LinearizationError[0], .. explained.Attribution];
            if (!Array.TrueForAll(sums, float.IsFinite)) return null;
            var logOdds = (double)explained.ExplainedScore[0];
            var contributions = Measurements.Select((name, i) => new Contribution(name, row.Features[i], explained.Attribution[i])).OrderByDescending(c => Math.Abs(c.LogOdds));
            return new(diagnoses[explained.ExplainedTarget[0]], 1 / (1 + Math.Exp(-logOdds)), logOdds, explained.Bias[0], [.. contributions], explained.LinearizationError[0]);
        }
        finally
        {
            engines.Return(engine);
        }
    }

    /// <summary>What is wrong with a request that <see cref="Explain"/> has no answer to: its largest measurement.</summary>
    public Dictionary<string, string[]> TooLarge(ExplanationRequest request)
    {
        var largest = Measurements.MaxBy(name => Math.Abs(request.Measurements![name]))!;
        var why = $"too large: with {request.Measurements![largest]:0.###e+0} standard deviations from the mean the network's numbers exceed "
            + "32-bit floating point; measurements of real cases lie within some tens";
        return new() { [$"measurements.{largest}"] = [why] };
    }

    public void Dispose()
    {
        (engines as IDisposable)?.Dispose();
        (model as IDisposable)?.Dispose();
    }

    /// <summary>Letters to insert, delete or replace on the way from one name to the other (V. Levenshtein, 1966).</summary>
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
                (diagonal, row[j]) = (row[j], Math.Min(Math.Min(row[j], row[j - 1]) + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)));
        }
        return row[^1];
    }

    private sealed class Policy(MLContext ml, ITransformer model) : PooledObjectPolicy<PredictionEngine<Case, Explained>>
    {
        public override PredictionEngine<Case, Explained> Create() =>
            ml.Model.CreatePredictionEngine<Case, Explained>(model, new PredictionEngineOptions { OwnsTransformer = false });

        public override bool Return(PredictionEngine<Case, Explained> obj) => true;
    }

    private sealed class Case
    {
        [VectorType(Length)] public float[] Features { get; set; } = [];
    }

    private sealed class Explained
    {
        public long[] ExplainedTarget { get; set; } = [];
        public float[] ExplainedScore { get; set; } = [];
        public float[] Attribution { get; set; } = [];
        public float[] Bias { get; set; } = [];
        public float[] LinearizationError { get; set; } = [];
    }
}
