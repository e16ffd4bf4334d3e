using System.Text.Json.Nodes;
using Spectre.Console;

namespace MLNetLinearize.Cli.Output;

/// <summary>The tensors that <c>--from</c> and <c>--to</c> may name.</summary>
internal static class TensorTable
{
    /// <summary>For people.</summary>
    public static void Write(IAnsiConsole console, LinearizationGraph graph)
    {
        var table = new Table().Border(TableBorder.Simple);
        foreach (var name in new[] { "tensor", "made by", "operator", "shape", "every layer" }) table.AddColumn(new TableColumn(name) { NoWrap = true });
        foreach (var line in Lines(graph)) table.AddRow(Words.Markup(line.Tensor), Words.Markup(line.Node ?? ""), Words.Markup(line.Operator), Words.Markup(Words.Shape(line.Shape)), line.IsLayer ? "yes" : "");
        console.Write(table);
    }

    /// <summary>For programs.</summary>
    public static JsonArray ToJson(LinearizationGraph graph) => new([.. Lines(graph).Select(l => (JsonNode)new JsonObject
    {
        ["tensor"] = l.Tensor,
        ["madeBy"] = l.Node,
        ["operator"] = l.Operator,
        ["rowShape"] = new JsonArray([.. l.Shape.Select(d => (JsonNode)d)]),
        ["everyLayer"] = l.IsLayer,
    })]);

    private static IEnumerable<(string Tensor, string? Node, string Operator, IReadOnlyList<int> Shape, bool IsLayer)> Lines(LinearizationGraph graph)
    {
        var cuts = NetworkPart.Pieces(graph).Select(p => p.Nodes[^1].Outputs[0]).ToHashSet();
        foreach (var input in graph.ExplainedInputs) yield return (input.Name, null, "Input", input.RowShape, graph.ExplainedInputs.Count == 1);
        foreach (var node in graph.Report.Nodes.Where(n => n.Rule != "constant"))
            yield return (node.Outputs[0], node.Name, node.Operator, node.OutputShape, cuts.Contains(node.Outputs[0]));
    }
}
