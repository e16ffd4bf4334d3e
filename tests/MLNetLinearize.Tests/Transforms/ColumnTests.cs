using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize.Transforms;

namespace MLNetLinearize.Tests.Transforms;

/// <summary>Types, slot names and values of the appended columns.</summary>
public class ColumnTests
{
    private readonly MLContext ml = new(seed: 1);

    [Fact]
    public void OneTargetHasNoLeadingOne()
    {
        var view = Rows.View(ml, 5);
        var schema = new LinearizingEstimator(new HandMadeGraph(3).Graph).Fit(view).GetOutputSchema(view.Schema);

        Assert.Equal(new VectorDataViewType(NumberDataViewType.Single, 4), schema["Attribution"].Type);
        Assert.Equal(new VectorDataViewType(NumberDataViewType.Single, 1), schema["Bias"].Type);
        Assert.Equal(new VectorDataViewType(NumberDataViewType.Single, 4), schema["Weights"].Type);
        Assert.Equal(new VectorDataViewType(NumberDataViewType.Int64, 1), schema["ExplainedTarget"].Type);
        Assert.Equal(new VectorDataViewType(NumberDataViewType.Single, 1), schema["ExplainedScore"].Type);
        Assert.Equal(new VectorDataViewType(NumberDataViewType.Single, 1), schema["LinearizationError"].Type);
    }

    [Fact]
    public void SeveralTargetsOfAnImageHaveTheWholeShape()
    {
        var view = Rows.View(ml, 5);
        var schema = new LinearizingEstimator(new HandMadeGraph(3, new() { Targets = Targets.All }, ("x", [1, 2, 2])).Graph).Fit(view).GetOutputSchema(view.Schema);

        Assert.Equal(new VectorDataViewType(NumberDataViewType.Single, 3, 1, 2, 2), schema["Attribution"].Type);
        Assert.Equal(new VectorDataViewType(NumberDataViewType.Single, 3), schema["Bias"].Type);
        Assert.Equal(["0|[0,0,0]", "0|[0,0,1]", "0|[0,1,0]", "0|[0,1,1]", "1|[0,0,0]"], SlotNamesOf(schema["Weights"]).Take(5));
    }

    [Fact]
    public void SlotNamesComeFromTheInputColumn()
    {
        var view = ml.Transforms.Concatenate("x", "a", "b", "c", "d").Fit(Rows.Named(ml)).Transform(Rows.Named(ml));
        var options = new LinearizeOptions { Targets = Targets.All, ClassNames = ["cat", "dog"] };
        var schema = new LinearizingEstimator(new HandMadeGraph(2, options).Graph).Fit(view).GetOutputSchema(view.Schema);

        Assert.Equal(["cat|a", "cat|b", "cat|c", "cat|d", "dog|a", "dog|b", "dog|c", "dog|d"], SlotNamesOf(schema["Attribution"]));
    }

    [Fact]
    public void RanksNameTheSlotsOfTop()
    {
        var view = Rows.View(ml, 1);
        var schema = new LinearizingEstimator(new HandMadeGraph(3, new() { Targets = Targets.Top(2) }).Graph).Fit(view).GetOutputSchema(view.Schema);

        Assert.Equal(["#1|[0]", "#1|[1]", "#1|[2]", "#1|[3]", "#2|[0]", "#2|[1]", "#2|[2]", "#2|[3]"], SlotNamesOf(schema["Attribution"]));
    }

    [Fact]
    public void ManySlotsHaveNoPositionsAsNames()
    {
        var graph = new HandMadeGraph(2, new(), ("x", [SlotNames.MostPositions + 1])).Graph;
        var view = new EmptyView(Rows.SchemaOf(("x", new VectorDataViewType(NumberDataViewType.Single, SlotNames.MostPositions + 1))));

        Assert.False(new LinearizingEstimator(graph).Fit(view).GetOutputSchema(view.Schema)["Attribution"].HasSlotNames());
    }

    [Fact]
    public void ValuesAreTheAffineMapOfEachRow()
    {
        var net = new HandMadeGraph(3, new() { Targets = Targets.All });
        var rows = Rows.Make(100);
        var view = ml.Data.LoadFromEnumerable(rows);
        using var transformer = new LinearizingEstimator(net.Graph).Fit(view);
        var explained = ml.Data.CreateEnumerable<AllExplained>(transformer.Transform(view), reuseRowObject: false).ToList();

        Assert.Equal(100, explained.Count);
        for (var i = 0; i < rows.Length; i++)
        {
            Assert.Equal(rows[i].Id, explained[i].Id);
            Assert.Equal([0, 1, 2], explained[i].ExplainedTarget);
            Rows.Close([.. Enumerable.Range(0, 3).SelectMany(c => net.Attribution(c, rows[i].x))], explained[i].Attribution);
            Rows.Close([.. net.Weights["x"].SelectMany(w => w)], explained[i].Weights);
            Rows.Close(net.Offsets, explained[i].Bias);
            Rows.Close([.. Enumerable.Range(0, 3).Select(c => net.Score(c, ("x", rows[i].x)))], explained[i].ExplainedScore);
            Assert.All(explained[i].LinearizationError, e => Assert.InRange(e, 0, 1e-6f));
        }
    }

    [Fact]
    public void SeveralInputsGiveAColumnEach()
    {
        var net = new HandMadeGraph(2, new() { InputColumns = new Dictionary<string, string> { ["left"] = "x", ["right"] = "Number" } }, ("left", [4]), ("right", [1]));
        var view = Rows.View(ml, 10);
        using var transformer = new LinearizingEstimator(net.Graph).Fit(view);
        var result = transformer.Transform(view);
        var left = result.GetColumn<float[]>("Attribution.left").ToList();
        var right = result.GetColumn<float[]>("Attribution.right").ToList();
        var target = result.GetColumn<long[]>("ExplainedTarget").ToList();
        var rows = Rows.Make(10);

        for (var i = 0; i < 10; i++)
        {
            Rows.Close(net.Attribution((int)target[i][0], rows[i].x, "left"), left[i]);
            Rows.Close([rows[i].Number * net.Weights["right"][target[i][0]][0]], right[i]);
        }
    }

    [Fact]
    public void SparseRowsAreExplainedAsDenseOnes()
    {
        // Batch buffers are reused: what a sparse row leaves out must not show the row before.
        var net = new HandMadeGraph(3, new() { BatchSize = 2 });
        var view = ml.Transforms.Conversion.MapValueToKey("Key", "Text").Append(ml.Transforms.Categorical.OneHotEncoding("x", "Key")).Fit(Letters()).Transform(Letters());
        using var transformer = new LinearizingEstimator(net.Graph).Fit(view);
        var result = transformer.Transform(view);
        var attributions = result.GetColumn<float[]>("Attribution").ToList();
        var inputs = view.GetColumn<float[]>("x").ToList();

        for (var i = 0; i < inputs.Count; i++)
        {
            Assert.Equal(1, inputs[i].Sum());
            Rows.Close(net.Attribution(net.Predicted(inputs[i]), inputs[i]), attributions[i]);
        }
    }

    [Fact]
    public void ANullNameLeavesTheColumnOut()
    {
        var view = Rows.View(ml, 1);
        var options = new LinearizeOptions { WeightsColumn = null, LinearizationErrorColumn = null, BiasColumn = "Rest" };
        var schema = new LinearizingEstimator(new HandMadeGraph(2, options).Graph).Fit(view).GetOutputSchema(view.Schema);

        Assert.Equal(["Attribution", "Rest", "ExplainedTarget", "ExplainedScore"], schema.Skip(view.Schema.Count).Select(c => c.Name));
    }

    [Fact]
    public void ANaNRowStaysAlone()
    {
        var rows = Rows.Make(3);
        rows[1].x[2] = float.NaN;
        rows[2].x[0] = float.PositiveInfinity;
        var view = ml.Data.LoadFromEnumerable(rows);
        using var transformer = new LinearizingEstimator(new HandMadeGraph(2).Graph).Fit(view);
        var scores = transformer.Transform(view).GetColumn<float[]>("ExplainedScore").Select(s => s[0]).ToList();

        Assert.True(float.IsFinite(scores[0]));
        Assert.True(float.IsNaN(scores[1]));
        Assert.False(float.IsFinite(scores[2]));
    }

    [Fact]
    public void ThePromiseIsWhatIsDelivered()
    {
        var named = ml.Transforms.Concatenate("x", "a", "b", "c", "d");
        var data = Rows.Named(ml);
        var estimator = new LinearizingEstimator(new HandMadeGraph(2, new() { Targets = Targets.Top(2) }).Graph);
        var promised = named.Append(estimator).GetOutputSchema(Rows.ShapeOf(data.Schema));
        var delivered = Rows.ShapeOf(named.Append(estimator).Fit(data).GetOutputSchema(data.Schema));

        Assert.Equal(Rows.Write(delivered), Rows.Write(promised));
        Assert.Contains("Attribution Vector Single [SlotNames]", Rows.Write(promised));
    }

    private static List<string> SlotNamesOf(DataViewSchema.Column column)
    {
        var names = default(VBuffer<ReadOnlyMemory<char>>);
        column.GetSlotNames(ref names);
        return [.. names.DenseValues().Select(n => n.ToString())];
    }

    private IDataView Letters() => ml.Data.LoadFromEnumerable("abcdcbaddd".Select(c => new { Text = c.ToString() }));

    private sealed class AllExplained
    {
        public long Id { get; set; }
        public float[] Attribution { get; set; } = [];
        public float[] Bias { get; set; } = [];
        public float[] Weights { get; set; } = [];
        public long[] ExplainedTarget { get; set; } = [];
        public float[] ExplainedScore { get; set; } = [];
        public float[] LinearizationError { get; set; } = [];
    }
}
