using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize.Transforms;

namespace MLNetLinearize.Bulk;

/// <summary>One transformer under everything at once: threads that predict single rows, and bulk cursors that are given up at random.</summary>
internal static class Soak
{
    private const int Predictors = 8, Cursors = 2, Rows = 2_000;

    // Heaps of ten threads settle over the first tenth; afterwards nothing may add up.
    private const double SettlingShare = 0.1;
    private const long AllowedGrowth = 32L << 20;
    private const int SecondsThatSettle = 60;
    private const float Tolerance = 1e-4f;

    public static bool Run(MLContext ml, Digits digits, BulkOptions options, Report report)
    {
        var rows = digits.List(Rows);
        var view = ml.Data.LoadFromEnumerable(rows);
        using var model = ml.Transforms.Linearize(options.Mlp, new() { InputColumn = "pixels" }).Fit(view);
        var expected = model.Transform(view).GetColumn<float[]>("Attribution").ToArray();
        var wrong = 0L;
        void Check(long row, ReadOnlySpan<float> attribution)
        {
            for (var i = 0; i < attribution.Length; i++)
                if (!(Math.Abs(attribution[i] - expected[row][i]) <= Tolerance * Math.Max(1, Math.Abs(expected[row][i]))))
                {
                    Interlocked.Increment(ref wrong);
                    return;
                }
        }
        var clock = Stopwatch.StartNew();
        var predicted = Enumerable.Range(0, Predictors).Select(seed => Loop(clock, options.SoakSeconds, () => Predict(ml, model, rows, new Random(seed), Check))).ToArray();
        var read = Enumerable.Range(0, Cursors).Select(seed => Loop(clock, options.SoakSeconds, () => Read(model.Transform(view), new Random(seed), Check))).ToArray();
        Thread.Sleep(TimeSpan.FromSeconds(options.SoakSeconds * SettlingShare));
        var early = Memory();
        Thread.Sleep(TimeSpan.FromSeconds(options.SoakSeconds * (1 - SettlingShare)) - TimeSpan.FromSeconds(Math.Min(1, options.SoakSeconds * SettlingShare)));
        var late = Memory();
        Task.WaitAll([.. predicted, .. read]);

        report.Line($"");
        report.Line($"soak of {options.SoakSeconds} seconds, {Predictors} threads predicting and {Cursors} bulk cursors left at random rows, one transformer (digits-mlp)");
        report.Line($"  {predicted.Sum(t => t.Result):N0} rows predicted and {read.Sum(t => t.Result):N0} read in bulk, wrong rows: {wrong}");
        report.Line($"  after {SettlingShare:P0} of the time and at the end: managed {early.Managed >> 10:N0} and {late.Managed >> 10:N0} KiB live, resident {early.Resident >> 20} and {late.Resident >> 20} MiB");
        return wrong == 0 && (options.SoakSeconds < SecondsThatSettle || (late.Managed - early.Managed <= AllowedGrowth && late.Resident - early.Resident <= AllowedGrowth));
    }

    private static (long Managed, long Resident) Memory() => (GC.GetTotalMemory(forceFullCollection: true), Environment.WorkingSet);

    private static Task<long> Loop(Stopwatch clock, int seconds, Func<Func<long>> begin) => Task.Factory.StartNew(() =>
    {
        var step = begin();
        var count = 0L;
        while (clock.Elapsed.TotalSeconds < seconds) count += step();
        return count;
    }, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private static Func<long> Predict(MLContext ml, LinearizingTransformer model, IReadOnlyList<Digit> rows, Random random, Action<long, ReadOnlySpan<float>> check)
    {
        var engine = ml.Model.CreatePredictionEngine<Digit, Explained>(model, new PredictionEngineOptions { OwnsTransformer = false });
        return () =>
        {
            var row = rows[random.Next(rows.Count)];
            check(row.Number, engine.Predict(row).Attribution);
            return 1;
        };
    }

    /// <summary>A cursor or a set of two, read to a random row and left there.</summary>
    private static Func<long> Read(IDataView view, Random random, Action<long, ReadOnlySpan<float>> check) => () =>
    {
        var count = 0L;
        var (number, attribution) = (view.Schema["Number"], view.Schema["Attribution"]);
        foreach (var cursor in view.GetRowCursorSet([number, attribution], random.Next(1, 3)))
            using (cursor)
            {
                var (readNumber, readAttribution) = (cursor.GetGetter<long>(number), cursor.GetGetter<VBuffer<float>>(attribution));
                var (row, value) = (0L, default(VBuffer<float>));
                for (var left = random.Next(2 * Rows); left > 0 && cursor.MoveNext(); left--, count++)
                {
                    readNumber(ref row);
                    readAttribution(ref value);
                    check(row, value.GetValues());
                }
            }
        return count;
    };

    private sealed class Explained
    {
        public float[] Attribution { get; set; } = [];
    }
}
