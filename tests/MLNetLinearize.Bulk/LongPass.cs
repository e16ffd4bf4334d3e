using System.Diagnostics;
using Microsoft.ML;

namespace MLNetLinearize.Bulk;

/// <summary>All columns of very many rows: speed, and resident memory early and late.</summary>
internal static class LongPass
{
    private const long AllowedGrowth = 100L << 20;
    private const int Early = 10_000;

    public static bool Run(MLContext ml, Digits digits, BulkOptions options, Report report)
    {
        using var model = ml.Transforms.Linearize(options.Mlp, new() { InputColumn = "pixels", Targets = Targets.All }).Fit(digits.View(0));
        var early = 0L;
        var clock = Stopwatch.StartNew();
        var rows = AllColumns.Read(model.Transform(digits.View(options.Rows)), row =>
        {
            if (row == Math.Min(Early, options.Rows)) early = Environment.WorkingSet;
        });
        var (seconds, late) = (clock.Elapsed.TotalSeconds, Environment.WorkingSet);
        report.Line($"");
        report.Line($"digits-mlp, Targets.All, all columns: {rows:N0} rows, {rows / seconds:N0} rows a second");
        report.Line($"  resident memory at row {Math.Min(Early, rows):N0}: {early >> 20} MiB, at row {rows:N0}: {late >> 20} MiB");
        return rows == options.Rows && late - early <= AllowedGrowth;
    }
}
