using System.CommandLine;
using System.Diagnostics;
using MLNetLinearize.Cli.Output;
using Spectre.Console;

namespace MLNetLinearize.Cli.Commands;

/// <summary><c>inspect</c>: can this network be linearized, and at what cost.</summary>
internal sealed class InspectCommand(Terminal terminal)
{
    private readonly ModelOptions model = new();

    private readonly Option<string> targets = new("--targets") { HelpName = "T", Description = $"Which outputs each row explains, for the cost of it: {TargetsParser.Spellings}. Classes by index.", DefaultValueFactory = _ => "predicted" };

    private readonly Option<bool> tensors = new("--tensors") { Description = "List the tensors that --from and --to may name, instead of the tree." };

    public Command Create()
    {
        var command = new Command("inspect", "Tell whether a network can be explained, node by node: by which rule, at what cost, or what stands in the way and how to get round it. Needs no data.");
        model.AddTo(command);
        command.Add(targets);
        command.Add(tensors);
        command.SetAction(Run);
        return command;
    }

    private int Run(ParseResult result)
    {
        Paths.Check(model.Files(result));
        var file = result.GetValue(model.Model)!;
        try
        {
            var kind = TargetsParser.Parse(result.GetValue(targets)!, Data.ClassNames.None);
            var (clock, before) = (Stopwatch.StartNew(), Environment.CpuUsage.TotalTime);
            var graph = model.Compile(result, kind, keepsSession: true);
            using var session = graph.Open();
            if (terminal.IsJson) terminal.WriteJson(InspectJson.Of(file, graph, result.GetValue(tensors)));
            else Write(file, graph, [.. CostReport.Facts(session, clock.Elapsed, Environment.CpuUsage.TotalTime - before)], result.GetValue(tensors));
            return ExitCodes.Success;
        }
        catch (UnsupportedOperatorException e)
        {
            if (terminal.IsJson) terminal.WriteJson(InspectJson.Of(file, e));
            else WriteRefusal(file, e);
            return ExitCodes.ModelRefused;
        }
        catch (ModelRefusedException e)
        {
            if (terminal.IsJson)
            {
                terminal.WriteJson(InspectJson.Refused(file, OptionWords.Of(e.Message)));
                return ExitCodes.ModelRefused;
            }
            terminal.Out.MarkupLine($"[bold]{Words.Markup(Path.GetFileName(file))}[/] [red]cannot be linearized[/].");
            terminal.Out.WriteLine(OptionWords.Of(e.Message));
            return ExitCodes.ModelRefused;
        }
    }

    private void Write(string file, LinearizationGraph graph, IEnumerable<(string Name, string Value)> cost, bool listTensors)
    {
        terminal.Out.MarkupLine($"[bold]{Words.Markup(Path.GetFileName(file))}[/] can be linearized.");
        terminal.Out.WriteLine();
        var facts = new Grid().AddColumn(new GridColumn().NoWrap().PadRight(3)).AddColumn();
        foreach (var (name, value) in Facts(graph).Concat(cost).Concat(graph.Report.Notes.Select(n => ("note", n)))) facts.AddRow($"[grey]{name}[/]", Words.Markup(value));
        terminal.Out.Write(facts);
        if (listTensors) TensorTable.Write(terminal.Out, graph);
        else new NetworkTree(graph).Write(terminal.Out);
    }

    private static IEnumerable<(string Name, string Value)> Facts(LinearizationGraph graph)
    {
        var report = graph.Report;
        foreach (var input in graph.Inputs)
            yield return ("input", $"'{input.Name}', {input.ElementType.Name} {Shape(input)}{(input.IsExplained ? "" : ", a constant of the row")}");
        foreach (var input in graph.ExplainedInputs.Where(i => graph.Inputs.All(g => g.Name != i.Name)))
            yield return ("explained by", $"inner tensor '{input.Name}', {Shape(input)}");
        yield return ("explained output", $"'{report.ExplainedOutput}', {Words.Number(graph.OutputCount, "score")} a row{(report.CutActivation is { } cut ? $"; the final {cut} is cut, so the score is the logit" : "")}");
        yield return ("runs", report.RowByRowReason is { } reason ? $"row by row: {reason}" : "in batches of any size");
        yield return ("kind", report.IsPiecewiseLinear ? "piecewise linear: the same map holds in the whole linear region around a row" : $"smooth in places, read as --nonlinearity {report.Nonlinearity.ToString().ToLowerInvariant()} says");
        yield return ("opset", report.OriginalOpset == report.Opset ? $"{report.Opset}" : $"{report.OriginalOpset}, raised to {report.Opset}");
    }

    private void WriteRefusal(string file, UnsupportedOperatorException e)
    {
        terminal.Out.MarkupLine($"[bold]{Words.Markup(Path.GetFileName(file))}[/] [red]cannot be linearized[/]: {e.Nodes.Count} node{(e.Nodes.Count == 1 ? " stands" : "s stand")} in the way.");
        RefusalTree.Write(terminal.Out, e);
    }

    private static string Shape(GraphInput input) => $"[{(input.HasBatchAxis ? "N, " : "")}{string.Join(", ", input.RowShape)}]";
}
