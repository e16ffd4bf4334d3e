using System.CommandLine;
using MLNetLinearize.Cli.Data;
using MLNetLinearize.Cli.Output;
using MLNetLinearize.Reporting;
using Spectre.Console;

namespace MLNetLinearize.Cli.Commands;

/// <summary><c>explain</c>: data to columns, summary, table and picture.</summary>
internal sealed class ExplainCommand(Terminal terminal)
{
    private readonly ModelOptions model = new();
    private readonly DataOptions data = new();
    private readonly LayerOptions layers = new();

    private readonly Option<string> targets = new("--targets") { HelpName = "T", Description = $"Which outputs each row explains: {TargetsParser.Spellings}.", DefaultValueFactory = _ => "predicted" };

    private readonly Option<string?> output = new("--out", "-o") { HelpName = "FILE.csv", Description = "Write the columns, one line for each row." };

    private readonly Option<string?> columns = new("--columns") { HelpName = "LIST", Description = "Columns of --out, with a comma between: label, predicted, target, score, bias, error, attribution, weights. Default: all but weights." };

    private readonly Option<string?> picture = new("--picture", "-p") { HelpName = "FILE.png", Description = "Draw a contact sheet: photographs beside the maps of which pixels spoke for and against, right answers first, then the mistakes beside the map of the true class." };

    private readonly Option<string?> report = new("--report", "-r") { HelpName = "FILE.html", Description = "Write a report to read in a browser: accuracy, exactness, what matters overall, and every row with what spoke for and against each class. One file that needs no network." };

    private readonly Option<string?> imageShape = new("--image-shape") { HelpName = "HxW", Description = "Shape of the images for --picture and --report where the network takes them as a line of numbers." };

    private readonly Option<int?> topFeatures = new Option<int?>("--top-features") { HelpName = "K", Description = "Strongest contributions to show in the table.", DefaultValueFactory = _ => 5 }.Between(0);

    private readonly Option<int?> show = new Option<int?>("--show") { HelpName = "N", Description = "Rows to show in the table: the first, then half as many of the first mistakes.", DefaultValueFactory = _ => 10 }.Between(0);

    public Command Create()
    {
        var command = new Command("explain", "Explain each row: how much every input contributed to the network's score, and the bias that no input contributed. They add up to the score, which the summary checks.");
        model.AddTo(command);
        data.AddTo(command);
        foreach (Option option in new Option[] { targets, output, columns, picture, report, imageShape, topFeatures, show }) command.Add(option);
        layers.AddTo(command);
        command.SetAction((result, cancel) => Task.Run(() => Run(result, cancel), cancel));
        return command;
    }

    private int Run(ParseResult result, CancellationToken cancel)
    {
        Paths.Check([.. model.Files(result), .. data.Files(result)], new("--out", result.GetValue(output)), new("--picture", result.GetValue(picture)), new("--report", result.GetValue(report)));
        var classes = data.ReadClassNames(result);
        var (scale, limit, quiet) = (data.ReadScale(result), data.ReadRows(result), result.GetValue(data.Quiet));
        var chosen = ColumnList.Parse(result.GetValue(columns));
        var modelFile = result.GetValue(model.Model)!;
        var graph = Compile(TargetsParser.Parse(result.GetValue(targets)!, classes));
        classes.Check(graph.OutputCount);
        using var rows = data.Open(result, graph);

        var (summary, table) = (new Summary(), new RowTable(quiet ? 0 : result.GetValue(show)!.Value, result.GetValue(topFeatures)!.Value, Features(rows, graph, FeatureNames.ShortPositions), classes, graph));
        var (everyLayer, layerRows) = (result.GetValue(layers.EveryLayer), layers.ReadRows(result));
        var byLayer = everyLayer ? new LayerRows(graph, layerRows, classes, result.GetValue(imageShape), () => model.CompileLayers(result, graph.Options.Targets, classes.NamesOrNull)) : null;
        var sheet = result.GetValue(picture) is null || everyLayer ? null : new Sheet(modelFile, graph, classes, result.GetValue(imageShape), Compile);
        using var csvFile = Open("--out", result.GetValue(output));
        using var sheetFile = Open("--picture", result.GetValue(picture));
        using var reportFile = Open("--report", result.GetValue(report));
        using var csv = csvFile is null ? null : new ColumnsCsv(csvFile, chosen, Features(rows, graph, FeatureNames.Positions), classes, graph, rows.HasLabels);
        using var page = reportFile is null ? null : new Report(reportFile, modelFile, rows.Name, graph, Features(rows, graph, FeatureNames.Positions), result.GetValue(imageShape), rows.HasLabels, Compile);
        using var explainer = new Explainer(graph, result.GetValue(data.Batch), weights: csv is not null && chosen.HasFlag(ColumnSet.Weights));
        IRowSink?[] sinks = [summary, table, csv, sheet, page, byLayer];
        var time = RunProgress.Show(terminal.Error, quiet, progress => explainer.Run(rows, scale, classes, limit, [.. sinks.OfType<IRowSink>()], progress, cancel));
        if (summary.Rows == 0) throw new InputException($"'{rows.Name}' holds no rows.");
        csv?.Complete();
        page?.Complete();
        byLayer?.Explain();
        sheetFile?.Write(stream =>
        {
            if (byLayer is null) sheet!.Save(stream, rows.Name, summary);
            else byLayer.SavePng(stream, modelFile);
        });
        csvFile?.Complete();
        sheetFile?.Complete();
        reportFile?.Complete();

        terminal.Out.MarkupLine($"[bold]{Markup.Escape(Path.GetFileName(modelFile))}[/] explains {Words.Rows(summary.Rows)} of {Markup.Escape(Path.GetFileName(rows.Name.TrimEnd('/', '\\')))}");
        table.Write(terminal.Out);
        byLayer?.Write(terminal.Out);
        summary.Write(terminal.Out, Written(graph, csv, csvFile, sheetFile, reportFile));
        if (!quiet) terminal.Error.WriteLine($"{Words.Rows(summary.Rows)} in {time.TotalSeconds:0.00} s, {Words.Count((long)(summary.Rows / time.TotalSeconds))} rows per second");
        return ExitCodes.Success;

        LinearizationGraph Compile(Targets explained) => model.Compile(result, explained, classes.NamesOrNull);
    }

    private static OutputFile? Open(string argument, string? path) => path is null ? null : new(argument, path);

    private static IEnumerable<(string, string)> Written(LinearizationGraph graph, ColumnsCsv? csv, OutputFile? csvFile, OutputFile? sheetFile, OutputFile? reportFile)
    {
        yield return ("explained", $"'{graph.Report.ExplainedOutput}', {Which(graph.Options.Targets)}{(graph.Report.CutActivation is { } cut ? $" before the final {cut}" : "")}");
        foreach (var note in graph.Report.Notes) yield return ("note", note);
        if (csv is not null) yield return ("columns", $"{csvFile!.Path} ({Words.Rows(csv.Rows)}, {Words.Count(csv.ColumnCount)} columns)");
        if (sheetFile is not null) yield return ("picture", sheetFile.Path);
        if (reportFile is not null) yield return ("report", reportFile.Path);
    }

    private static string Which(Targets targets) => targets.Kind switch
    {
        TargetKind.Predicted => "the predicted class",
        TargetKind.PredictedVersusRunnerUp => "the predicted class against the runner-up",
        TargetKind.FromColumn => "the true class",
        TargetKind.All => "every class",
        _ => targets.ToString(),
    };

    /// <summary>Names of what the score is explained by: the data's own where it explains by the data, else positions.</summary>
    private static IReadOnlyList<string> Features(IRows rows, LinearizationGraph graph, Func<GraphInput, IReadOnlyList<string>> positions)
    {
        var explained = graph.ExplainedInputs.Single();
        return explained.Name == Explainer.DataInput(graph).Name && rows.FeatureNames is { } names ? names : positions(explained);
    }
}
