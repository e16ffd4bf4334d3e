using Spectre.Console;

namespace MLNetLinearize.Cli.Output;

/// <summary>A network as a tree: its parts in order, with shapes, rules and shares of the cost; what repeats is told once.</summary>
internal sealed class NetworkTree
{
    private const int Indent = 4, MostLines = 60;
    private readonly List<Line> lines = [];
    private readonly Tree tree;
    private readonly long total;

    public NetworkTree(LinearizationGraph graph)
    {
        total = graph.Report.Nodes.Sum(n => n.MultiplyAdds);
        tree = new Tree(Words.Markup(string.Join(", ", graph.ExplainedInputs.Select(i => $"{i.Name} {Words.Shape(i.RowShape)}")))).Guide(TreeGuide.Line);
        Add(tree, NetworkPart.Of(graph), 1);
        var constant = graph.Report.Nodes.Count(n => n.Rule == "constant");
        if (constant > 0) lines.Add(new(tree, 1, $"{(lines.Count > 0 ? "and " : "")}{Words.Number(constant, "node")} of shapes, masks and constants, which no contribution passes through", ["", "", "", "", ""], ""));
    }

    public void Write(IAnsiConsole console)
    {
        // Spectre's trees have no columns: the texts are padded to the widest.
        var left = lines.Where(l => l.Cells[0].Length > 0).Select(Left).DefaultIfEmpty().Max();
        int[] widths = [.. Enumerable.Range(0, 5).Select(c => lines.Select(l => l.Cells[c].Length).DefaultIfEmpty().Max())];
        var nodes = new Dictionary<IHasTreeNodes, IHasTreeNodes>();
        foreach (var line in lines)
        {
            nodes[line.Node] = (nodes.TryGetValue(line.Parent, out var parent) ? parent : tree).AddNode(line.Cells[0].Length == 0 ? $"[grey]{Words.Markup(line.Text)}[/]" : Text(line));
        }
        console.WriteLine();
        console.Write(tree);

        // Only of a line with cells: one without may be longer than all that have some.
        string Text(Line line)
        {
            var cells = line.Cells.Select((cell, c) => c < 3 ? cell.PadRight(widths[c]) : cell.PadLeft(widths[c])).ToArray();
            return $"{Words.Markup(line.Text.PadRight(left - Indent * line.Depth))}   {Words.Markup(cells[0])}   [grey]{Words.Markup(cells[1])}[/]   {line.Color}{Words.Markup(cells[2])}{(line.Color.Length > 0 ? "[/]" : "")}   {cells[3]}   {cells[4]}";
        }

        static int Left(Line line) => line.Text.Length + Indent * line.Depth;
    }

    private void Add(IHasTreeNodes parent, IReadOnlyList<NetworkPart> parts, int depth)
    {
        foreach (var part in parts.Take(MostLines))
        {
            var line = new Line(parent, depth, part.Name, Cells(part), part.Rule is "smooth" or "product" ? "[yellow]" : "");
            lines.Add(line);
            Add(line.Node, part.Parts, depth + 1);
        }
        if (parts.Count > MostLines) lines.Add(new(parent, depth, $"and {Words.Number(parts.Count - MostLines, "part")} more; --tensors lists them all", ["", "", "", "", ""], ""));
    }

    private string[] Cells(NetworkPart part)
    {
        var what = part.Nodes.Count == 1 ? part.Nodes[0].Operator : $"{part.Nodes.Count} nodes";
        return
        [
            part.Times > 1 ? $"{part.Times} × {what}" : what,
            Words.Shape(part.Nodes[^1].OutputShape),
            part.RuleAndReading,
            Words.Large(part.MultiplyAdds),
            total == 0 || part.MultiplyAdds == 0 ? "" : Words.Percent((double)part.MultiplyAdds / total),
        ];
    }

    /// <summary>One line: under which node it hangs, and what stands in it: operator, shape, rule, multiply-adds, share.</summary>
    private sealed record Line(IHasTreeNodes Parent, int Depth, string Text, string[] Cells, string Color)
    {
        /// <summary>Stands for the line where others hang under it.</summary>
        public IHasTreeNodes Node { get; } = new Tree("");
    }
}
