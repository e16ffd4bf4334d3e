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
    private readonly PageOptions page = new();
    private readonly Option<int?> evaluate = new Option<int?>("--evaluate") { HelpName = "N", Description = "Judge the explanations of the first N rows for --report: deletion and insertion curves and the other measures of the command evaluate." }.Between(1);
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
        page.AddTo(command);
        command.Add(evaluate);
        shown.AddTo(command);
        run.AddTo(command);
        layers.AddTo(command);
        command.SetAction((result, cancel) => Task.Run(() => Run(result, cancel), cancel));
        return command;
    }

    private int Run(ParseResult result, CancellationToken cancel)
    {
        NamedPath[] reads = [.. model.Files(result), .. data.Files(result)], writes = [.. output.Files(result), picture.File(result), page.File(result), layers.File(result)];
        var journalFile = run.ReadJournal(result, writes);
        Paths.Check([.. reads, .. model.ExternalFiles(result)], [.. writes, .. journalFile is { } named ? [named] : Array.Empty<NamedPath>()]);
        picture.Check(result);
        page.Check(result);
        var (format, people) = (output.ReadFormat(result), output.IsStandard(result) ? terminal.WithDataOnOutput() : terminal);
        var classes = data.ReadClassNames(result);
        var (preprocessing, limit, quiet) = (data.ReadPreprocessing(result), data.ReadRows(result), result.GetValue(data.Quiet));
        var chosen = output.ReadColumns(result);
        var modelFile = result.GetValue(model.Model)!;
        var graph = Compile(TargetsParser.Parse(result.GetValue(targets)!, classes));
        classes.Check(graph.OutputCount);
        using var rows = data.Open(result, terminal, graph, model.Parts, preprocessing);
        var missing = data.ReadMissing(result, graph);

        var (summary, table) = (new Summary(), shown.Create(result, quiet || terminal.IsJson, ExplanationColumns.FeaturesOf(rows, graph, model, FeatureNames.ShortPositions), classes, graph));
        var layerRows = layers.ReadRows(result);
        var byLayer = result.GetValue(layers.EveryLayer) ? new LayerRows(graph, layerRows, classes, picture.ReadShapeOrNull(result, graph, preprocessing), () => model.CompileLayers(result, graph.Options.Targets, classes.NamesOrNull)) : null;
        var sheet = byLayer is not null ? null : picture.Create(result, modelFile, graph, classes, preprocessing, Compile);
        using var explainer = new Explainer(graph, result.GetValue(data.Batch), weights: format is not null && chosen.HasFlag(ColumnSet.Weights)) { HasClasses = model.HasClasses };
        var range = run.ReadRange(result, limit, explainer.RowsPerBlock, () => data.Count(result, terminal, graph, model.Parts, preprocessing, rows));
        // Before the outputs: who has it open may write where an interrupted run wrote.
        using var journal = journalFile is { Path: { } path } ? new Journal(path, RunOptions.Identity(result, Shown(), [.. reads, .. model.ExternalFiles(result)], result.GetValue(data.Data)!, explainer), graph, explainer.Outputs) : null;
        using var columns = format is { } f
            ? output.Create(result, terminal, f, new ExplanationColumns(chosen, graph, ExplanationColumns.FeaturesOf(rows, graph, model, FeatureNames.Positions), classes, rows.HasLabels), journal is not null, run.IsFirst(result), () => picture.ReadShape(result, $"--format {result.GetValue(output.Format)}", graph, preprocessing))
            : null;
        using var sheetFile = result.GetValue(picture.Picture) is { } file ? new OutputFile("--picture", file, journal is not null) : null;
        using var layerFile = result.GetValue(layers.Out) is { } layerPath ? new OutputFile("--layer-out", layerPath, journal is not null) : null;
        using var reportFile = page.Open(result, journal is not null);
        using var report = reportFile is null ? null : page.Create(result, reportFile, model, rows, rows.HasLabels && model.HasClasses, graph, result.GetValue(picture.ImageShape), Compile);
        using var judge = Judge(result, graph, reportFile, cancel);

        IRowSink?[] sinks = [summary, table, columns, sheet, report, byLayer, judge];
        var time = RunProgress.Show(people, quiet, progress => explainer.Run(rows, preprocessing, missing, classes, range, [.. sinks.OfType<IRowSink>()], progress, cancel, journal));
        // A part may be empty where there are more parts than blocks; its output then is too.
        if (summary.Rows == 0 && missing.Rows == 0 && range != new RowRange(range.First, 0)) throw new InputException($"'{rows.Name}' holds no rows.");
        columns?.Finish();
        var evaluation = judge?.Result();
        report?.Complete(evaluation);
        byLayer?.Explain(run.ReadOwn(result, range));
        if (layerFile is not null) new LayerTable(layerFile, classes).Write(byLayer!.Lines());
        sheetFile?.Write(stream =>
        {
            if (byLayer is null) sheet!.Save(stream, rows.Name, summary);
            else byLayer.SavePng(stream, modelFile);
        });
        columns?.Publish();
        sheetFile?.Complete();
        layerFile?.Complete();
        reportFile?.Complete();
        journal?.Delete();

        var facts = new RunFacts(modelFile, rows.Name, range, journal?.Replayed ?? 0, graph, columns, sheetFile?.Path, reportFile?.Path, layerFile?.Path, evaluation) { Missing = missing.Told, DataNote = rows.Note };
        if (people.IsJson)
        {
            people.WriteJson(facts.ToJson(summary, time, byLayer));
            return ExitCodes.Success;
        }
        people.Out.MarkupLine($"[bold]{Words.Markup(Path.GetFileName(modelFile))}[/] explains {Words.Rows(summary.Rows)} of {Words.Markup(Path.GetFileName(rows.Name.TrimEnd('/', '\\')))}");
        table.Write(people.Out);
        byLayer?.Write(people.Out);
        summary.Write(people.Out, facts.Lines());
        if (!quiet) people.Error.WriteLine($"{Words.Rows(summary.Rows)} in {time.TotalSeconds:0.00} s, {Words.Rate(summary.Rows / time.TotalSeconds)} rows per second");
        return ExitCodes.Success;

        LinearizationGraph Compile(Targets explained) => model.CompileForData(result, explained, classes.NamesOrNull);
    }

    /// <summary>Options that say what is written and shown: the results do not depend on them.</summary>
    private IEnumerable<Option> Shown() => [output.Out, output.Format, output.Columns, picture.Picture, picture.ImageShape, .. page.All, evaluate, shown.Show, shown.TopFeatures, .. layers.All, run.Resume, data.Quiet];

    /// <summary>What judges the first rows for the report; null where none is to be.</summary>
    private EvaluationSink? Judge(ParseResult result, LinearizationGraph graph, OutputFile? reportFile, CancellationToken cancel)
    {
        if (result.GetValue(evaluate) is not { } most) return null;
        if (reportFile is null) throw new InputException("--evaluate is for the report, which is not given. Name a file with --report, or use the command evaluate.");
        var shape = result.GetValue(picture.ImageShape) is { } given ? MapShape.Sizes(given, Explainer.DataInput(graph)) : null;
        return new(graph, new() { ImageShape = shape }, most, cancel);
    }
}
