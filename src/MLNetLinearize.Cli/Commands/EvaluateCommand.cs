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
    private readonly DataOptions data = new();

    private readonly Option<string> targets = new("--targets") { HelpName = "T", Description = "Which outputs each row explains: predicted, all, top:K, classes:A,B,…, label.", DefaultValueFactory = _ => "predicted" };

    private readonly Option<string> baseline = new("--baseline") { HelpName = "V", Description = "Value that a removed input takes, after --scale.", DefaultValueFactory = _ => "0" };

    private readonly Option<string?> scale = new Option<string?>("--measure-in") { HelpName = "softmax|sigmoid|score", Description = "In what curves are measured: the output's probability among all, by itself, or its score. Default: by the network's end." }.AcceptOnlyFromAmong("softmax", "sigmoid", "score");

    private readonly Option<string?> imageShape = new("--image-shape") { HelpName = "HxW", Description = "Shape of the images where the network takes them as a line of numbers." };

    private readonly Option<int?> seed = new Option<int?>("--seed") { HelpName = "N", Description = "Seed of the random choices.", DefaultValueFactory = _ => 1 }.Between(0);

    private readonly Option<string?> output = new("--out", "-o") { HelpName = "FILE.csv", Description = "Write the table: one line for each method and measure." };

    private readonly Option<string?> plot = new("--plot", "-p") { HelpName = "FILE.png", Description = "Draw the deletion and insertion curves." };

    public Command Create()
    {
        var command = new Command("evaluate", "Judge the explanations on your own data: remove what they call important and see whether the score falls, and more such measures of the literature, beside input × gradient, occlusion and random explanations. A few hundred rows tell the means (--rows 200).");
        model.AddTo(command);
        data.AddTo(command);
        foreach (Option option in new Option[] { targets, baseline, scale, imageShape, seed, output, plot }) command.Add(option);
        command.SetAction((result, cancel) => Task.Run(() => Run(result, cancel), cancel));
        return command;
    }

    private int Run(ParseResult result, CancellationToken cancel)
    {
        Paths.Check([.. model.Files(result), .. data.Files(result)], new("--out", result.GetValue(output)), new("--plot", result.GetValue(plot)));
        var classes = data.ReadClassNames(result);
        var (preprocessing, limit, quiet) = (data.ReadPreprocessing(result), data.ReadRows(result), result.GetValue(data.Quiet));
        var options = Options(result);
        var explained = TargetsParser.Parse(result.GetValue(targets)!, classes);
        if (explained.Kind is TargetKind.Contrast or TargetKind.PredictedVersusRunnerUp) throw new InputException($"--targets {explained}: an evaluation follows the score of one output. Expected predicted, all, top:K, classes:A,B,… or label.");
        var graph = model.Compile(result, explained, classes.NamesOrNull);
        classes.Check(graph.OutputCount);
        using var rows = data.Open(result, terminal, graph, preprocessing);
        using var csvFile = result.GetValue(output) is { } csv ? new OutputFile("--out", csv) : null;
        using var plotFile = result.GetValue(plot) is { } png ? new OutputFile("--plot", png) : null;
        using var sink = Sink(graph, options, cancel);
        // Each row takes so many runs of its own that progress should come row by row.
        using var explainer = new Explainer(graph, result.GetValue(data.Batch) ?? 1);
        var summary = new Summary();
        var time = RunProgress.Show(terminal, quiet, progress => explainer.Run(rows, preprocessing, classes, RowRange.Of(limit), [summary, sink], progress, cancel));
        if (summary.Rows == 0) throw new InputException($"'{rows.Name}' holds no rows.");
        var evaluation = sink.Result();
        if (evaluation.Explanations == 0) throw new InputException($"'{rows.Name}': none of the {Words.Rows(evaluation.Rows)} has an explanation to judge. {summary.Warning()}");

        csvFile?.Write(stream => EvaluationTable.WriteCsv(stream, evaluation));
        plotFile?.Write(stream => EvaluationTable.Plot(stream, evaluation, Path.GetFileNameWithoutExtension(result.GetValue(model.Model)!), Path.GetFileName(rows.Name.TrimEnd('/', '\\'))));
        csvFile?.Complete();
        plotFile?.Complete();
        if (terminal.IsJson)
        {
            var json = EvaluationTable.ToJson(evaluation);
            (json["model"], json["data"], json["seconds"]) = (result.GetValue(model.Model), rows.Name, time.TotalSeconds);
            terminal.WriteJson(json);
            return ExitCodes.Success;
        }
        terminal.Out.MarkupLine($"[bold]{Markup.Escape(Path.GetFileName(result.GetValue(model.Model)!))}[/]: {Words.Count(evaluation.Explanations)} explanations of {Words.Rows(evaluation.Rows)} of {Markup.Escape(Path.GetFileName(rows.Name.TrimEnd('/', '\\')))}");
        EvaluationTable.Write(terminal.Out, evaluation, graph, result.GetValue(baseline)!);
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

    private static EvaluationSink Sink(LinearizationGraph graph, EvaluateOptions options, CancellationToken cancel)
    {
        try
        {
            return new(graph, options, cancel);
        }
        catch (ArgumentException e) when (options.ImageShape is { } shape && e.Message.Contains(nameof(options.ImageShape), StringComparison.Ordinal))
        {
            throw new InputException($"--image-shape {string.Join('x', shape)}: expected HxW, CxHxW or HxWxC (1 or 3 channels) of {Explainer.DataInput(graph).RowLength} values in all, such as 28x28.");
        }
        catch (InvalidOperationException e)
        {
            throw new InputException(e.Message);
        }
    }

    private static int[] Sizes(string text)
    {
        var sizes = text.Split('x').Select(s => int.TryParse(s, NumberStyles.None, CultureInfo.InvariantCulture, out var v) ? v : 0).ToArray();
        return sizes.All(s => s > 0) ? sizes : throw new InputException($"--image-shape '{text}': expected sizes with an x between, such as 28x28.");
    }
}
