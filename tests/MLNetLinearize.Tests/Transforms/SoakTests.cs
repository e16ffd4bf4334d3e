using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize.Transforms;

namespace MLNetLinearize.Tests.Transforms;

/// <summary>One transformer under everything at once: services that predict, bulk jobs, and jobs that are given up midway.</summary>
public class SoakTests
{
    /// <summary>Seconds to go on for; a longer soak sets MLNETLINEARIZE_SOAK_SECONDS.</summary>
    private static readonly TimeSpan Duration = TimeSpan.FromSeconds(int.TryParse(Environment.GetEnvironmentVariable("MLNETLINEARIZE_SOAK_SECONDS"), out var s) ? s : 2);

    private readonly MLContext ml = new(seed: 1);
    private readonly HandMadeGraph net = new(3, new() { BatchSize = 16 });
    private readonly Row[] rows = Rows.Make(500);

    [Fact]
    public async Task NoRowIsWrongAndNothingIsLeft()
    {
        using var transformer = new LinearizingEstimator(net.Graph).Fit(ml.Data.LoadFromEnumerable(rows));
        var clock = Stopwatch.StartNew();
        var work = Enumerable.Range(0, 8).Select(seed => Loop(clock, () => Predict(transformer, seed)))
            .Concat(Enumerable.Range(0, 2).Select(seed => Loop(clock, () => Bulk(transformer, new Random(seed)))));
        var counts = await Task.WhenAll(work);

        Assert.All(counts, c => Assert.True(c > 0));
        // ML.NET's prediction engines leave their rows to the collector, one each.
        Assert.Equal(8, transformer.Sessions.OpenBuffers);
    }

    private static Task<long> Loop(Stopwatch clock, Func<Func<long>> begin) => Task.Factory.StartNew(() =>
    {
        var step = begin();
        var count = 0L;
        while (clock.Elapsed < Duration) count += step();
        return count;
    }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private Func<long> Predict(LinearizingTransformer transformer, int seed)
    {
        var engine = ml.Model.CreatePredictionEngine<Row, Explained>(transformer, new PredictionEngineOptions { OwnsTransformer = false });
        var random = new Random(seed);
        return () =>
        {
            var row = rows[random.Next(rows.Length)];
            Check(row.x, engine.Predict(row).Attribution);
            return 1;
        };
    }

    /// <summary>A cursor or a set of two, read to a random row and left there.</summary>
    private Func<long> Bulk(LinearizingTransformer transformer, Random random)
    {
        var result = transformer.Transform(ml.Data.LoadFromEnumerable(rows));
        return () =>
        {
            var count = 0L;
            foreach (var cursor in result.GetRowCursorSet([result.Schema["x"], result.Schema["Attribution"]], random.Next(1, 3)))
                using (cursor)
                {
                    var (x, attribution) = (cursor.GetGetter<VBuffer<float>>(result.Schema["x"]), cursor.GetGetter<VBuffer<float>>(result.Schema["Attribution"]));
                    var (input, value) = (default(VBuffer<float>), default(VBuffer<float>));
                    for (var left = random.Next(2 * rows.Length); left > 0 && cursor.MoveNext(); left--, count++)
                    {
                        x(ref input);
                        attribution(ref value);
                        Check([.. input.DenseValues()], [.. value.DenseValues()]);
                    }
                }
            return count;
        };
    }

    private void Check(float[] x, float[] attribution) => Rows.Close(net.Attribution(net.Predicted(x), x), attribution);

    private sealed class Explained
    {
        public float[] Attribution { get; set; } = [];
    }
}
