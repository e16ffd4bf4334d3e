using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize.Transforms;

namespace MLNetLinearize.Tests.Transforms;

/// <summary>The component where users put it: behind ApplyOnnxModel, over real data, and in front of other stages.</summary>
public sealed class PipelineTests : IDisposable
{
    private readonly MLContext ml = new(seed: 1);
    private readonly IDataView digits;
    private readonly string folder = Directory.CreateTempSubdirectory("pipeline-tests").FullName;

    public PipelineTests()
    {
        var loader = ml.Data.CreateTextLoader([new("Label", DataKind.Int64, 0), new("ink", DataKind.Single, 1, 64)], separatorChar: ',', hasHeader: true);
        var table = ml.Data.TakeRows(loader.Load(Samples.Path("data/digits/digits.csv")), 200);
        // Ink is 0 to 16 in the file, and 0 to 1 for the networks.
        digits = ml.Transforms.Expression("pixels", "ink => ink / 16", "ink").Fit(table).Transform(table);
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("digits-mlp.onnx", "probabilities")]
    [InlineData("digits-cnn.onnx", "logits")]
    public void ExplainsTheScoreThatTheNetworkGives(string model, string output)
    {
        var file = Samples.Path("models/" + model);
        var pipeline = ml.Transforms.ApplyOnnxModel(output, "pixels", file).Append(ml.Transforms.CopyColumns("Score", output))
            .Append(ml.Transforms.Linearize(file, new() { InputColumn = "pixels", Targets = Targets.All }));
        using var chain = pipeline.Fit(digits);
        var rows = ml.Data.CreateEnumerable<Explained>(chain.Transform(digits), reuseRowObject: false).ToList();

        Assert.Equal(200, rows.Count);
        foreach (var row in rows)
        {
            Rows.Close(row.Score, output == "logits" ? row.ExplainedScore : Softmax(row.ExplainedScore), 1e-5f);
            Assert.All(row.LinearizationError, e => Assert.InRange(e, 0, 1e-5f));
            for (var c = 0; c < 10; c++)
            {
                var attribution = row.Attribution.AsSpan(c * 64, 64);
                var sum = row.Bias[c];
                for (var i = 0; i < 64; i++)
                {
                    sum += attribution[i];
                    Assert.Equal(row.Weights[c * 64 + i] * row.pixels[i], attribution[i], 1e-4f);
                }
                Assert.Equal(row.ExplainedScore[c], sum, 1e-3f);
            }
        }
    }

    [Theory]
    [InlineData("digits-mlp.onnx", "predicted")]
    [InlineData("digits-cnn.onnx", "predicted")]
    [InlineData("digits-cnn.onnx", "top")]
    [InlineData("digits-cnn.onnx", "label")]
    [InlineData("digits-cnn.onnx", "text label")]
    [InlineData("digits-cnn.onnx", "contrast")]
    [InlineData("digits-cnn.onnx", "runner-up")]
    public void ASavedChainGivesTheSame(string model, string targets)
    {
        var options = new LinearizeOptions
        {
            InputColumn = "pixels",
            ClassNames = [.. Enumerable.Range(0, 10).Select(i => $"{i}")],
            Targets = targets switch
            {
                "top" => Targets.Top(3),
                "label" => Targets.FromColumn("Label"),
                "text label" => Targets.FromColumn("Name"),
                "contrast" => Targets.Contrast(3, 8),
                "runner-up" => Targets.PredictedVersusRunnerUp,
                _ => Targets.Predicted,
            },
        };
        var file = Samples.Path("models/" + model);
        using var chain = ml.Transforms.Conversion.ConvertType("Name", "Label", DataKind.String).Append(ml.Transforms.Linearize(file, options)).Fit(digits);
        var saved = Path.Combine(folder, "model.zip");
        ml.Model.Save(chain, digits.Schema, saved);
        var loaded = ml.Model.Load(saved, out _);
        var (before, after) = (chain.Transform(digits), loaded.Transform(digits));

        Assert.Equal(before.Schema.Select(c => (c.Name, c.Type)), after.Schema.Select(c => (c.Name, c.Type)));
        foreach (var column in new[] { "Attribution", "Bias", "Weights", "ExplainedScore" })
            foreach (var (left, right) in before.GetColumn<float[]>(column).Zip(after.GetColumn<float[]>(column))) Rows.Close(left, right, 1e-5f);
        Assert.Equal(before.GetColumn<long[]>("ExplainedTarget"), after.GetColumn<long[]>("ExplainedTarget"));
        (loaded as IDisposable)?.Dispose();
    }

    [Fact]
    public void ALabelThatTheNetworkDoesNotKnowIsNaNInItsRowOnly()
    {
        var data = ml.Transforms.Expression("Label", "l => l == 3L ? 42L : l", "Label").Fit(digits).Transform(digits);
        using var model = ml.Transforms.Linearize(Samples.Path("models/digits-cnn.onnx"), new() { InputColumn = "pixels", Targets = Targets.FromColumn("Label") }).Fit(data);
        var labels = data.GetColumn<long>("Label").ToList();
        var rows = ml.Data.CreateEnumerable<Explained>(ml.Transforms.CopyColumns("Score", "ExplainedScore").Fit(model.Transform(data)).Transform(model.Transform(data)), reuseRowObject: false).ToList();
        Assert.Contains(42, labels);
        for (var i = 0; i < rows.Count; i++)
        {
            Assert.Equal(labels[i] == 42 ? -1 : labels[i], rows[i].ExplainedTarget[0]);
            foreach (var column in new[] { rows[i].Attribution, rows[i].Bias, rows[i].Weights, rows[i].ExplainedScore, rows[i].LinearizationError })
                Assert.All(column, v => Assert.Equal(labels[i] == 42, float.IsNaN(v)));
        }
    }

    [Fact]
    public void OtherStagesReadTheColumns()
    {
        using var model = Cnn().Append(ml.Transforms.NormalizeMinMax("Scaled", "Attribution")).Append(ml.Clustering.Trainers.KMeans("Scaled", numberOfClusters: 3)).Fit(digits);
        var clustered = model.Transform(digits);

        Assert.Equal(200, clustered.GetColumn<uint>("PredictedLabel").Count());
    }

    [Fact]
    public void PreviewsAndWritesAndReadsBack()
    {
        using var model = Cnn().Fit(digits);
        var explained = model.Transform(digits);
        var preview = explained.Preview(3);
        Assert.Equal(3, preview.RowView.Length);
        Assert.Contains(preview.ColumnView, c => c.Column.Name == "Attribution");

        var binary = Path.Combine(folder, "explained.idv");
        using (var stream = File.Create(binary)) ml.Data.SaveAsBinary(explained, stream);
        var read = ml.Data.LoadFromBinary(binary);
        Assert.Equal(explained.Schema["Attribution"].Type, read.Schema["Attribution"].Type);
        Assert.Equal(explained.GetColumn<float[]>("Attribution"), read.GetColumn<float[]>("Attribution"));

        var text = Path.Combine(folder, "explained.tsv");
        using (var stream = File.Create(text)) ml.Data.SaveAsText(ml.Transforms.SelectColumns("Bias", "ExplainedTarget").Fit(explained).Transform(explained), stream, schema: false, headerRow: false);
        Assert.Equal(200, File.ReadAllLines(text).Length);
    }

    [Fact]
    public void TopFeaturesAreSparse()
    {
        using var all = Cnn().Fit(digits);
        using var few = ml.Transforms.Linearize(Samples.Path("models/digits-cnn.onnx"), new() { InputColumn = "pixels", TopFeatures = 5 }).Fit(digits);
        var result = few.Transform(digits);
        var full = all.Transform(digits).GetColumn<float[]>("Attribution").ToList();
        var error = result.GetColumn<float[]>("LinearizationError").ToList();
        using var cursor = result.GetRowCursor([result.Schema["Attribution"]]);
        var getter = cursor.GetGetter<VBuffer<float>>(result.Schema["Attribution"]);
        var value = default(VBuffer<float>);
        for (var i = 0; cursor.MoveNext(); i++)
        {
            getter(ref value);
            Assert.Equal(64, value.Length);
            Assert.InRange(value.GetValues().Length, 1, 5);
            var expected = full[i].Select((v, p) => (v, p)).OrderByDescending(t => Math.Abs(t.v)).ThenBy(t => t.p).Take(5).OrderBy(t => t.p).ToList();
            Assert.Equal(expected.Select(t => t.p), value.GetIndices().ToArray());
            Rows.Close([.. expected.Select(t => t.v)], value.GetValues().ToArray(), 1e-5f);
            Assert.InRange(error[i][0], 0, 1e-5f);
        }
    }

    [Fact]
    public void AModelFromAStreamIsReadAtOnce()
    {
        LinearizingEstimator estimator;
        using (var stream = File.OpenRead(Samples.Path("models/digits-mlp.onnx")))
            estimator = ml.Transforms.Linearize(stream, new() { InputColumn = "pixels" });
        using var model = estimator.Fit(digits);

        Assert.Equal(200, model.Transform(digits).GetColumn<float[]>("Bias").Count());
    }

    [Fact]
    public void AModelFileThatGoesAwayIsNotMissed()
    {
        var file = Path.Combine(folder, "network.onnx");
        File.Copy(Samples.Path("models/digits-mlp.onnx"), file);
        var estimator = ml.Transforms.Linearize(file, new() { InputColumn = "pixels" });
        File.Delete(file);
        using var model = estimator.Fit(digits);
        ml.Model.Save(model, digits.Schema, Path.Combine(folder, "model.zip"));

        Assert.Equal(200, model.Transform(digits).GetColumn<float[]>("Bias").Count());
        Assert.Equal(200, ml.Model.Load(Path.Combine(folder, "model.zip"), out _).Transform(digits).GetColumn<float[]>("Bias").Count());
    }

    [Fact]
    public void SlotNamesComeThroughPreparationAndFeaturesAreSelectedByThem()
    {
        var raw = ml.Data.LoadFromEnumerable(Enumerable.Range(0, 40).Select(i => new { Town = i % 2 == 0 ? "Paris" : "Rome", Age = (float)i, Rare = i == 0 ? 1f : 0f }));
        var net = new HandMadeGraph(2, new(), ("x", [4]));
        var pipeline = ml.Transforms.Categorical.OneHotEncoding("Town").Append(ml.Transforms.NormalizeMinMax("Age"))
            .Append(ml.Transforms.Concatenate("x", "Town", "Age", "Rare")).Append(new LinearizingEstimator(net.Graph))
            .Append(ml.Transforms.FeatureSelection.SelectFeaturesBasedOnCount("Often", "Attribution", count: 10));
        using var model = pipeline.Fit(raw);
        var often = model.Transform(raw).Schema["Often"];
        var names = default(VBuffer<ReadOnlyMemory<char>>);
        often.GetSlotNames(ref names);

        Assert.Equal(["Town.Paris", "Town.Rome", "Age"], names.DenseValues().Select(n => n.ToString()));
    }

    [Fact]
    public void CrossValidationTrainsOnTheColumns()
    {
        var pipeline = Cnn().Append(ml.Transforms.Conversion.MapValueToKey("Class", "Label"))
            .Append(ml.MulticlassClassification.Trainers.SdcaMaximumEntropy("Class", "Attribution", maximumNumberOfIterations: 5));
        var folds = ml.MulticlassClassification.CrossValidate(digits, pipeline, numberOfFolds: 2, labelColumnName: "Class");

        Assert.Equal(2, folds.Count);
        // What speaks for the predicted digit tells the digit far better than chance, a tenth.
        Assert.All(folds, f => Assert.InRange(f.Metrics.MicroAccuracy, 0.5, 1));
    }

    [Fact]
    public void AMissingModelFileIsNamed() =>
        Assert.Contains("no-such.onnx", Assert.Throws<FileNotFoundException>(() => ml.Transforms.Linearize("no-such.onnx")).Message, StringComparison.Ordinal);

    private static float[] Softmax(float[] scores)
    {
        var exponents = scores.Select(s => Math.Exp(s - scores.Max())).ToArray();
        return [.. exponents.Select(e => (float)(e / exponents.Sum()))];
    }

    private LinearizingEstimator Cnn() => ml.Transforms.Linearize(Samples.Path("models/digits-cnn.onnx"), new() { InputColumn = "pixels" });

    private sealed class Explained
    {
        public float[] pixels { get; set; } = [];
        public float[] Score { get; set; } = [];
        public float[] Attribution { get; set; } = [];
        public float[] Bias { get; set; } = [];
        public float[] Weights { get; set; } = [];
        public long[] ExplainedTarget { get; set; } = [];
        public float[] ExplainedScore { get; set; } = [];
        public float[] LinearizationError { get; set; } = [];
    }
}
