using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize.Transforms;

namespace MLNetLinearize.Tests.Transforms;

/// <summary>What a network makes of a data set, in one pass.</summary>
public class SummaryTests
{
    private readonly MLContext ml = new(seed: 1);

    [Fact]
    public void MeansAndQuantilesAreThoseOfTheColumns()
    {
        var net = new HandMadeGraph(3, new() { ClassNames = ["a", "b", "c"] });
        var rows = Rows.Make(500);
        var view = ml.Data.LoadFromEnumerable(rows);
        using var transformer = new LinearizingEstimator(net.Graph).Fit(view);
        var summary = transformer.Summarize(view, [0, 0.25, 0.5, 1]);

        Assert.Equal((500, 0), (summary.Rows, summary.Skipped));
        Assert.Equal(["[0]", "[1]", "[2]", "[3]"], summary.Features);
        Assert.Equal(rows.GroupBy(r => net.Predicted(r.x)).OrderBy(g => g.Key).Select(g => ((long)g.Key, $"{"abc"[g.Key]}", (long)g.Count())), summary.Targets.Select(t => (t.Target, t.Name, t.Rows)));
        foreach (var target in summary.Targets)
        {
            var c = (int)target.Target;
            var attributions = rows.Where(r => net.Predicted(r.x) == c).Select(r => net.Attribution(c, r.x)).ToList();
            Assert.Equal(attributions.Count, target.SampledRows);
            Assert.Equal(net.Offsets[c], target.MeanBias, 1e-6);
            Assert.Equal(target.MeanScore, target.MeanAttribution.Sum() + target.MeanBias, 1e-5);
            for (var f = 0; f < 4; f++)
            {
                var sorted = attributions.Select(a => a[f]).Order().ToList();
                Assert.Equal(sorted.Average(), target.MeanAttribution[f], 1e-5);
                Assert.Equal(sorted.Average(Math.Abs), target.MeanAbsoluteAttribution[f], 1e-5);
                Assert.Equal(sorted[0], target.AttributionQuantiles[0][f], 1e-6);
                Assert.Equal(sorted[(sorted.Count + 3) / 4 - 1], target.AttributionQuantiles[1][f], 1e-6);
                Assert.Equal(sorted[(sorted.Count + 1) / 2 - 1], target.AttributionQuantiles[2][f], 1e-6);
                Assert.Equal(sorted[^1], target.AttributionQuantiles[3][f], 1e-6);
            }
        }
        var errors = transformer.Transform(view).GetColumn<float[]>("LinearizationError").Select(e => e[0]).Order().ToList();
        Assert.Equal(errors.Average(), summary.MeanError, 1e-9);
        Assert.Equal(errors[^1], summary.LargestError);
        Assert.Equal(errors[249], summary.ErrorQuantiles[2]);
    }

    [Fact]
    public void QuantilesOfManyRowsAreWithinTheStatedError()
    {
        var net = new HandMadeGraph(1, new() { Targets = Targets.All });
        var rows = Rows.Make(20_000);
        var view = ml.Data.LoadFromEnumerable(rows);
        using var transformer = new LinearizingEstimator(net.Graph).Fit(view);
        var target = transformer.Summarize(view, [0.1, 0.5, 0.9]).Targets.Single();

        Assert.Equal((20_000, 1024), (target.Rows, target.SampledRows));
        for (var f = 0; f < 4; f++)
        {
            var values = rows.Select(r => net.Attribution(0, r.x)[f]).ToList();
            foreach (var (q, value) in new[] { 0.1, 0.5, 0.9 }.Zip(target.AttributionQuantiles.Select(a => a[f])))
                Assert.InRange(values.Count(v => v <= value) / 20_000.0, q - 4 * 0.016, q + 4 * 0.016);
            Assert.Equal(values.Average(v => (double)v), target.MeanAttribution[f], 1e-6);
        }
    }

    [Fact]
    public void RowsWithoutAnExplanationAreCountedAndLeftOut()
    {
        var rows = Rows.Make(4);
        rows[1].x[2] = float.NaN;
        rows[3].x[0] = float.PositiveInfinity;
        var clean = ml.Data.LoadFromEnumerable(new[] { rows[0], rows[2] });
        using var transformer = new LinearizingEstimator(new HandMadeGraph(1, new() { Targets = Targets.All }).Graph).Fit(clean);
        var summary = transformer.Summarize(ml.Data.LoadFromEnumerable(rows));

        Assert.Equal((4, 2), (summary.Rows, summary.Skipped));
        Assert.Equal(transformer.Summarize(clean).Targets[0].MeanAttribution, summary.Targets[0].MeanAttribution);
    }

    [Fact]
    public void LabelsThatNobodyKnowsAreLeftOut()
    {
        using var transformer = new LinearizingEstimator(new HandMadeGraph(3, new() { Targets = Targets.FromColumn("Class") }).Graph).Fit(LabelledRows.View(ml));
        var summary = transformer.Summarize(LabelledRows.View(ml));

        Assert.Equal(1, summary.Skipped);
        Assert.Equal([(0L, 1L), (1L, 2L), (2L, 2L)], summary.Targets.Select(t => (t.Target, t.Rows)));
    }

    [Fact]
    public void ColumnsLeftOutAndTruncatedAreSummedWhole()
    {
        var view = Rows.View(ml, 50);
        using var all = new LinearizingEstimator(new HandMadeGraph(3, new() { Targets = Targets.Top(2) }).Graph).Fit(view);
        using var few = new LinearizingEstimator(new HandMadeGraph(3, new() { Targets = Targets.Top(2), TopFeatures = 1, BiasColumn = null, LinearizationErrorColumn = null }).Graph).Fit(view);
        var (expected, actual) = (all.Summarize(view), few.Summarize(view));

        Assert.Equal(100, actual.Targets.Sum(t => t.Rows));
        foreach (var (left, right) in expected.Targets.Zip(actual.Targets))
        {
            Assert.Equal(left.MeanAttribution, right.MeanAttribution);
            Assert.Equal(left.MeanBias, right.MeanBias);
        }
    }

    [Fact]
    public void SeveralInputsAreFeaturesOfOneList()
    {
        var net = new HandMadeGraph(2, new() { InputColumns = new Dictionary<string, string> { ["left"] = "x", ["right"] = "Number" } }, ("left", [4]), ("right", [1]));
        var view = Rows.View(ml, 30);
        using var transformer = new LinearizingEstimator(net.Graph).Fit(view);
        var summary = transformer.Summarize(view);

        Assert.Equal(["left.[0]", "left.[1]", "left.[2]", "left.[3]", "right.[0]"], summary.Features);
        Assert.All(summary.Targets, t => Assert.Equal(t.MeanScore, t.MeanAttribution.Sum() + t.MeanBias, 1e-5));
    }

    [Fact]
    public void TheTableHasARowForEachOutputAndFeature()
    {
        var data = ml.Transforms.Concatenate("x", "a", "b", "c", "d").Fit(Rows.Named(ml)).Transform(Rows.Named(ml));
        using var transformer = new LinearizingEstimator(new HandMadeGraph(2, new() { Targets = Targets.All, ClassNames = ["cat", "dog"] }).Graph).Fit(data);
        var summary = transformer.Summarize(data, [0.5]);
        var table = summary.ToDataView(ml);

        Assert.Equal(["cat", "cat", "cat", "cat", "dog", "dog", "dog", "dog"], table.GetColumn<string>("TargetName"));
        Assert.Equal(["a", "b", "c", "d", "a", "b", "c", "d"], table.GetColumn<string>("Feature"));
        Assert.Equal(summary.Targets.SelectMany(t => t.MeanAttribution), table.GetColumn<double>("MeanAttribution"));
        Assert.Equal(summary.Targets.SelectMany(t => t.AttributionQuantiles[0]), table.GetColumn<double[]>("AttributionQuantiles").Select(q => q[0]));
        Assert.Equal(new VectorDataViewType(NumberDataViewType.Double, 1), table.Schema["AttributionQuantiles"].Type);
    }

    [Fact]
    public void NoRowsGiveAnEmptySummary()
    {
        using var transformer = new LinearizingEstimator(new HandMadeGraph(2).Graph).Fit(Rows.View(ml, 1));
        var summary = transformer.Summarize(Rows.View(ml, 0));

        Assert.Equal((0, 0), (summary.Rows, summary.Targets.Count));
        Assert.True(double.IsNaN(summary.MeanError) && double.IsNaN(summary.LargestError) && summary.ErrorQuantiles.All(double.IsNaN));
        Assert.Empty(summary.ToDataView(ml).GetColumn<string>("Feature"));
    }

    [Fact]
    public void OddQuantilesAreRefused()
    {
        using var transformer = new LinearizingEstimator(new HandMadeGraph(2).Graph).Fit(Rows.View(ml, 1));
        var error = Assert.Throws<ArgumentOutOfRangeException>(() => transformer.Summarize(Rows.View(ml, 1), [0.5, 50]));

        Assert.Contains("from 0 to 1", error.Message, StringComparison.Ordinal);
        Assert.Contains("0.5, 50", error.Message, StringComparison.Ordinal);
    }
}
