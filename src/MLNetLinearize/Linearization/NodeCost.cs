using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Rules;

namespace MLNetLinearize.Linearization;

/// <summary>What a node costs and how it is linearized, for reports.</summary>
internal static class NodeCost
{
    public const string Constant = "constant";
    public const string Product = "product";
    public const string Smooth = "smooth";

    public static NodeReport Report(CanonicalNetwork network, NodeProto node, HashSet<string> active)
    {
        var shape = node.Output[0].Length > 0 && network.IsKnown(node.Output[0]) ? network.Shape(node.Output[0]).Dims : [];
        var rule = !node.Output.Any(active.Contains) ? Constant : Name(node, active);
        return new NodeReport(node.Name, node.Operator(), [.. shape.Select(d => checked((int)d))], rule, MultiplyAdds(network, node))
        {
            Inputs = [.. Graph.Reads(node).Where(i => !network.Graph.Initializers.ContainsKey(i))],
            Outputs = [.. node.Output.Where(o => o.Length > 0)],
        };
    }

    public static bool IsPiecewiseLinear(NodeProto node, HashSet<string> active) => Kind(node, active) is not (RuleKind.Smooth or RuleKind.Bilinear);

    private static string Name(NodeProto node, HashSet<string> active) => Kind(node, active) switch
    {
        RuleKind.Linear => "linear",
        RuleKind.PiecewiseLinear => "piecewise linear",
        RuleKind.Bilinear => Product,
        _ => Smooth,
    };

    /// <summary>A product with a constant is linear, and so is a quotient by one.</summary>
    private static RuleKind Kind(NodeProto node, HashSet<string> active)
    {
        var kind = RuleTable.Find(node)?.Kind ?? RuleKind.Constant;
        if (node.OpType is "ScatterElements" or "ScatterND") return Scattered.Kind(node, active.Contains(node.Input[2]));
        if (kind != RuleKind.Bilinear) return kind;
        if (node.OpType == "Einsum") return node.Input.Count(active.Contains) > 1 ? RuleKind.Bilinear : RuleKind.Linear;
        var (first, second) = (active.Contains(node.Input[0]), active.Contains(node.Input[1]));
        return second && (first || node.OpType == "Div") ? RuleKind.Bilinear : RuleKind.Linear;
    }

    /// <summary>Multiply-adds of one row; elementwise operators count one per output element.</summary>
    public static long MultiplyAdds(CanonicalNetwork network, NodeProto node)
    {
        if (!network.IsKnown(node.Output[0])) return 0;
        var output = network.Shape(node.Output[0]).Count;
        return node.OpType switch
        {
            "Conv" => output * network.Shape(node.Input[1]).Dims.Skip(1).Aggregate(1L, (a, d) => a * d),
            "ConvTranspose" => network.Shape(node.Input[0]).Count * network.Shape(node.Input[1]).Dims.Skip(1).Aggregate(1L, (a, d) => a * d),
            "Gemm" => output * network.Shape(node.Input[0]).Dims[node.Int("transA", 0) != 0 ? 0 : 1],
            "MatMul" => output * network.Shape(node.Input[0]).Dims[^1],
            "Reshape" or "Identity" or "Constant" or "Shape" => 0,
            _ => output,
        };
    }
}
