using System.Diagnostics;
using Microsoft.ML;

namespace MLNetLinearize.Bulk;

/// <summary>
/// Our cursor beside ML.NET's own ONNX stage over the same linearization graph, which is what a saved model loads as: same
/// rows, same columns, in turns, so that both meet the same machine.
/// </summary>
internal static class Comparison
{
    private const int Rounds = 5;

    // As the project promises; short passes only show that the measurement works.
    private const int RowsThatCount = 10_000;

    public static bool Run(MLContext ml, Digits digits, BulkOptions options, Report report)
    {
        report.Line($"");
        report.Line($"our cursor beside ApplyOnnxModel over the same graph, all columns, medians of {Rounds} passes in turns");
        (string Name, string Model, Targets Targets, int Rows, double Least)[] cases =
        [
            ("digits-mlp, Targets.All", options.Mlp, Targets.All, options.Compared, 10),
            ("digits-mlp, Targets.Predicted", options.Mlp, Targets.Predicted, options.Compared, 1),
            ("digits-cnn, Targets.All", options.Cnn, Targets.All, options.ComparedCnn, 1.3),
            ("digits-cnn, Targets.Predicted", options.Cnn, Targets.Predicted, options.ComparedCnn, 1.3),
        ];
        return cases.Aggregate(true, (all, c) => all & (Compare(ml, digits, c.Name, c.Model, c.Targets, c.Least, c.Rows, report) || options.Compared < RowsThatCount));
    }

    private static bool Compare(MLContext ml, Digits digits, string name, string file, Targets targets, double least, int rows, Report report)
    {
        var view = digits.View(rows);
        using var ours = ml.Transforms.Linearize(file, new() { InputColumn = "pixels", Targets = targets }).Fit(view);
        using var saved = new MemoryStream();
        ml.Model.Save(ours, view.Schema, saved);
        saved.Position = 0;
        var stock = ml.Model.Load(saved, out _);
        // Compiled code settles first.
        for (var i = 0; i < 3; i++) AllColumns.Read(ours.Transform(view));
        AllColumns.Read(stock.Transform(view));
        var rounds = Enumerable.Range(0, Rounds).Select(_ => (Ours: Rate(ours.Transform(view)), Stock: Rate(stock.Transform(view)))).ToList();
        (stock as IDisposable)?.Dispose();
        var ratio = Median(rounds.Select(r => r.Ours / r.Stock));
        report.Line($"  {name,-30} {rows,7:N0} rows: {Median(rounds.Select(r => r.Ours)),9:N0} and {Median(rounds.Select(r => r.Stock)),7:N0} rows a second, {ratio:N1} times (at least {least:N1} asked)");
        return ratio >= least;
    }

    private static double Rate(IDataView view)
    {
        var clock = Stopwatch.StartNew();
        return AllColumns.Read(view) / clock.Elapsed.TotalSeconds;
    }

    private static double Median(IEnumerable<double> values) => values.Order().ElementAt(Rounds / 2);
}
