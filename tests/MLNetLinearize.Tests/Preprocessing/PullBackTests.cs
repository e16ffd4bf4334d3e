using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms;
using MLNetLinearize.Tests.Transforms;
using MLNetLinearize.Transforms;
using static MLNetLinearize.Tests.Preprocessing.SmallNets;

namespace MLNetLinearize.Tests.Preprocessing;

/// <summary>W, attribution and bias at the raw columns: against the scores that ML.NET's own stages lead to.</summary>
public sealed class PullBackTests : IDisposable
{
    private readonly MLContext ml = new(seed: 1);
    private readonly List<Measurement> rows = Measurement.Make(60);
    private readonly IDataView data;
    private readonly string folder = Directory.CreateTempSubdirectory("pull-back-tests").FullName;

    public PullBackTests() => data = ml.Data.LoadFromEnumerable(rows);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    public static TheoryData<string, int, string[]> Chains => new()
    {
        { "nothing", 4, V("") },
        { "min max", 4, V("") },
        { "min max, shifted", 4, V("") },
        { "mean variance", 4, V("") },
        { "mean variance, shifted", 4, V("") },
        { "robust scaling", 4, V("") },
        { "in place", 4, V("") },
        { "principal components", 3, V("") },
        { "concatenated", 6, ["A", "B", .. V("V.")] },
        { "concatenated and normalized", 6, ["A", "B", .. V("V.")] },
        { "a far column", 2, ["A", "B"] },
        { "copied and selected", 2, ["B", "Count"] },
        { "one column twice", 3, ["B"] },
        { "numbers of other types", 3, ["B", "Count", "Precise"] },
        { "slots left out", 4, [.. V("V."), "Z"] },
        { "a slot that was always 0", 5, [.. V("V."), "Z"] },
        { "of logarithms, without their distribution", 4, V("") }, // ML.NET's is affine then, and 0 for slots of negative numbers
        { "missing values replaced", 4, V("") },
        { "all in a row", 2, ["A", "B", .. V("V."), "Count"] },
    };

    private IEstimator<ITransformer> Chain(string name) => name switch
    {
        "nothing" => ml.Transforms.CopyColumns("f", "V"),
        "min max" => ml.Transforms.NormalizeMinMax("f", "V"),
        "min max, shifted" => ml.Transforms.NormalizeMinMax("f", "V", fixZero: false),
        "mean variance" => ml.Transforms.NormalizeMeanVariance("f", "V"),
        "mean variance, shifted" => ml.Transforms.NormalizeMeanVariance("f", "V", fixZero: false),
        "robust scaling" => ml.Transforms.NormalizeRobustScaling("f", "V"),
        "in place" => ml.Transforms.CopyColumns("f", "V").Append(ml.Transforms.NormalizeMinMax("f")).Append(ml.Transforms.NormalizeMeanVariance("f", fixZero: false)),
        "principal components" => ml.Transforms.ProjectToPrincipalComponents("f", "V", rank: 3, ensureZeroMean: true),
        "concatenated" => ml.Transforms.Concatenate("f", "V", "A", "B"),
        "concatenated and normalized" => ml.Transforms.Concatenate("f", "V", "B", "A").Append(ml.Transforms.NormalizeMeanVariance("f", fixZero: false)),
        "a far column" => ml.Transforms.NormalizeMeanVariance("a", "A", fixZero: false).Append(ml.Transforms.Concatenate("f", "a", "B")),
        "copied and selected" => ml.Transforms.CopyColumns("b", "B").Append(ml.Transforms.Conversion.ConvertType("c", "Count")).Append(ml.Transforms.SelectColumns("b", "c")).Append(ml.Transforms.Concatenate("f", "c", "b")),
        "one column twice" => ml.Transforms.Concatenate("two", "B", "B").Append(ml.Transforms.Concatenate("f", "B", "two")),
        "numbers of other types" => ml.Transforms.Conversion.ConvertType("c", "Count").Append(ml.Transforms.NormalizeMinMax("p", "Precise")).Append(ml.Transforms.Conversion.ConvertType("p"))
            .Append(ml.Transforms.Concatenate("f", "c", "p", "B")),
        "slots left out" => ml.Transforms.Concatenate("j", "Z", "V").Append(ml.Transforms.FeatureSelection.SelectFeaturesBasedOnCount("f", "j", count: 1)),
        "a slot that was always 0" => ml.Transforms.Concatenate("j", "V", "Z").Append(ml.Transforms.NormalizeMinMax("f", "j")),
        "of logarithms, without their distribution" => ml.Transforms.NormalizeLogMeanVariance("f", "V", useCdf: false),
        "missing values replaced" => ml.Transforms.ReplaceMissingValues("g", "V", MissingValueReplacingEstimator.ReplacementMode.Mean).Append(ml.Transforms.NormalizeMinMax("f", "g", fixZero: false)),
        "all in a row" => ml.Transforms.Conversion.ConvertType("c", "Count").Append(ml.Transforms.NormalizeMinMax("a", "A", fixZero: false)).Append(ml.Transforms.Concatenate("j", "V", "a", "c", "B"))
            .Append(ml.Transforms.NormalizeMeanVariance("j", fixZero: false)).Append(ml.Transforms.ProjectToPrincipalComponents("f", "j", rank: 2)),
        _ => throw new ArgumentException(name),
    };

    [Theory]
    [MemberData(nameof(Chains))]
    public void ContributionsOfRawColumnsAndBiasAreTheScore(string name, int inputs, string[] slots)
    {
        var prepared = Chain(name).Fit(data);
        var model = Make(inputs, isLinear: false);
        using var explained = Explain(model, prepared);
        var result = explained.Transform(data);
        var scores = Scores(ml, model, prepared.Transform(data), "f");
        var all = ml.Data.CreateEnumerable<Explained>(result, reuseRowObject: false).ToList();

        Assert.Equal([.. slots.Select(s => "0|" + s), .. slots.Select(s => "1|" + s), .. slots.Select(s => "2|" + s)], SlotNames(result.Schema["Attribution"]));
        for (var i = 0; i < rows.Count; i++)
        {
            Rows.Close(scores[i], all[i].ExplainedScore, 1e-5f);
            for (var c = 0; c < 3; c++)
            {
                var attribution = all[i].Attribution.Skip(c * slots.Length).Take(slots.Length).ToList();
                var size = attribution.Sum(a => Math.Abs((double)a)) + Math.Abs(all[i].Bias[c]);
                // Contributions of a column far from 0 cancel against the bias, so rounding counts by their size.
                Assert.InRange(Math.Abs(attribution.Sum(a => (double)a) + all[i].Bias[c] - scores[i][c]), 0, 2e-6 * size);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Chains))]
    public void WeightsAreTheSlopesOfMlNetsOwnStages(string name, int inputs, string[] slots)
    {
        var prepared = Chain(name).Fit(data);
        var model = Make(inputs, isLinear: true);
        using var explained = Explain(model, prepared);
        var weights = explained.Transform(data).GetColumn<float[]>("Weights").First();
        for (var j = 0; j < slots.Length; j++)
        {
            // The network is linear here, so that the step may be large beside the rounding of the scores.
            const float step = 65536;
            var moved = ml.Data.LoadFromEnumerable([rows[0].With(slots[j], step), rows[0].With(slots[j], -step)]);
            var scores = Scores(ml, model, prepared.Transform(moved), "f");
            for (var c = 0; c < 3; c++) Assert.Equal((scores[0][c] - scores[1][c]) / (2 * step), weights[c * slots.Length + j], 1e-4f * weights.Max(Math.Abs));
        }
    }

    [Fact]
    public void RowsBatchesSavedAndRestoredModelsAgree()
    {
        var prepared = Chain("all in a row").Fit(data);
        using var explained = Explain(Make(2, isLinear: false), prepared);
        var expected = ml.Data.CreateEnumerable<Explained>(explained.Transform(data), reuseRowObject: false).ToList();
        var file = Path.Combine(folder, "model.zip");
        ml.Model.Save(explained, data.Schema, file);
        var loaded = ml.Model.Load(file, out var schema);
        var stock = loaded.Transform(data);
        var (stockSchema, stockRows) = (Text(stock.Schema), ml.Data.CreateEnumerable<Explained>(stock, reuseRowObject: false).ToList());
        using var restored = (LinearizingTransformer)ml.Model.RestoreLinearization(loaded, schema);
        using var engine = ml.Model.CreatePredictionEngine<Measurement, Explained>(explained, new PredictionEngineOptions { OwnsTransformer = false });

        Assert.Equal(Text(explained.Transform(data).Schema), stockSchema);
        Assert.Equal(Text(explained.Transform(data).Schema), Text(restored.Transform(data).Schema));
        Same(expected, stockRows);
        Same(expected, [.. ml.Data.CreateEnumerable<Explained>(restored.Transform(data), reuseRowObject: false)]);
        Same(expected, [.. rows.Select(engine.Predict)]);
    }

    [Fact]
    public void AReplacedMissingValueContributesNothingAndAnotherStaysInItsRow()
    {
        var replaced = Chain("missing values replaced").Fit(data);
        float[] values = [-3, float.NaN, 0, 5];
        var some = ml.Data.LoadFromEnumerable([rows[0], new Measurement { V = values }, rows[1]]);
        var model = Make(4, isLinear: false);
        using var explained = Explain(model, replaced);
        var all = ml.Data.CreateEnumerable<Explained>(explained.Transform(some), reuseRowObject: false).ToList();
        Rows.Close(Scores(ml, model, replaced.Transform(some), "f")[1], all[1].ExplainedScore, 1e-5f);
        Assert.All(Enumerable.Range(0, 3), c => Assert.Equal((0f, 0f), (all[1].Attribution[4 * c + 1], all[1].Weights[4 * c + 1])));
        Assert.All(all, row => Assert.All(row.LinearizationError, e => Assert.InRange(e, 0, 1e-5f)));
        Assert.DoesNotContain(0f, all[0].Weights);

        using var unreplaced = Explain(model, Chain("min max").Fit(data));
        all = [.. ml.Data.CreateEnumerable<Explained>(unreplaced.Transform(some), reuseRowObject: false)];
        Assert.All(all[1].ExplainedScore, v => Assert.True(float.IsNaN(v)));
        Assert.All(all[0].LinearizationError.Concat(all[2].LinearizationError), e => Assert.InRange(e, 0, 1e-5f));
    }

    [Fact]
    public void ContributionsAreSummedByRawColumnAndSummarized()
    {
        var prepared = Chain("concatenated and normalized").Fit(data);
        using var stream = new MemoryStream(Make(6, isLinear: false));
        using var explained = ml.Transforms.Linearize(stream, new() { InputColumn = "f", Preprocessing = new(prepared, data.Schema), GroupedAttributionColumn = "ByColumn" }).Fit(data);
        var result = explained.Transform(data);
        var (slots, sums) = (result.GetColumn<float[]>("Attribution").ToList(), result.GetColumn<float[]>("ByColumn").ToList());

        Assert.Equal(["A", "B", "V"], SlotNames(result.Schema["ByColumn"]));
        for (var i = 0; i < slots.Count; i++) Rows.Close([slots[i][0], slots[i][1], slots[i][2] + slots[i][3] + slots[i][4] + slots[i][5]], sums[i], 1e-5f);
        Assert.Equal(["A", "B", .. V("V.")], explained.Summarize(data).Features);
    }

    [Fact]
    public void ThePromiseIsWhatIsDelivered()
    {
        var prepared = Chain("concatenated").Fit(data);
        using var stream = new MemoryStream(Make(6, isLinear: false));
        var estimator = ml.Transforms.Linearize(stream, new() { InputColumn = "f", Preprocessing = new(prepared, data.Schema) });
        using var explained = estimator.Fit(data);

        Assert.Equal(Rows.Write(Rows.ShapeOf(explained.GetOutputSchema(data.Schema))), Rows.Write(estimator.GetOutputSchema(Rows.ShapeOf(data.Schema))));
    }

    private static string[] V(string column) => [.. Enumerable.Range(0, 4).Select(i => $"{column}[{i}]")];

    private static List<string> Text(DataViewSchema schema) => [.. schema.Select(c => $"{c.Name} {c.Type} {(c.HasSlotNames() ? string.Join(' ', SlotNames(c)) : "")}")];

    private static void Same(List<Explained> expected, List<Explained> actual)
    {
        Assert.Equal(expected.Count, actual.Count);
        foreach (var (left, right) in expected.Zip(actual))
            foreach (var (l, r) in new[] { (left.Attribution, right.Attribution), (left.Weights, right.Weights), (left.Bias, right.Bias), (left.ExplainedScore, right.ExplainedScore) }) Rows.Close(l, r, 1e-5f);
    }

    private LinearizingTransformer Explain(byte[] model, ITransformer prepared)
    {
        using var stream = new MemoryStream(model);
        return ml.Transforms.Linearize(stream, new() { InputColumn = "f", Preprocessing = new(prepared, data.Schema), Targets = Targets.All }).Fit(data);
    }

    private sealed class Explained
    {
        public float[] Attribution { get; set; } = [];
        public float[] Weights { get; set; } = [];
        public float[] Bias { get; set; } = [];
        public float[] ExplainedScore { get; set; } = [];
        public float[] LinearizationError { get; set; } = [];
    }
}
