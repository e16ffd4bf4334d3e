using System.CommandLine;
using System.Globalization;
using MLNetLinearize.Cli.Output;
using MLNetLinearize.Evaluation;
using Spectre.Console;

namespace MLNetLinearize.Cli.Commands;

/// <summary><c>evaluate</c>: how well the explanations say what the network computed, beside other ways to explain.</summary>
internal sealed class EvaluateCommand(Terminal terminal)
{
    private readonly ModelOptions model = new();
    private readonly DataOptions data = new(rows: "100");
    private readonly PageOptions page = new();

    private readonly Option<string> targets = new("--targets") { HelpName = "T", Description = "Which outputs each row explains: predicted, all, top:K, classes:A,B,…, label.", DefaultValueFactory = _ => "predicted" };

    private readonly Option<string> baseline = new("--baseline") { HelpName = "V", Description = "Value that a removed input takes, after --scale.", DefaultValueFactory = _ => "0" };

    private readonly Option<string?> scale = new Option<string?>("--measure-in") { HelpName = "softmax|sigmoid|score", Description = "In what curves are measured: the output's probability among all, by itself, or its score. Default: by the network's end." }.AcceptOnlyFromAmong("softmax", "sigmoid", "score");

    private readonly Option<string?> imageShape = new("--image-shape") { HelpName = "HxW", Description = "Shape of the images where the network takes them as a line of numbers." };

    private readonly Option<int?> seed = new Option<int?>("--seed") { HelpName = "N", Description = "Seed of the random choices.", DefaultValueFactory = _ => 1 }.Between(0);

    private readonly Option<string?> output = new("--out", "-o") { HelpName = "FILE.csv", Description = "Write the table: one line for each method and measure." };

    private readonly Option<string?> plot = new("--plot", "-p") { HelpName = "FILE.png", Description = "Draw the deletion and insertion curves." };

    public Command Create()
    {
        var command = new Command("evaluate", "Judge the explanations on your own data: remove what they call important and see whether the score falls, and more such measures of the literature, beside input × gradient, occlusion and random explanations. Each row takes hundreds of runs of the network, so it reads 100 rows unless told otherwise; the standard errors tell whether more are needed.");
        model.AddTo(command);
        data.AddTo(command);
        foreach (Option option in new Option[] { targets, baseline, scale, imageShape, seed, output, plot }) command.Add(option);
        page.AddTo(command);
        command.SetAction((result, cancel) => Task.Run(() => Run(result, cancel), cancel));
        return command;
    }

    private int Run(ParseResult result, CancellationToken cancel)
    {
        NamedPath table = new("--out", result.GetValue(output)), curves = new("--plot", result.GetValue(plot));
        Paths.Check([.. model.Files(result), .. data.Files(result)], table, curves, page.File(result));
        Paths.CheckExtension(table, "CSV", ".csv");
        Paths.CheckExtension(curves, "PNG", ".png");
        page.Check(result);
        var classes = data.ReadClassNames(result);
        var (preprocessing, limit, quiet) = (data.ReadPreprocessing(result), data.ReadRows(result), result.GetValue(data.Quiet));
        var modelFile = result.GetValue(model.Model)!;
        var options = Options(result);
        var explained = TargetsParser.Parse(result.GetValue(targets)!, classes);
        var graph = model.CompileForData(result, explained, classes.NamesOrNull);
        classes.Check(graph.OutputCount);
        using var rows = data.Open(result, terminal, graph, model.Parts, preprocessing);
        var missing = data.ReadMissing(result, graph);
        using var csvFile = result.GetValue(output) is { } csv ? new OutputFile("--out", csv) : null;
        using var plotFile = result.GetValue(plot) is { } png ? new OutputFile("--plot", png) : null;
        using var reportFile = page.Open(result);
        using var sink = new EvaluationSink(graph, options, limit, cancel);
        using var report = reportFile is null ? null : page.Create(result, reportFile, model, rows, rows.HasLabels && model.HasClasses, graph, result.GetValue(imageShape), targets => model.CompileForData(result, targets, classes.NamesOrNull));
        // Each row takes so many runs of its own that progress should come row by row.
        using var explainer = new Explainer(graph, result.GetValue(data.Batch) ?? 1) { HasClasses = model.HasClasses };
        var summary = new Summary();
        var time = RunProgress.Show(terminal, quiet, progress => explainer.Run(rows, preprocessing, missing, classes, RowRange.Of(limit), report is null ? [summary, sink] : [summary, sink, report], progress, cancel));
        if (summary.Rows == 0) throw new InputException($"'{rows.Name}' holds no rows.");
        var evaluation = sink.Result();
        if (evaluation.Explanations == 0) throw new InputException($"'{rows.Name}': none of the {Words.Rows(evaluation.Rows)} has an explanation to judge. {summary.Warning()}");

        csvFile?.Write(stream => EvaluationTable.WriteCsv(stream, evaluation));
        plotFile?.Write(stream => EvaluationTable.Plot(stream, evaluation, Path.GetFileNameWithoutExtension(modelFile), Path.GetFileName(rows.Name.TrimEnd('/', '\\'))));
        report?.Complete(evaluation);
        csvFile?.Complete();
        plotFile?.Complete();
        reportFile?.Complete();
        if (terminal.IsJson)
        {
            var json = EvaluationTable.ToJson(evaluation);
            (json["model"], json["data"], json["seconds"]) = (modelFile, rows.Name, time.TotalSeconds);
            (json["out"], json["plot"], json["report"]) = (csvFile?.Path, plotFile?.Path, reportFile?.Path);
            terminal.WriteJson(json);
            return ExitCodes.Success;
        }
        terminal.Out.MarkupLine($"[bold]{Words.Markup(Path.GetFileName(modelFile))}[/]: {Words.Number(evaluation.Explanations, "explanation")} of {Words.Rows(evaluation.Rows)} of {Words.Markup(Path.GetFileName(rows.Name.TrimEnd('/', '\\')))}");
        EvaluationTable.Write(terminal.Out, evaluation, graph);
        if (missing.Told is { } told) terminal.Out.MarkupLine($"[grey]missing[/]  {Words.Markup(told)}");
        foreach (var (name, file) in new[] { ("table", csvFile), ("curves", plotFile), ("report", reportFile) })
            if (file is not null) terminal.Out.MarkupLine($"[grey]{name,-6}[/]   {Words.Markup(file.Path)}");
        if (!quiet) terminal.Error.WriteLine($"{Words.Rows(evaluation.Rows)} in {time.TotalSeconds:0.00} s");
        return ExitCodes.Success;
    }

    private EvaluateOptions Options(ParseResult result)
    {
        var text = result.GetValue(baseline)!;
        if (!float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) || !float.IsFinite(value)) throw new InputException($"--baseline '{text}': expected a number, such as 0 or 0.5.");
        return new()
        {
            Baseline = value,
            Scale = result.GetValue(scale) switch { "softmax" => EvaluationScale.Softmax, "sigmoid" => EvaluationScale.Sigmoid, "score" => EvaluationScale.Score, _ => null },
            ImageShape = result.GetValue(imageShape) is { } shape ? Sizes(shape) : null,
            Seed = result.GetValue(seed)!.Value,
        };
    }

    private static int[] Sizes(string text)
    {
        var sizes = text.Split('x').Select(s => int.TryParse(s, NumberStyles.None, CultureInfo.InvariantCulture, out var v) ? v : 0).ToArray();
        return sizes.All(s => s > 0) ? sizes : throw new InputException($"--image-shape '{text}': expected sizes with an x between, such as 28x28.");
    }
}
