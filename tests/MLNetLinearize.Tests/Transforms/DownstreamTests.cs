using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize.Transforms;

namespace MLNetLinearize.Tests.Transforms;

/// <summary>The columns in what comes behind: trainers under cross-validation, cached and split chains, and text files.</summary>
public class DownstreamTests
{
    private readonly MLContext ml = new(seed: 1);
    private readonly IDataView digits;

    public DownstreamTests()
    {
        var table = ml.Data.TakeRows(ml.Data.LoadFromTextFile(Samples.Path("data/digits/digits.csv"), [new("Label", DataKind.Single, 0), new("ink", DataKind.Single, 1, 64)], separatorChar: ',', hasHeader: true), 300);
        digits = ml.Transforms.Expression("pixels", "ink => ink / 16", "ink").Append(ml.Transforms.Expression("IsOdd", "l => l % 2 == 1", "Label")).Fit(table).Transform(table);
    }

    [Fact]
    public void BinaryCrossValidationFitsTheExplanationInEachFold()
    {
        var pipeline = Mlp().Append(ml.Transforms.Concatenate("Features", "Attribution", "Bias"))
            .Append(ml.BinaryClassification.Trainers.SdcaLogisticRegression("IsOdd", maximumNumberOfIterations: 10));
        var folds = ml.BinaryClassification.CrossValidate(digits, pipeline, numberOfFolds: 3, labelColumnName: "IsOdd");

        Assert.Equal(3, folds.Count);
        Assert.Equal(300, folds.Sum(f => f.ScoredHoldOutSet.GetColumn<float[]>("Attribution").Count()));
        // Half of the digits are odd.
        Assert.All(folds, f => Assert.InRange(f.Metrics.Accuracy, 0.7, 1));
    }

    [Fact]
    public void ChainsThatCacheSplitAndPickByNameGetEveryColumn()
    {
        // As AutoML does it: split, cache, featurize every numeric column by name, train, score what was held out.
        var split = ml.Data.TrainTestSplit(digits, 0.25);
        var pipeline = Mlp().AppendCacheCheckpoint(ml)
            .Append(ml.Transforms.ReplaceMissingValues([new("Attribution"), new("Bias"), new("ExplainedScore")]))
            .Append(ml.Transforms.Concatenate("Features", "Attribution", "Bias", "ExplainedScore"))
            .Append(ml.Transforms.Conversion.MapValueToKey("Class", "Label")).Append(ml.MulticlassClassification.Trainers.SdcaMaximumEntropy("Class", maximumNumberOfIterations: 5));
        var model = pipeline.Fit(split.TrainSet);
        var scored = model.Transform(split.TestSet);
        var names = default(VBuffer<ReadOnlyMemory<char>>);
        scored.Schema["Features"].GetSlotNames(ref names);

        Assert.Equal(66, names.Length);
        Assert.StartsWith("Attribution.", names.DenseValues().First().ToString(), StringComparison.Ordinal);
        Assert.InRange(ml.MulticlassClassification.Evaluate(scored, "Class").MicroAccuracy, 0.5, 1);
    }

    [Fact]
    public void TextFilesHoldTheContributions()
    {
        using var model = Mlp().Fit(digits);
        var explained = model.Transform(digits);
        using var stream = new MemoryStream();
        ml.Data.SaveAsText(ml.Transforms.SelectColumns("Attribution", "Bias").Fit(explained).Transform(explained), stream, schema: false, headerRow: true, forceDense: true);
        var lines = System.Text.Encoding.UTF8.GetString(stream.ToArray()).TrimEnd().Split('\n');
        var expected = explained.GetColumn<float[]>("Attribution").Zip(explained.GetColumn<float[]>("Bias"), (a, b) => a.Concat(b).ToArray()).ToList();

        Assert.StartsWith("[0]\t[1]\t", lines[0], StringComparison.Ordinal);
        Assert.Equal(301, lines.Length);
        for (var i = 0; i < expected.Count; i++) Rows.Close(expected[i], [.. lines[i + 1].Trim().Split('\t').Select(v => float.Parse(v, CultureInfo.InvariantCulture))], 1e-5f);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void ARowThatIsNoNumberIsTellingAndAlone(float odd)
    {
        var rows = Enumerable.Range(0, 9).Select(i => new Ink { pixels = [.. Enumerable.Range(0, 64).Select(j => i == 4 && j == 7 ? odd : (i + j) % 5 / 5f)] }).ToList();
        using var model = Mlp().Fit(digits);
        var whole = model.Transform(ml.Data.LoadFromEnumerable(rows));
        var without = model.Transform(ml.Data.LoadFromEnumerable(rows.Where((_, i) => i != 4)));
        foreach (var column in new[] { "Attribution", "Bias", "Weights", "ExplainedScore", "LinearizationError" })
        {
            var (all, others) = (whole.GetColumn<float[]>(column).ToList(), without.GetColumn<float[]>(column).ToList());
            if (column is "LinearizationError") Assert.False(float.IsFinite(all[4][0]));
            if (column is "Attribution") Assert.False(float.IsFinite(all[4].Sum()));
            all.RemoveAt(4);
            foreach (var (left, right) in all.Zip(others)) Rows.Close(right, left, 1e-5f);
        }
    }

    private LinearizingEstimator Mlp() => ml.Transforms.Linearize(Samples.Path("models/digits-mlp.onnx"), new() { InputColumn = "pixels" });

    private sealed class Ink
    {
        [VectorType(64)]
        public float[] pixels { get; set; } = [];
    }
}
