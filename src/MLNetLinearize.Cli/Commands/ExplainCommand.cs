using System.CommandLine;
using MLNetLinearize.Cli.Data;
using MLNetLinearize.Cli.Output;
using MLNetLinearize.Reporting;
using Spectre.Console;

namespace MLNetLinearize.Cli.Commands;

/// <summary><c>explain</c>: data to columns, summary, table, picture and report.</summary>
internal sealed class ExplainCommand(Terminal terminal)
{
    private readonly ModelOptions model = new();
    private readonly DataOptions data = new();
    private readonly LayerOptions layers = new();
    private readonly Option<string> targets = new("--targets") { HelpName = "T", Description = $"Which outputs each row explains: {TargetsParser.Spellings}.", DefaultValueFactory = _ => "predicted" };
    private readonly OutputOptions output = new();
    private readonly PictureOptions picture = new();
    private readonly TableOptions shown = new();
    private readonly RunOptions run = new();

    public Command Create()
    {
        var command = new Command("explain", "Explain each row: how much every input contributed to the network's score, and the bias that no input contributed. They add up to the score, which the summary checks.");
        model.AddTo(command);
        data.AddTo(command);
        command.Add(targets);
        output.AddTo(command);
        picture.AddTo(command);
        shown.AddTo(command);
        run.AddTo(command);
        layers.AddTo(command);
        command.SetAction((result, cancel) => Task.Run(() => Run(result, cancel), cancel));
        return command;
    }

    private int Run(ParseResult result, CancellationToken cancel)
    {
        NamedPath[] reads = [.. model.Files(result), .. data.Files(result)], writes = [.. output.Files(result), .. picture.Files(result)];
        var journalFile = run.ReadJournal(result, writes);
        Paths.Check([.. reads, .. model.ExternalFiles(result)], [.. writes, .. journalFile is { } named ? [named] : Array.Empty<NamedPath>()]);
        var (format, people) = (output.ReadFormat(result), output.IsStandard(result) ? terminal.WithDataOnOutput() : terminal);
        var classes = data.ReadClassNames(result);
        var (preprocessing, limit, quiet) = (data.ReadPreprocessing(result), data.ReadRows(result), result.GetValue(data.Quiet));
        var chosen = output.ReadColumns(result);
        var modelFile = result.GetValue(model.Model)!;
        var graph = Compile(TargetsParser.Parse(result.GetValue(targets)!, classes));
        classes.Check(graph.OutputCount);
        using var rows = data.Open(result, terminal, graph, preprocessing);

        var (summary, table) = (new Summary(), shown.Create(result, quiet || terminal.IsJson, Features(rows, graph, FeatureNames.ShortPositions), classes, graph));
        var layerRows = layers.ReadRows(result);
        var byLayer = result.GetValue(layers.EveryLayer) ? new LayerRows(graph, layerRows, classes, picture.ReadShapeOrNull(result, graph, preprocessing), () => model.CompileLayers(result, graph.Options.Targets, classes.NamesOrNull)) : null;
        var sheet = byLayer is not null ? null : picture.Create(result, modelFile, graph, classes, preprocessing, Compile);
        using var explainer = new Explainer(graph, result.GetValue(data.Batch), weights: format is not null && chosen.HasFlag(ColumnSet.Weights));
        var range = run.ReadRange(result, limit, explainer.RowsPerBlock, () => data.Count(result, terminal, graph, preprocessing, rows));
        using var columns = format is { } f
            ? output.Create(result, terminal, f, new ExplanationColumns(chosen, graph, Features(rows, graph, FeatureNames.Positions), classes, rows.HasLabels), () => picture.ReadShape(result, $"--format {result.GetValue(output.Format)}", graph, preprocessing))
            : null;
        using var sheetFile = result.GetValue(picture.Picture) is { } file ? new OutputFile("--picture", file) : null;
        using var reportFile = result.GetValue(picture.Report) is { } html ? new OutputFile("--report", html) : null;
        using var page = reportFile is null ? null : new Report(reportFile, modelFile, rows.Name, graph, Features(rows, graph, FeatureNames.Positions), result.GetValue(picture.ImageShape), rows.HasLabels, Compile);
        using var journal = journalFile is { Path: { } path } ? new Journal(path, RunOptions.Identity(result, Shown(), [.. reads, .. model.ExternalFiles(result)], result.GetValue(data.Data)!, explainer), graph, explainer.Outputs) : null;

        IRowSink?[] sinks = [summary, table, columns, sheet, page, byLayer];
        var time = RunProgress.Show(people, quiet, progress => explainer.Run(rows, preprocessing, classes, range, [.. sinks.OfType<IRowSink>()], progress, cancel, journal));
        // A part may be empty where there are more parts than blocks; its output then is too.
        if (summary.Rows == 0 && range != new RowRange(range.First, 0)) throw new InputException($"'{rows.Name}' holds no rows.");
        columns?.Finish();
        page?.Complete();
        byLayer?.Explain();
        sheetFile?.Write(stream =>
        {
            if (byLayer is null) sheet!.Save(stream, rows.Name, summary);
            else byLayer.SavePng(stream, modelFile);
        });
        columns?.Publish();
        sheetFile?.Complete();
        reportFile?.Complete();
        journal?.Delete();

        var facts = new RunFacts(modelFile, rows.Name, range, journal?.Replayed ?? 0, graph, columns, sheetFile?.Path, reportFile?.Path);
        if (people.IsJson)
        {
            people.WriteJson(facts.ToJson(summary, time, byLayer));
            return ExitCodes.Success;
        }
        people.Out.MarkupLine($"[bold]{Markup.Escape(Path.GetFileName(modelFile))}[/] explains {Words.Rows(summary.Rows)} of {Markup.Escape(Path.GetFileName(rows.Name.TrimEnd('/', '\\')))}");
        table.Write(people.Out);
        byLayer?.Write(people.Out);
        summary.Write(people.Out, facts.Lines());
        if (!quiet) people.Error.WriteLine($"{Words.Rows(summary.Rows)} in {time.TotalSeconds:0.00} s, {Words.Count((long)(summary.Rows / time.TotalSeconds))} rows per second");
        return ExitCodes.Success;

        LinearizationGraph Compile(Targets explained) => model.Compile(result, explained, classes.NamesOrNull);
    }

    /// <summary>Options that say what is written and shown: the results do not depend on them.</summary>
    private IEnumerable<Option> Shown() => [output.Out, output.Format, output.Columns, picture.Picture, picture.Report, picture.ImageShape, shown.Show, shown.TopFeatures, layers.EveryLayer, layers.Rows, run.Resume, data.Quiet];

    /// <summary>Names of what the score is explained by: the data's own where it explains by the data, else positions.</summary>
    private static IReadOnlyList<string> Features(IRows rows, LinearizationGraph graph, Func<GraphInput, IReadOnlyList<string>> positions)
    {
        var explained = graph.ExplainedInputs.Single();
        return explained.Name == Explainer.DataInput(graph).Name && rows.FeatureNames is { } names ? names : positions(explained);
    }
}
