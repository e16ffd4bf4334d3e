using System.Text;

namespace MLNetLinearize;

/// <summary>The model holds operators that cannot be linearized. The message lists all of them, why, and the nearest remedy.</summary>
public sealed class UnsupportedOperatorException : Exception
{
    internal UnsupportedOperatorException(IReadOnlyList<UnsupportedNode> nodes) : base(Write(nodes)) => Nodes = nodes;

    /// <summary>Every offending node, in graph order.</summary>
    public IReadOnlyList<UnsupportedNode> Nodes { get; }

    private static string Write(IReadOnlyList<UnsupportedNode> nodes)
    {
        var text = new StringBuilder($"The model cannot be linearized: {nodes.Count} node{(nodes.Count == 1 ? "" : "s")} on the way from the explained input to the explained output {(nodes.Count == 1 ? "has" : "have")} no rule.");
        foreach (var group in nodes.GroupBy(n => (n.Operator, n.Opset, n.Reason, n.Remedy)))
        {
            text.Append($"\n  {Printable.Text(group.Key.Operator)} (opset {group.Key.Opset}): {string.Join(", ", group.Select(n => $"'{Printable.Text(n.Name)}'"))}");
            text.Append($"\n    why: {Printable.Text(group.Key.Reason)}");
            text.Append($"\n    remedy: {Printable.Text(group.Key.Remedy)}");
        }
        return text.ToString();
    }
}

/// <summary>One node that cannot be linearized.</summary>
/// <param name="Name">The node's name, else the name of its first output.</param>
/// <param name="Operator">Operator type, with its domain unless it is the default one.</param>
/// <param name="Opset">Version of the operator set the model asks for.</param>
/// <param name="Reason">Why it cannot be linearized.</param>
/// <param name="Remedy">What the user can do.</param>
public sealed record UnsupportedNode(string Name, string Operator, long Opset, string Reason, string Remedy);
