using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize.Runtime;
using MLNetLinearize.Transforms;

namespace MLNetLinearize.Tests.Transforms;

/// <summary>The next batch is made while the current one is read; whoever leaves takes everything along.</summary>
public sealed class PrefetchTests : IDisposable
{
    private const int Batch = 7;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly MLContext ml = new(seed: 1);
    private readonly HandMadeGraph net = new(3, new() { BatchSize = Batch });
    private readonly Row[] rows = Rows.Make(101);
    private readonly LinearizingTransformer transformer;

    public PrefetchTests() => transformer = new LinearizingEstimator(net.Graph).Fit(ml.Data.LoadFromEnumerable(rows));

    public void Dispose() => transformer.Dispose();

    [Fact]
    public void TheNextBatchIsMadeWhileTheCurrentOneIsRead()
    {
        var read = 0;
        var result = transformer.Transform(Watched(reading: n => Volatile.Write(ref read, n + 1)));
        using var cursor = result.GetRowCursor([result.Schema["Bias"]]);
        cursor.MoveNext();
        Assert.Equal((Batch, 1), (read, transformer.Sessions.Runs));

        cursor.MoveNext();
        Assert.True(SpinWait.SpinUntil(() => transformer.Sessions.Runs == 2, Patience));
        Assert.Equal((1, 2 * Batch), (cursor.Position, Volatile.Read(ref read)));
    }

    [Fact]
    public void ReadingOneRowMakesOneBatch()
    {
        var result = transformer.Transform(Watched());
        using (var cursor = result.GetRowCursor([result.Schema["Bias"]])) Assert.True(cursor.MoveNext());

        Assert.Equal(1, transformer.Sessions.Runs);
    }

    [Fact]
    public void AFailureComesToTheConsumerAtItsBatchAndStays()
    {
        var result = transformer.Transform(Watched(reading: n =>
        {
            if (n == 10) throw new InvalidDataException("row 10 is torn");
        }));
        var cursor = result.GetRowCursor([result.Schema["Bias"], result.Schema["Id"]]);
        for (var i = 0; i < Batch; i++) Assert.True(cursor.MoveNext());
        for (var again = 0; again < 2; again++)
        {
            Assert.Equal("row 10 is torn", Assert.Throws<InvalidDataException>(() => cursor.MoveNext()).Message);
            Assert.Equal(-1, cursor.Position);
        }
        cursor.Dispose();
        Assert.Equal(0, transformer.Sessions.OpenBuffers);
    }

    [Fact]
    public void AFailureReachesEveryCursorOfASet()
    {
        var result = transformer.Transform(Watched(reading: n =>
        {
            if (n == 10) throw new InvalidDataException("row 10 is torn");
        }));
        var (left, right) = (result.GetRowCursorSet([result.Schema["Bias"]], 2) is [var a, var b] ? (a, b) : throw new InvalidOperationException());
        using (left)
        using (right)
        {
            Assert.True(left.MoveNext());
            Assert.Equal("row 10 is torn", Assert.Throws<InvalidDataException>(() => right.MoveNext()).Message);
            Assert.Equal("row 10 is torn", Assert.Throws<InvalidDataException>(() =>
            {
                while (left.MoveNext()) { }
            }).Message);
        }
        Assert.Equal(0, transformer.Sessions.OpenBuffers);
    }

    [Fact]
    public void AFailureInTheFirstBatchStaysToo()
    {
        var result = transformer.Transform(Watched(reading: n =>
        {
            if (n == 3) throw new InvalidDataException("row 3 is torn");
        }));
        using var cursor = result.GetRowCursor([result.Schema["Bias"]]);
        Assert.Throws<InvalidDataException>(() => cursor.MoveNext());
        Assert.Throws<InvalidDataException>(() => cursor.MoveNext());
    }

    [Fact]
    public async Task LeavingStopsTheBatchThatIsBeingReadAndReleasesItsMemory()
    {
        using var arrived = new ManualResetEventSlim();
        using var goOn = new ManualResetEventSlim();
        var (read, disposed) = (0, 0);
        var result = transformer.Transform(new WatchedView(ml.Data.LoadFromEnumerable(rows), _ => { }, () => disposed++)
        {
            Reading = n =>
            {
                read = n;
                if (n != Batch + 2) return;
                arrived.Set();
                goOn.Wait(Patience);
            },
        });
        var cursor = result.GetRowCursor([result.Schema["Bias"], result.Schema["Text"]]);
        cursor.MoveNext();
        cursor.MoveNext();
        Assert.True(arrived.Wait(Patience));
        Assert.Equal((1, 0), (transformer.Sessions.OpenBuffers, disposed));
        var leaving = Task.Run(cursor.Dispose);
        // Leaving must have begun before the source goes on; a moved cursor says so.
        Assert.True(SpinWait.SpinUntil(() => cursor.Position < 0, Patience));
        await Task.Delay(100);
        goOn.Set();
        await leaving;

        Assert.Equal((0, 1), (transformer.Sessions.OpenBuffers, disposed));
        Assert.Equal(Batch + 2, read);
        Assert.Equal(1, transformer.Sessions.Runs);
        Assert.False(cursor.MoveNext());
    }

    [Fact]
    public void EveryKindOfReaderReleasesItsMemory()
    {
        var view = ml.Data.LoadFromEnumerable(rows);
        var result = transformer.Transform(view);
        foreach (var cursor in result.GetRowCursorSet(result.Schema, 3))
        {
            while (cursor.MoveNext()) { }
            cursor.Dispose();
        }
        Assert.Equal(0, transformer.Sessions.OpenBuffers);
        // ML.NET's prediction engine never disposes its row, whose memory the collector takes then; others do.
        using (var source = view.GetRowCursor(view.Schema))
        using (transformer.GetRowToRowMapper(view.Schema).GetRow(source, result.Schema)) Assert.Equal(1, transformer.Sessions.OpenBuffers);
        Assert.Equal(0, transformer.Sessions.OpenBuffers);
    }

    [Fact]
    public void ACancelledRunIsNotRunAgain()
    {
        using var session = new ExplanationSession(net.Graph, [OutputNames.Bias]);
        using var buffers = new ExplanationBuffers(session, new Dictionary<string, Array> { ["x"] = new float[4] }, 1, isPinned: false);
        buffers.Run(0, 1);
        buffers.Cancel();
        Assert.Throws<Microsoft.ML.OnnxRuntime.OnnxRuntimeException>(() => buffers.Run(0, 1));
    }

    [Fact]
    public void ADisposedTransformerEndsItsCursorsWithAnError()
    {
        var result = transformer.Transform(ml.Data.LoadFromEnumerable(rows));
        using var cursor = result.GetRowCursor([result.Schema["Bias"]]);
        Assert.True(cursor.MoveNext());
        transformer.Dispose();
        var error = Assert.Throws<ObjectDisposedException>(() =>
        {
            while (cursor.MoveNext()) { }
        });
        Assert.Contains("Dispose that after its last cursor", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ParallelCursorsGiveEachRowOnceWithItsOwnExplanation()
    {
        var many = Rows.Make(1000);
        var (opened, disposed) = (0, 0);
        var result = transformer.Transform(new WatchedView(ml.Data.LoadFromEnumerable(many), _ => opened++, () => disposed++));
        var cursors = result.GetRowCursorSet([result.Schema["Id"], result.Schema["x"], result.Schema["Attribution"]], 4);
        Assert.Equal(4, cursors.Length);
        var parts = await Task.WhenAll(cursors.Select(cursor => Task.Run(() => Consume(cursor))));

        Assert.Equal((1, 1), (opened, disposed));
        Assert.Equal(many.Select(r => r.Id), parts.SelectMany(p => p).Select(r => r.Id).Order());
        Assert.All(parts, part => Assert.Equal(part.OrderBy(r => r.Batch).ThenBy(r => r.Id), part));
        // What ML.NET merges cursors by: a number belongs to one cursor, and larger numbers hold later rows.
        var merged = parts.SelectMany(p => p).OrderBy(r => r.Batch).ThenBy(r => r.Id).ToList();
        Assert.Equal(merged.Count, parts.Sum(p => p.Count));
        Assert.Equal(many.Select(r => r.Id), merged.Select(r => r.Id));
        Assert.Equal(parts.Sum(p => p.Select(r => r.Batch).Distinct().Count()), merged.Select(r => r.Batch).Distinct().Count());
    }

    [Fact]
    public void NoRowAllocates()
    {
        Allocated(64);
        var (few, many) = (Allocated(64), Allocated(512));
        // What a run of the network allocates does not depend on its rows.
        Assert.InRange(many - few, -1024, 1024);
    }

    private List<(long Id, long Batch)> Consume(DataViewRowCursor cursor)
    {
        using (cursor)
        {
            var id = cursor.GetGetter<long>(cursor.Schema["Id"]);
            var x = cursor.GetGetter<VBuffer<float>>(cursor.Schema["x"]);
            var attribution = cursor.GetGetter<VBuffer<float>>(cursor.Schema["Attribution"]);
            var (number, input, value) = (0L, default(VBuffer<float>), default(VBuffer<float>));
            var seen = new List<(long, long)>();
            while (cursor.MoveNext())
            {
                id(ref number);
                x(ref input);
                attribution(ref value);
                float[] values = [.. input.DenseValues()];
                Rows.Close(net.Attribution(net.Predicted(values), values), [.. value.DenseValues()]);
                seen.Add((number, cursor.Batch));
            }
            return seen;
        }
    }

    /// <summary>Bytes that this thread allocates for reading, explaining and handing out a batch, once all is warm.</summary>
    private long Allocated(int batch)
    {
        using var one = new LinearizingEstimator(new HandMadeGraph(3, new() { BatchSize = batch, TopFeatures = 2 }).Graph).Fit(ml.Data.LoadFromEnumerable(rows));
        var view = ml.Data.LoadFromEnumerable(Rows.Make(3 * batch));
        var binding = new ColumnBinding(one.Graph, view.Schema);
        using var source = view.GetRowCursor(view.Schema);
        var buffer = new RowBuffer(new SharedSource(source, 1), binding, view.Schema, batch);
        using var explanations = new ExplanationBuffers(one.Sessions.Get(binding.Outputs.Select(o => o.Output), batch), buffer.Inputs, batch, isPinned: true);
        var current = 0;
        var getters = binding.Outputs.Select(o => ExplanationGetters.Create(o, explanations.Outputs, () => current)).OfType<ValueGetter<VBuffer<float>>>().ToArray();
        var value = default(VBuffer<float>);
        void Run()
        {
            Assert.Equal(batch, buffer.Read(0, batch, default));
            explanations.Run(0, batch);
            for (current = 0; current < batch; current++)
                foreach (var getter in getters) getter(ref value);
        }
        Run();
        Run();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Run();
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private WatchedView Watched(Action<int>? reading = null) => new(ml.Data.LoadFromEnumerable(rows), _ => { }) { Reading = reading };
}
