using System.Text.Json.Nodes;
using CsvHelper;
using MLNetLinearize.Reporting;
using Spectre.Console;

namespace MLNetLinearize.Cli.Output;

/// <summary>An evaluation for people: a table, a plot, and a file for the next program.</summary>
internal static class EvaluationTable
{
    public static void Write(IAnsiConsole console, AttributionEvaluation evaluation, LinearizationGraph graph)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumn("measure").AddColumn("better");
        foreach (var method in evaluation.Methods) table.AddColumn(new TableColumn(Words.Markup(Measure.NameOf(method.Method))).RightAligned());
        table.AddColumn("defined by");
        foreach (var measure in Measure.All)
        {
            var values = evaluation.Methods.Select(measure.Value).ToList();
            var best = Best(measure, values);
            table.AddRow([measure.Name, Arrow(measure), .. values.Select(v => Cell(v, evaluation.Explanations, v.Mean == best)), $"[grey]{measure.Source}[/]"]);
        }
        console.Write(table);
        foreach (var note in Notes(evaluation, graph)) console.MarkupLine($"[grey]{Words.Markup(note)}[/]");
        if (evaluation.RandomizedStages.Count > 0) WriteSanity(console, evaluation);
    }

    public static void WriteCsv(Stream stream, AttributionEvaluation evaluation)
    {
        using var csv = CsvText.Writer(stream);
        csv.WriteRecord(["method", "measure", "mean", "standard_error", "better", "defined_by"]);
        foreach (var method in evaluation.Methods)
            foreach (var measure in Measure.All)
            {
                if (measure.Value(method) is not { Mean: var mean and not double.NaN } value) continue;
                csv.WriteField(Measure.NameOf(method.Method));
                csv.WriteField(measure.Name);
                csv.WriteField(mean);
                csv.WriteField(evaluation.Explanations > 1 ? value.StandardError : (double?)null);
                csv.WriteField(measure.HigherIsBetter switch { true => "higher", false => "lower", _ => "" });
                csv.WriteField(measure.Source);
                csv.EndRecord();
            }
    }

    public static JsonObject ToJson(AttributionEvaluation evaluation)
    {
        var methods = new JsonArray();
        foreach (var method in evaluation.Methods)
            foreach (var measure in Measure.All)
                if (measure.Value(method) is { Mean: var mean and not double.NaN } value)
                    methods.Add(new JsonObject { ["method"] = Measure.NameOf(method.Method), ["measure"] = measure.Name, ["mean"] = mean, ["standardError"] = evaluation.Explanations > 1 ? value.StandardError : null, ["higherIsBetter"] = measure.HigherIsBetter, ["source"] = measure.Source });
        return new() { ["rows"] = evaluation.Rows, ["explanations"] = evaluation.Explanations, ["skipped"] = evaluation.Skipped, ["scale"] = Measure.NameOf(evaluation.Scale), ["unit"] = Measure.NameOf(evaluation.Unit), ["measures"] = methods };
    }

    public static void Plot(Stream stream, AttributionEvaluation evaluation, string model, string data)
    {
        var scale = Measure.NameOf(evaluation.Scale);
        // Two lines in one place look like a missing line.
        var (ours, gradient) = (evaluation.Methods[0], evaluation.Methods.Single(m => m.Method == AttributionMethod.InputTimesGradient));
        var isOne = ours.Deletion.SequenceEqual(gradient.Deletion) && ours.Insertion.SequenceEqual(gradient.Insertion);
        string Line(MethodEvaluation m, MeasuredValue area) => $"{Measure.NameOf(m.Method)}{(isOne && m == ours ? ", here input × gradient as well" : "")}: area {Words.Measured(area, evaluation.Explanations)}";
        PlotPanel Panel(string title, string note, string x, Func<MethodEvaluation, IReadOnlyList<double>> curve, Func<MethodEvaluation, MeasuredValue> area) => new(title, note, x, scale, evaluation.Fractions,
            [.. evaluation.Methods.Where(m => !(isOne && m == gradient)).Select(m => new PlotLine(Line(m, area(m)), curve(m), m == ours))]);
        new CurvePlot($"Do the explanations of {model} find what matters?",
            $"Mean over {Words.Number(evaluation.Explanations, "explanation")} of {data}{(evaluation.Explanations > 1 ? "; ± standard error" : "")}. Deletion and insertion: Petsiuk et al. 2018.",
            [
                Panel("Deletion", "The most important units are removed first: the lower, the better found.", $"share of {Measure.NameOf(evaluation.Unit)} removed", m => m.Deletion, m => m.DeletionArea),
                Panel("Insertion", "The most important units are put back first: the higher, the better found.", $"share of {Measure.NameOf(evaluation.Unit)} put back", m => m.Insertion, m => m.InsertionArea),
            ]).SavePng(stream);
    }

    private static void WriteSanity(IAnsiConsole console, AttributionEvaluation evaluation)
    {
        console.WriteLine();
        console.MarkupLine("Randomised weights, from the last layer down: likeness of the explanations to the true ones; near 0 is right [grey](Adebayo et al. 2018)[/]");
        var table = new Table().Border(TableBorder.Simple).AddColumn("noise down to").AddColumns("rank correlation", "of sizes", "structural similarity");
        foreach (var column in table.Columns.Skip(1)) column.RightAligned();
        foreach (var stage in evaluation.RandomizedStages)
            table.AddRow(Words.Markup(stage.Layers[^1]), Of(stage.RankCorrelation), Of(stage.AbsoluteRankCorrelation), Of(stage.StructuralSimilarity));
        console.Write(table);

        string Of(MeasuredValue value) => Words.Measured(value, evaluation.Explanations);
    }

    private static IEnumerable<string> Notes(AttributionEvaluation evaluation, LinearizationGraph graph)
    {
        yield return $"{(evaluation.Explanations > 1 ? "± standard error of the mean" : "One explanation has no standard error; judge more rows")}. Curves, comprehensiveness and sufficiency in: {Measure.NameOf(evaluation.Scale)}. {Words.Count(evaluation.Units)} {Measure.NameOf(evaluation.Unit)} a row; a removed one takes the value {Words.Plain(evaluation.Baseline ?? double.NaN)}.";
        if (graph.Options.Nonlinearity == Nonlinearity.Tangent || graph.Report.IsPiecewiseLinear)
            yield return "For this network W∘x is input × gradient; the bias is what sets the two apart."
                + (evaluation.Methods.Any(m => double.IsFinite(m.GradientCorrelation.Mean)) ? " Central differences, which know nothing of W, confirm it." : "");
        if (evaluation.Skipped > 0) yield return $"{Words.Number(evaluation.Skipped, "explanation")} left out: NaN, infinite, or without a known label.";
    }

    private static double? Best(Measure measure, IEnumerable<MeasuredValue> values)
    {
        var means = values.Select(v => v.Mean).Where(double.IsFinite).ToList();
        return means.Count == 0 ? null : measure.HigherIsBetter switch { true => means.Max(), false => means.Min(), _ => null };
    }

    private static string Arrow(Measure measure) => measure.HigherIsBetter switch { true => "↑", false => "↓", _ => "" };

    private static string Cell(MeasuredValue value, long values, bool isBest) => isBest ? $"[bold]{Words.Measured(value, values)}[/]" : Words.Measured(value, values);
}
