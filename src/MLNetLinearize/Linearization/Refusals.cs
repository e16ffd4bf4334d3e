using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Rules;

namespace MLNetLinearize.Linearization;

/// <summary>Finds every node that has no rule, before anything is run, so that the user hears of all of them at once.</summary>
internal static class Refusals
{
    public static void Check(Graph graph, string output, IReadOnlyList<string> explained, long opset)
    {
        var behind = ValueFlow.Behind(graph, output);
        var reached = ValueFlow.Reached(graph, explained, RuleTable.Stops);
        var constant = ValueFlow.ValueIndependent(graph);
        var refused = new List<UnsupportedNode>();
        foreach (var node in graph.Nodes.Where(n => n.Output.Any(behind.Contains)))
        {
            var active = Graph.Reads(node).Any(reached.Contains) && !RuleTable.Stops(node);
            if (ShapeFromData(node, constant) is { } shaped)
            {
                refused.Add(node.Unsupported(opset, shaped));
                continue;
            }
            // A foreign operator cannot even be run; one that only makes constants of the row still has to be.
            if (active || !node.IsStandard() && !node.Output.All(constant.Contains))
            {
                if (Objection(graph, node, reached) is { } why) refused.Add(node.Unsupported(opset, why));
            }
        }
        if (refused.Count > 0) throw new UnsupportedOperatorException(refused);
    }

    /// <summary>
    /// A shape that the row's values decide cannot be taken from a probe, wherever it stands on the way to the output.
    /// </summary>
    private static (string, string)? ShapeFromData(NodeProto node, HashSet<string> constant)
    {
        if (!node.IsStandard()) return null;
        if (ValueFlow.IsRandom(node)) return RuleTable.WhyNot(node);
        if (node.OpType is "NonZero" or "NonMaxSuppression" or "Unique" && !Graph.Reads(node).All(constant.Contains)) return RuleTable.WhyNot(node);
        for (var i = 0; i < node.Input.Count; i++)
            if (node.Input[i].Length > 0 && IsShapeOperand(node.OpType, i) && !constant.Contains(node.Input[i]))
                return ($"its input {i} '{node.Input[i]}' is computed from the row, so that shapes depend on the data", "export the model so that it is a constant");
        return null;
    }

    private static bool IsShapeOperand(string op, int input) => op switch
    {
        "Reshape" or "Expand" or "TopK" or "Tile" or "Unsqueeze" or "Squeeze" or "Split" or "OneHot" or "Compress" or "CenterCropPad" or "AffineGrid" => input == 1,
        _ when op.StartsWith("Reduce", StringComparison.Ordinal) => input == 1,
        "Range" or "ConstantOfShape" => true,
        "Slice" => input >= 1,
        "Pad" => input is 1 or 3,
        "Resize" or "MaxUnpool" => input >= 2,
        _ => false,
    };

    /// <summary>Why a node that <paramref name="reached"/> tensors go into has no rule, and the remedy; null where it has.</summary>
    public static (string Reason, string Remedy)? Objection(Graph graph, NodeProto node, HashSet<string> reached)
    {
        var rule = RuleTable.Find(node);
        var (known, isComputed) = (graph.Objection(node), Expansions.TakesComputedParameters(node));
        if (known is not null && (!isComputed || ComputedParameters.IsTraining(node))) return known;
        if (rule is null || rule.Kind == RuleKind.Refused) return RuleTable.WhyNot(node);
        if (rule.Objection?.Invoke(node) is { } objection) return objection;
        if (rule.Differentiates is not { } inputs) return null;
        for (var i = 0; i < node.Input.Count; i++)
            if (!inputs.Contains(i) && rule.IsFlatIn?.Invoke(node, i) != true && reached.Contains(node.Input[i]))
                return isComputed ? known : ($"its input {i} '{node.Input[i]}' depends on what is explained, and the operator is linearized for parameters of the row only", "export the model with that input as a constant, or " + RuleTable.ExplainFromHere);
        return null;
    }
}
