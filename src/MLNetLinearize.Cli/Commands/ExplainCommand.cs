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
    private readonly Option<string> targets = new("--targets") { HelpName = "T", Description = $"Which outputs each row explains: {TargetsParser.Spellings}.", DefaultValueFactory = _ => "predicted" };
    private readonly OutputOptions output = new();
    private readonly PictureOptions picture = new();
    private readonly TableOptions shown = new();

    public Command Create()
    {
        var command = new Command("explain", "Explain each row: how much every input contributed to the network's score, and the bias that no input contributed. They add up to the score, which the summary checks.");
        model.AddTo(command);
        data.AddTo(command);
        command.Add(targets);
        output.AddTo(command);
        picture.AddTo(command);
        shown.AddTo(command);
        command.SetAction((result, cancel) => Task.Run(() => Run(result, cancel), cancel));
        return command;
    }

    private int Run(ParseResult result, CancellationToken cancel)
    {
        Paths.Check([.. model.Files(result), .. data.Files(result)], [.. output.Files(result), .. picture.Files(result)]);
        var classes = data.ReadClassNames(result);
        var (scale, limit, quiet) = (data.ReadScale(result), data.ReadRows(result), result.GetValue(data.Quiet));
        var chosen = output.ReadColumns(result);
        var modelFile = result.GetValue(model.Model)!;
        var graph = Compile(TargetsParser.Parse(result.GetValue(targets)!, classes));
        classes.Check(graph.OutputCount);
        using var rows = data.Open(result, graph);

        var (summary, table) = (new Summary(), shown.Create(result, quiet, Features(rows, graph, FeatureNames.ShortPositions), classes, graph));
        var sheet = picture.Create(result, modelFile, graph, classes, Compile);
        using var csvFile = Open("--out", result.GetValue(output.Out));
        using var sheetFile = Open("--picture", result.GetValue(picture.Picture));
        using var csv = csvFile is null ? null : new ColumnsCsv(csvFile, chosen, Features(rows, graph, FeatureNames.Positions), classes, graph, rows.HasLabels);
        using var explainer = new Explainer(graph, result.GetValue(data.Batch), weights: csv is not null && chosen.HasFlag(ColumnSet.Weights));
        IRowSink?[] sinks = [summary, table, csv, sheet];
        var time = RunProgress.Show(terminal.Error, quiet, progress => explainer.Run(rows, scale, classes, limit, [.. sinks.OfType<IRowSink>()], progress, cancel));
        if (summary.Rows == 0) throw new InputException($"'{rows.Name}' holds no rows.");
        csv?.Complete();
        sheetFile?.Write(stream => sheet!.Save(stream, rows.Name, summary));
        csvFile?.Complete();
        sheetFile?.Complete();

        terminal.Out.MarkupLine($"[bold]{Markup.Escape(Path.GetFileName(modelFile))}[/] explains {Words.Rows(summary.Rows)} of {Markup.Escape(Path.GetFileName(rows.Name.TrimEnd('/', '\\')))}");
        table.Write(terminal.Out);
        summary.Write(terminal.Out, Written(graph, csv, csvFile, sheetFile));
        if (!quiet) terminal.Error.WriteLine($"{Words.Rows(summary.Rows)} in {time.TotalSeconds:0.00} s, {Words.Count((long)(summary.Rows / time.TotalSeconds))} rows per second");
        return ExitCodes.Success;

        LinearizationGraph Compile(Targets explained) => model.Compile(result, explained, classes.NamesOrNull);
    }

    private static OutputFile? Open(string argument, string? path) => path is null ? null : new(argument, path);

    private static IEnumerable<(string, string)> Written(LinearizationGraph graph, ColumnsCsv? csv, OutputFile? csvFile, OutputFile? sheetFile)
    {
        yield return ("explained", $"'{graph.Report.ExplainedOutput}', {Which(graph.Options.Targets)}{(graph.Report.CutActivation is { } cut ? $" before the final {cut}" : "")}");
        foreach (var note in graph.Report.Notes) yield return ("note", note);
        if (csv is not null) yield return ("columns", $"{csvFile!.Path} ({Words.Rows(csv.Rows)}, {Words.Count(csv.ColumnCount)} columns)");
        if (sheetFile is not null) yield return ("picture", sheetFile.Path);
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
