using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize.Transforms;

namespace MLNetLinearize.Tests.Transforms;

/// <summary>One row at a time, as a service predicts.</summary>
public class PredictionEngineTests
{
    private readonly MLContext ml = new(seed: 1);

    [Fact]
    public void GivesWhatTheBatchesGive()
    {
        var net = new HandMadeGraph(3);
        var rows = Rows.Make(40);
        var view = ml.Data.LoadFromEnumerable(rows);
        using var transformer = new LinearizingEstimator(net.Graph).Fit(view);
        using var engine = ml.Model.CreatePredictionEngine<Row, Explained>(transformer);
        var batch = ml.Data.CreateEnumerable<Explained>(transformer.Transform(view), reuseRowObject: false).ToList();

        for (var i = 0; i < rows.Length; i++)
        {
            var one = engine.Predict(rows[i]);
            Assert.Equal(batch[i].ExplainedTarget, one.ExplainedTarget);
            Rows.Close(batch[i].Attribution, one.Attribution);
            Rows.Close(batch[i].Weights, one.Weights);
            Rows.Close(batch[i].Bias, one.Bias);
            Assert.Equal(rows[i].Text, one.Text);
        }
    }

    [Fact]
    public void TheSameRowAgainGivesTheSame()
    {
        var rows = Rows.Make(2);
        using var transformer = new LinearizingEstimator(new HandMadeGraph(3).Graph).Fit(ml.Data.LoadFromEnumerable(rows));
        using var engine = ml.Model.CreatePredictionEngine<Row, Explained>(transformer);
        var first = engine.Predict(rows[0]).Attribution;
        var other = engine.Predict(rows[1]).Attribution;

        Assert.NotEqual(first, other);
        Assert.Equal(first, engine.Predict(rows[0]).Attribution);
        Assert.Equal(first, engine.Predict(rows[0]).Attribution);
    }

    [Fact]
    public void WorksInAChain()
    {
        var data = Rows.Named(ml);
        using var model = ml.Transforms.Concatenate("x", "a", "b", "c", "d").Append(new LinearizingEstimator(new HandMadeGraph(2).Graph)).Fit(data);
        using var engine = ml.Model.CreatePredictionEngine<Four, Explained>(model);
        var expected = model.Transform(data).GetColumn<float[]>("Attribution").ToList();

        Rows.Close(expected[2], engine.Predict(new Four { a = 3, b = 2, c = 3, d = 4 }).Attribution);
    }

    [Fact]
    public async Task EnginesOfSeveralThreadsShareATransformer()
    {
        var net = new HandMadeGraph(3);
        var rows = Rows.Make(200);
        using var transformer = new LinearizingEstimator(net.Graph).Fit(ml.Data.LoadFromEnumerable(rows));
        await Task.WhenAll(Enumerable.Range(0, 4).Select(thread => Task.Run(() =>
        {
            var engine = ml.Model.CreatePredictionEngine<Row, Explained>(transformer, new PredictionEngineOptions { OwnsTransformer = false });
            foreach (var row in rows.Skip(thread * 50).Concat(rows.Take(thread * 50)))
            {
                var target = net.Predicted(row.x);
                var one = engine.Predict(row);
                Assert.Equal(target, one.ExplainedTarget[0]);
                Rows.Close(net.Attribution(target, row.x), one.Attribution);
            }
        })));
    }

    [Fact]
    public void ComputesOnceForAllColumnsOfARowAndOnlyWhenRead()
    {
        var view = ml.Data.LoadFromEnumerable(Rows.Make(5));
        using var transformer = new LinearizingEstimator(new HandMadeGraph(3).Graph).Fit(view);
        var mapper = transformer.GetRowToRowMapper(view.Schema);
        var needed = mapper.GetDependencies([mapper.OutputSchema["Bias"], mapper.OutputSchema["Weights"]]).ToList();
        Assert.Equal(["x"], needed.Select(c => c.Name));

        using var cursor = view.GetRowCursor(needed);
        var reads = 0;
        using var row = mapper.GetRow(new CountedRow(cursor, () => reads++), [mapper.OutputSchema["Bias"], mapper.OutputSchema["Weights"]]);
        var (bias, weights) = (row.GetGetter<VBuffer<float>>(row.Schema["Bias"]), row.GetGetter<VBuffer<float>>(row.Schema["Weights"]));
        var value = default(VBuffer<float>);
        Assert.Throws<InvalidOperationException>(() => bias(ref value));
        cursor.MoveNext();
        Assert.Equal(0, reads);
        bias(ref value);
        weights(ref value);
        bias(ref value);
        Assert.Equal(1, reads);
        cursor.MoveNext();
        weights(ref value);
        Assert.Equal(2, reads);
    }

    private sealed class Explained
    {
        public string Text { get; set; } = "";
        public float[] Attribution { get; set; } = [];
        public float[] Bias { get; set; } = [];
        public float[] Weights { get; set; } = [];
        public long[] ExplainedTarget { get; set; } = [];
    }

    private sealed class Four
    {
        public float a { get; set; }
        public float b { get; set; }
        public float c { get; set; }
        public float d { get; set; }
        public string Text { get; set; } = "";
    }

    private sealed class CountedRow(DataViewRow inner, Action read) : DataViewRow
    {
        public override DataViewSchema Schema => inner.Schema;

        public override long Position => inner.Position;

        public override long Batch => inner.Batch;

        public override ValueGetter<DataViewRowId> GetIdGetter() => inner.GetIdGetter();

        public override bool IsColumnActive(DataViewSchema.Column column) => inner.IsColumnActive(column);

        public override ValueGetter<TValue> GetGetter<TValue>(DataViewSchema.Column column)
        {
            var getter = inner.GetGetter<TValue>(column);
            return (ref TValue value) =>
            {
                read();
                getter(ref value);
            };
        }
    }
}
