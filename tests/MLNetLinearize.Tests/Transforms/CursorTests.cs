using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize.Transforms;

namespace MLNetLinearize.Tests.Transforms;

/// <summary>No row ever meets another row's explanation, whatever the source does; and only what is read is computed.</summary>
public sealed class CursorTests : IDisposable
{
    private readonly MLContext ml = new(seed: 1);
    private readonly HandMadeGraph net;
    private readonly LinearizingTransformer transformer;
    private readonly Row[] rows = Rows.Make(101);

    public CursorTests()
    {
        net = new HandMadeGraph(3, new() { BatchSize = 7 });
        transformer = new LinearizingEstimator(net.Graph).Fit(ml.Data.LoadFromEnumerable(rows));
    }

    public void Dispose() => transformer.Dispose();

    [Fact]
    public void ShuffledRowsKeepTheirExplanations() => AssertAligned(transformer.Transform(ml.Data.ShuffleRows(ml.Data.LoadFromEnumerable(rows), seed: 5)), 101);

    [Fact]
    public void ShufflingTheResultKeepsRowsTogether() => AssertAligned(ml.Data.ShuffleRows(transformer.Transform(ml.Data.LoadFromEnumerable(rows)), seed: 5), 101);

    [Fact]
    public void FilteredRowsKeepTheirExplanations()
    {
        var view = ml.Data.FilterRowsByColumn(ml.Data.LoadFromEnumerable(rows), "Number", 0.25, 0.75);
        AssertAligned(transformer.Transform(view), rows.Count(r => r.Number is >= 0.25f and < 0.75f));
    }

    [Fact]
    public void FilteringTheResultKeepsRowsTogether() =>
        AssertAligned(ml.Data.FilterRowsByColumn(transformer.Transform(ml.Data.LoadFromEnumerable(rows)), "Number", 0.25, 0.75), rows.Count(r => r.Number is >= 0.25f and < 0.75f));

    [Fact]
    public void ALiveGeneratorIsReadOnce()
    {
        // Each enumeration gives other rows, so a second cursor over the source would pair a row with a stranger.
        var opened = 0;
        IEnumerable<Row> Live()
        {
            var seed = Interlocked.Increment(ref opened);
            foreach (var row in Rows.Make(50, seed)) yield return row;
        }
        AssertAligned(transformer.Transform(ml.Data.LoadFromEnumerable(Live())), 50);
        Assert.Equal(1, opened);
    }

    [Fact]
    public void CachedRowsKeepTheirExplanations() => AssertAligned(ml.Data.Cache(transformer.Transform(ml.Data.LoadFromEnumerable(rows))), 101);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(7)]
    [InlineData(101)]
    [InlineData(1000)]
    public void BatchSizesGiveTheSame(int size)
    {
        using var other = new LinearizingEstimator(new HandMadeGraph(3, new() { BatchSize = size }).Graph).Fit(ml.Data.LoadFromEnumerable(rows));
        AssertAligned(other.Transform(ml.Data.LoadFromEnumerable(rows)), 101);
    }

    [Fact]
    public void EveryKindOfColumnPassesThrough()
    {
        var view = ml.Transforms.Conversion.MapValueToKey("Key", "Text").Fit(ml.Data.LoadFromEnumerable(rows)).Transform(ml.Data.LoadFromEnumerable(rows));
        var result = transformer.Transform(view);
        using var cursor = result.GetRowCursor(result.Schema);
        var id = cursor.GetGetter<long>(result.Schema["Id"]);
        var text = cursor.GetGetter<ReadOnlyMemory<char>>(result.Schema["Text"]);
        var flag = cursor.GetGetter<bool>(result.Schema["Flag"]);
        var time = cursor.GetGetter<DateTime>(result.Schema["Time"]);
        var ragged = cursor.GetGetter<VBuffer<double>>(result.Schema["Ragged"]);
        var key = cursor.GetGetter<uint>(result.Schema["Key"]);
        var (i, t, f, d, r, k) = (0L, default(ReadOnlyMemory<char>), false, default(DateTime), default(VBuffer<double>), 0u);
        foreach (var row in rows)
        {
            Assert.True(cursor.MoveNext());
            id(ref i);
            text(ref t);
            flag(ref f);
            time(ref d);
            ragged(ref r);
            key(ref k);
            Assert.Equal((row.Id, row.Text, row.Flag, row.Time, (uint)row.Id + 1), (i, t.ToString(), f, d, k));
            Assert.Equal(row.Ragged, r.DenseValues());
        }
        Assert.False(cursor.MoveNext());
    }

    [Fact]
    public void PositionsAndIdsAreThoseOfTheSource()
    {
        var source = ml.Data.LoadFromEnumerable(rows);
        var result = transformer.Transform(source);
        using var left = source.GetRowCursor([source.Schema["Id"]]);
        using var right = result.GetRowCursor([result.Schema["Id"], result.Schema["Bias"]]);
        var (leftId, rightId) = (left.GetIdGetter(), right.GetIdGetter());
        Assert.Equal(-1, right.Position);
        while (left.MoveNext())
        {
            Assert.True(right.MoveNext());
            var (a, b) = (default(DataViewRowId), default(DataViewRowId));
            leftId(ref a);
            rightId(ref b);
            Assert.Equal(a, b);
            Assert.Equal(left.Position, right.Position);
        }
        Assert.False(right.MoveNext());
        Assert.Equal(-1, right.Position);
    }

    [Fact]
    public void AValueMayBeReadTwiceAndWrittenByItsReader()
    {
        var result = transformer.Transform(ml.Data.LoadFromEnumerable(rows));
        using var cursor = result.GetRowCursor([result.Schema["Attribution"], result.Schema["Ragged"]]);
        var getter = cursor.GetGetter<VBuffer<float>>(result.Schema["Attribution"]);
        var ragged = cursor.GetGetter<VBuffer<double>>(result.Schema["Ragged"]);
        var (first, second, vector) = (default(VBuffer<float>), default(VBuffer<float>), default(VBuffer<double>));
        for (var i = 0; i < 20; i++)
        {
            cursor.MoveNext();
            getter(ref first);
            var editor = VBufferEditor.CreateFromBuffer(ref first);
            editor.Values.Clear();
            getter(ref second);
            Rows.Close(net.Attribution(net.Predicted(rows[i].x), rows[i].x), [.. second.DenseValues()]);
            ragged(ref vector);
            VBufferEditor.CreateFromBuffer(ref vector).Values.Clear();
            ragged(ref vector);
            Assert.Equal(rows[i].Ragged, vector.DenseValues());
        }
    }

    [Fact]
    public void OnlyActiveColumnsAreComputedAndAsked()
    {
        var asked = new List<string>();
        var source = new WatchedView(ml.Data.LoadFromEnumerable(rows), names => asked.AddRange(names));
        var result = transformer.Transform(source);

        using (result.GetRowCursor([result.Schema["Text"]])) Assert.Equal(["Text"], asked);
        asked.Clear();
        using (var cursor = result.GetRowCursor([result.Schema["Bias"], result.Schema["Id"]]))
        {
            Assert.Equal(["Id", "x"], asked.Order());
            Assert.True(cursor.IsColumnActive(result.Schema["Bias"]));
            Assert.False(cursor.IsColumnActive(result.Schema["Weights"]));
            var error = Assert.Throws<ArgumentOutOfRangeException>(() => cursor.GetGetter<VBuffer<float>>(result.Schema["Weights"]));
            Assert.Contains("'Weights' is not active", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void OneSessionForEachSetOfColumns()
    {
        var sessions = new SessionCache(net.Graph);
        var view = ml.Data.LoadFromEnumerable(rows);
        var result = new LinearizedView(view, new ColumnBinding(net.Graph, view.Schema), sessions);
        using (result.GetRowCursor([result.Schema["Id"]])) Assert.Equal(0, sessions.Count);
        using (result.GetRowCursor([result.Schema["Bias"]])) Assert.Equal(1, sessions.Count);
        using (result.GetRowCursor([result.Schema["Id"], result.Schema["Bias"]])) Assert.Equal(1, sessions.Count);
        using (result.GetRowCursor([result.Schema["Weights"], result.Schema["Bias"]])) Assert.Equal(2, sessions.Count);
        using (result.GetRowCursor([result.Schema["Bias"], result.Schema["Weights"]])) Assert.Equal(2, sessions.Count);
        sessions.Dispose();
        Assert.Throws<ObjectDisposedException>(() => result.GetRowCursor([result.Schema["Bias"]]));
    }

    [Fact]
    public void ImagesGoRowByRowAndStayWhole()
    {
        // Each get of an image gives an object that its reader owns and disposes: two rows must not share one.
        var images = ml.Data.LoadFromEnumerable(rows.Select(r => new ImageRow { Id = r.Id, x = r.x, Image = MLImage.CreateFromPixels(1, 1, MLPixelFormat.Bgra32, [(byte)r.Id, 0, 0, 255]) }));
        var result = transformer.Transform(images);
        using var cursor = result.GetRowCursor(result.Schema);
        var image = cursor.GetGetter<MLImage>(result.Schema["Image"]);
        var score = cursor.GetGetter<VBuffer<float>>(result.Schema["ExplainedScore"]);
        var (pixels, scores) = (default(MLImage)!, default(VBuffer<float>));
        for (var i = 0; cursor.MoveNext(); i++)
        {
            image(ref pixels);
            score(ref scores);
            Assert.Equal((byte)i, pixels.Pixels[0]);
            Rows.Close([net.Score(net.Predicted(rows[i].x), ("x", rows[i].x))], [.. scores.DenseValues()]);
        }
    }

    [Fact]
    public void CursorSetsGiveEveryRowOnce()
    {
        var result = transformer.Transform(ml.Data.LoadFromEnumerable(rows));
        var seen = new List<long>();
        foreach (var cursor in result.GetRowCursorSet([result.Schema["Id"], result.Schema["Bias"]], 4))
            using (cursor)
            {
                var getter = cursor.GetGetter<long>(result.Schema["Id"]);
                var id = 0L;
                while (cursor.MoveNext())
                {
                    getter(ref id);
                    seen.Add(id);
                }
            }
        Assert.Equal(rows.Select(r => r.Id), seen.Order());
    }

    [Fact]
    public void NoRowsGiveNoRows()
    {
        var result = transformer.Transform(ml.Data.LoadFromEnumerable(Array.Empty<Row>()));
        Assert.Empty(result.GetColumn<float[]>("Bias"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(7)]
    public void ASourceThatWouldBeginAgainIsReadToItsEndOnce(int size)
    {
        using var other = new LinearizingEstimator(new HandMadeGraph(3, new() { BatchSize = size }).Graph).Fit(ml.Data.LoadFromEnumerable(rows));
        var result = other.Transform(new WatchedView(ml.Data.LoadFromEnumerable(rows), _ => { }) { BeginsAgain = true });
        using var cursor = result.GetRowCursor([result.Schema["Bias"], result.Schema["Id"]]);
        var count = 0;
        while (cursor.MoveNext()) count++;
        Assert.Equal(101, count);
        Assert.False(cursor.MoveNext());
    }

    [Fact]
    public void DisposingStopsTheCursorAndItsSource()
    {
        var disposed = 0;
        var source = new WatchedView(ml.Data.LoadFromEnumerable(rows), _ => { }, () => disposed++);
        var result = transformer.Transform(source);
        var cursor = result.GetRowCursor([result.Schema["Bias"], result.Schema["Id"]]);
        Assert.True(cursor.MoveNext());
        cursor.Dispose();
        cursor.Dispose();
        Assert.Equal(1, disposed);
        Assert.False(cursor.MoveNext());
    }

    private void AssertAligned(IDataView result, int count)
    {
        var explained = ml.Data.CreateEnumerable<Explained>(result, reuseRowObject: false).ToList();
        Assert.Equal(count, explained.Count);
        foreach (var row in explained)
        {
            var target = net.Predicted(row.x);
            Assert.Equal(target, row.ExplainedTarget[0]);
            Rows.Close(net.Attribution(target, row.x), row.Attribution);
            Rows.Close([net.Score(target, ("x", row.x))], row.ExplainedScore);
            Assert.Equal($"row {row.Id}", row.Text);
        }
    }

    private sealed class Explained
    {
        public long Id { get; set; }
        [VectorType(4)]
        public float[] x { get; set; } = [];
        public string Text { get; set; } = "";
        public float[] Attribution { get; set; } = [];
        public long[] ExplainedTarget { get; set; } = [];
        public float[] ExplainedScore { get; set; } = [];
    }

    private sealed class ImageRow
    {
        public long Id { get; set; }
        [VectorType(4)]
        public float[] x { get; set; } = [];
        [Microsoft.ML.Transforms.Image.ImageType(1, 1)]
        public MLImage Image { get; set; } = null!;
    }
}
