using System.CommandLine;
using System.Globalization;
using MLNetLinearize.Cli.Output;
using Spectre.Console;

namespace MLNetLinearize.Cli.Commands;

/// <summary><c>verify</c>: how exactly the parts add up to the score, on data.</summary>
internal sealed class VerifyCommand(Terminal terminal)
{
    private readonly ModelOptions model = new();
    private readonly DataOptions data = new();

    private readonly Option<string> targets = new("--targets") { HelpName = "T", Description = $"Which outputs each row checks: {TargetsParser.Spellings}.", DefaultValueFactory = _ => "predicted" };

    private readonly Option<string> tolerance = new("--tolerance") { HelpName = "E", Description = "Largest error accepted, of |F − (Σ attribution + bias)| / max(1, |F|).", DefaultValueFactory = _ => "1e-5" };

    public Command Create()
    {
        var command = new Command("verify", "Check on your own data that contributions and bias add up to the score, and that the score is the model's own. Exit code 3 when they do not, for use in scripts.");
        model.AddTo(command);
        data.AddTo(command);
        command.Add(targets);
        command.Add(tolerance);
        command.SetAction((result, cancel) => Task.Run(() => Run(result, cancel), cancel));
        return command;
    }

    private int Run(ParseResult result, CancellationToken cancel)
    {
        Paths.Check([.. model.Files(result), .. data.Files(result)]);
        var text = result.GetValue(tolerance)!;
        if (!double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var most) || !(most >= 0)) throw new InputException($"--tolerance '{text}': expected a number of 0 or more, such as 1e-5.");
        var classes = data.ReadClassNames(result);
        var (preprocessing, limit, quiet, modelFile) = (data.ReadPreprocessing(result), data.ReadRows(result), result.GetValue(data.Quiet), result.GetValue(model.Model)!);
        var graph = model.CompileForData(result, TargetsParser.Parse(result.GetValue(targets)!, classes), classes.NamesOrNull);
        classes.Check(graph.OutputCount);
        using var rows = data.Open(result, terminal, graph, model.Parts, preprocessing);
        var missing = data.ReadMissing(result, graph);
        using var explainer = new Explainer(graph, result.GetValue(data.Batch)) { HasClasses = model.HasClasses };
        using var own = new OwnScores(modelFile, graph, model.Parts, most);
        var summary = new Summary();
        var time = RunProgress.Show(terminal, quiet, progress => explainer.Run(rows, preprocessing, missing, classes, RowRange.Of(limit), [summary, own], progress, cancel));
        if (summary.Rows == 0) throw new InputException($"'{rows.Name}' holds no rows.");

        // Not "> most": NaN must fail.
        var (sumFails, scoreFails) = (!(summary.Errors.Scaled.Worst <= most), !(own.Differences.Worst <= most));
        var failed = sumFails || scoreFails;
        var code = failed ? ExitCodes.CheckFailed : ExitCodes.Success;
        if (terminal.IsJson)
        {
            var json = summary.ToJson();
            json["model"] = modelFile;
            json["data"] = rows.Name;
            json["scoresAgainstTheModel"] = Summary.ToJson(own.Differences);
            if (own.Stepped.Rows > 0) json["rowsAStepOff"] = own.Stepped.Rows;
            json["tolerance"] = most;
            json["passed"] = !failed;
            json["seconds"] = time.TotalSeconds;
            terminal.WriteJson(json);
            return code;
        }
        var sum = $"row {summary.Errors.WorstRow}, output {classes[summary.Errors.WorstTarget]}";
        Write(summary, own, sum);
        foreach (var note in new[] { rows.Note, missing.Told is { } told ? $"missing: {told}" : null }.OfType<string>().Concat(graph.Report.Notes)) terminal.Out.WriteLine($"Note: {note}");
        if (!quiet) terminal.Error.WriteLine($"{Words.Rows(summary.Rows)} in {time.TotalSeconds:0.00} s");
        if (sumFails) terminal.Out.WriteLine($"The sum is off most in {sum}.");
        if (scoreFails) terminal.Out.WriteLine($"The score differs most from the model's own in row {own.Worst.Row}, output {classes[own.Worst.Output]}.");
        if (own.Stepped.Rows > 0)
            terminal.Out.WriteLine($"Note: in {Words.Rows(own.Stepped.Rows)} {Words.Count(own.Stepped.Numbers)} of {Words.Count(own.Stepped.Of)} quantized numbers lie within float32's rounding of a step's edge and are a step off the model's own, which moves scores by up to {Words.Error(own.Stepped.Largest)} of the row's largest. ONNX Runtime's own integer kernels, which it puts in place of the model's operators unless it is told not to, move them further.");
        terminal.Out.MarkupLine(failed ? $"[red]FAILED[/]: above the tolerance of {Words.Error(most)}." : $"[green]OK[/]: within the tolerance of {Words.Error(most)}.");
        return code;
    }

    private void Write(Summary summary, OwnScores own, string worst)
    {
        var errors = summary.Errors;
        var table = new Table().Border(TableBorder.Simple).AddColumn("").AddColumns("worst", "99th percentile", "median", "values");
        foreach (var column in table.Columns.Skip(1)) column.RightAligned();
        Row("|F − (Σ attribution + bias)| / max(1, |F|)", errors.Scaled);
        Row("|F − (Σ attribution + bias)|", errors.Absolute);
        Row($"|F − (Σ attribution + bias)| / |F|, where |F| ≥ {Words.Plain(ErrorStatistics.RelativeFrom)}", errors.Relative);
        Row("|score − the model's own score| / the row's largest |score|", own.Differences);
        terminal.Out.WriteLine($"{Words.Rows(summary.Rows)}; worst: {worst}");
        terminal.Out.Write(table);
        if (summary.NotFinite > 0) terminal.Out.WriteLine($"Warning: {summary.Warning()}");

        void Row(string name, LogQuantiles q) => table.AddRow(Words.Markup(name), q.Count == 0 ? "–" : Words.Error(q.Worst), q.Count == 0 ? "–" : Words.Error(q.Quantile(0.99)), q.Count == 0 ? "–" : Words.Error(q.Quantile(0.5)), Words.Count(q.Count));
    }
}
