using System.Text;
using MLNetLinearize.Onnx;
using MLNetLinearize.Rules;
using MLNetLinearize.Tests.Rules;

namespace MLNetLinearize.Tests.Documentation;

/// <summary>README's table of operators, written from the list of rules and the table of cases that checks them.</summary>
internal static class OperatorTable
{
    private static readonly (RuleKind Kind, string Title)[] Kinds =
    [
        (RuleKind.Linear, "Linear"),
        (RuleKind.PiecewiseLinear, "Piecewise linear"),
        (RuleKind.Bilinear, "Products (linear with one explained factor)"),
        (RuleKind.Smooth, "Smooth (tangent or frozen)"),
        (RuleKind.Constant, "Constant (their value goes to the bias)"),
    ];

    /// <summary>Operators with a VJP rule.</summary>
    public static IEnumerable<string> WithRule() => RuleTable.All.Where(r => r.Value.Apply is not null).Select(r => r.Key).Order(StringComparer.Ordinal);

    /// <summary>Number of cases by operator: those of its own, and networks that it is a part of.</summary>
    public static Dictionary<string, int> Cases() =>
        RuleCases.All.SelectMany(c => c.Build().Model.Graph.Node.Select(n => n.Operator()).Distinct()).GroupBy(op => op).ToDictionary(g => g.Key, g => g.Count());

    /// <summary>A node of an operator as the table names it.</summary>
    public static NodeProto Node(string op) => op.LastIndexOf('.') is >= 0 and var at ? new() { Domain = op[..at], OpType = op[(at + 1)..] } : new() { OpType = op };

    public static string Write()
    {
        var cases = Cases();
        var text = new StringBuilder("| operators | how (number of cases that check each) |\n|---|---|\n");
        foreach (var (kind, title) in Kinds)
        {
            var names = RuleTable.All.Where(r => r.Value.Kind == kind).Select(r => r.Key).Order(StringComparer.Ordinal);
            text.Append($"| {title} | {string.Join(", ", names.Select(n => kind == RuleKind.Constant || !cases.ContainsKey(n) ? n : $"{n} ({cases[n]})"))} |\n");
        }
        foreach (var refused in RuleTable.All.Where(r => r.Value.Kind == RuleKind.Refused).Select(r => r.Key).GroupBy(op => RuleTable.WhyNot(Node(op)).Reason))
            text.Append($"| Refused: {refused.Key} | {string.Join(", ", refused.Order(StringComparer.Ordinal))} |\n");
        return text.ToString().Trim();
    }
}
