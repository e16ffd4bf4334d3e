using Spectre.Console;

namespace MLNetLinearize.Cli.Output;

/// <summary>What stands in the way of an explanation, why, and how to get round it; nodes that share all that are told together.</summary>
internal static class RefusalTree
{
    private const int MostNames = 5;

    public static void Write(IAnsiConsole console, UnsupportedOperatorException refusal)
    {
        var tree = new Tree("in the way").Guide(TreeGuide.Line);
        foreach (var same in refusal.Nodes.GroupBy(n => (n.Operator, n.Opset, n.Reason, n.Remedy)))
        {
            var names = string.Join(", ", same.Take(MostNames).Select(n => $"'{n.Name}'")) + (same.Count() > MostNames ? $" and {Words.Count(same.Count() - MostNames)} more" : "");
            var node = tree.AddNode($"[red]{Words.Markup(same.Key.Operator)}[/] (opset {same.Key.Opset}): {Words.Markup(names)}");
            node.AddNode($"why: {Words.Markup(same.Key.Reason)}");
            node.AddNode($"remedy: {Words.Markup(OptionWords.Of(same.Key.Remedy))}");
        }
        console.WriteLine();
        console.Write(tree);
    }
}
