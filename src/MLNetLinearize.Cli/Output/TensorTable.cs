using Spectre.Console;

namespace MLNetLinearize.Cli.Output;

/// <summary>The tensors that <c>--from</c> and <c>--to</c> may name.</summary>
internal static class TensorTable
{
    public static void Write(IAnsiConsole console, LinearizationGraph graph)
    {
        var cuts = NetworkPart.Pieces(graph).Select(p => p.Nodes[^1].Outputs[0]).ToHashSet();
        var table = new Table().Border(TableBorder.Simple);
        foreach (var name in new[] { "tensor", "made by", "operator", "shape", "every layer" }) table.AddColumn(new TableColumn(name) { NoWrap = true });
        foreach (var input in graph.ExplainedInputs) table.AddRow(Markup.Escape(input.Name), "", "Input", Markup.Escape(Words.Shape(input.RowShape)), graph.ExplainedInputs.Count == 1 ? "yes" : "");
        foreach (var node in graph.Report.Nodes.Where(n => n.Rule != "constant"))
            table.AddRow(Markup.Escape(node.Outputs[0]), Markup.Escape(node.Name), Markup.Escape(node.Operator), Markup.Escape(Words.Shape(node.OutputShape)), cuts.Contains(node.Outputs[0]) ? "yes" : "");
        console.Write(table);
    }
}
