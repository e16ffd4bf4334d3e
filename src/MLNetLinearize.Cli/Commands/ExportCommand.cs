using System.CommandLine;
using System.Text.Json.Nodes;
using Google.Protobuf;
using MLNetLinearize.Cli.Data;
using MLNetLinearize.Cli.Output;
using Spectre.Console;

namespace MLNetLinearize.Cli.Commands;

/// <summary><c>export</c>: writes the linearization graph.</summary>
internal sealed class ExportCommand(Terminal terminal)
{
    private readonly ModelOptions model = new();

    private readonly Argument<string> output = new("OUT") { Description = "The ONNX file to write." };

    private readonly Option<string> targets = new("--targets") { HelpName = "T", Description = $"Which outputs each row explains: {TargetsParser.Spellings}.", DefaultValueFactory = _ => "predicted" };

    private readonly Option<string?> classNames = new("--class-names") { HelpName = "FILE", Description = "Names of the network's outputs, one a line, for --targets." };

    public Command Create()
    {
        var command = new Command("export", "Write the explaining network as an ONNX file of its own: one run gives scores, contributions, bias, weights and error. It holds standard operators only and runs wherever ONNX runs.");
        model.AddTo(command);
        command.Add(output);
        command.Add(targets);
        command.Add(classNames);
        command.SetAction(Run);
        return command;
    }

    private int Run(ParseResult result)
    {
        var (modelFile, path) = (result.GetValue(model.Model)!, result.GetValue(output)!);
        Paths.Check([.. model.Files(result), .. model.ExternalFiles(result), new("--class-names", result.GetValue(classNames))], new NamedPath("OUT", path));
        var classes = result.GetValue(classNames) is { } file ? ClassNames.Read(file) : ClassNames.None;
        var graph = model.Compile(result, TargetsParser.Parse(result.GetValue(targets)!, classes), classes.NamesOrNull);
        classes.Check(graph.OutputCount);
        using (var written = new OutputFile("OUT", path))
        {
            written.Write(graph.Model.WriteTo);
            written.Complete();
        }
        if (terminal.IsJson)
        {
            terminal.WriteJson(new()
            {
                ["model"] = modelFile,
                ["out"] = path,
                ["bytes"] = new FileInfo(path).Length,
                ["opset"] = graph.Report.Opset,
                ["inputs"] = Json(Inputs(graph)),
                ["outputs"] = Json(Outputs(graph)),
                ["notes"] = new JsonArray([.. graph.Report.Notes.Select(n => (JsonNode)n)]),
            });
            return ExitCodes.Success;
        }
        terminal.Out.WriteLine($"{path}: {Words.Count(new FileInfo(path).Length)} bytes (the model: {Words.Count(new FileInfo(modelFile).Length)}), opset {graph.Report.Opset}");
        terminal.Out.Write(Tensors("inputs", Inputs(graph)));
        terminal.Out.Write(Tensors("outputs", Outputs(graph)));
        foreach (var note in graph.Report.Notes) terminal.Out.WriteLine($"Note: {note}");
        return ExitCodes.Success;
    }

    private static IEnumerable<(string Name, string Type, string Shape)> Inputs(LinearizationGraph graph) => graph.Inputs.Select(i => (i.Name, i.ElementType.Name, Shape(i.HasBatchAxis && !graph.IsRowByRow, i.RowShape)));

    private static JsonArray Json(IEnumerable<(string Name, string Type, string Shape)> tensors) => new([.. tensors.Select(t => (JsonNode)new JsonObject { ["name"] = t.Name, ["type"] = t.Type, ["shape"] = t.Shape })]);

    private static IEnumerable<(string Name, string Type, string Shape)> Outputs(LinearizationGraph graph)
    {
        var (k, batched) = (graph.TargetCount, !graph.IsRowByRow);
        yield return (OutputNames.Score, "Single", Shape(batched, [graph.OutputCount]));
        yield return (OutputNames.ExplainedTarget, "Int64", Shape(batched, [k]));
        yield return (OutputNames.Bias, "Single", Shape(batched, [k]));
        foreach (var input in graph.ExplainedInputs)
        {
            yield return (graph.WeightsOf(input), "Single", Shape(batched, [k, .. input.RowShape]));
            yield return (graph.AttributionOf(input), "Single", Shape(batched, [k, .. input.RowShape]));
        }
        yield return (OutputNames.ExplainedScore, "Single", Shape(batched, [k]));
        yield return (OutputNames.LinearizationError, "Single", Shape(batched, [k]));
    }

    private static Table Tensors(string heading, IEnumerable<(string Name, string Type, string Shape)> tensors)
    {
        var table = new Table().Border(TableBorder.Simple).AddColumns(heading, "type", "shape");
        foreach (var (name, type, shape) in tensors) table.AddRow(Words.Markup(name), type, Words.Markup(shape));
        return table;
    }

    private static string Shape(bool batched, IEnumerable<int> rowShape) => $"[{(batched ? "N" : "1")}, {string.Join(", ", rowShape)}]";
}
