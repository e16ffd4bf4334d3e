using MLNetLinearize.Onnx;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// Operators whose rule takes their parameters as constants, written out in simpler ones where a parameter depends on what is
/// explained, or a statistic is wanted as well. Equations: the ONNX specification of each.
/// </summary>
internal static class Composites
{
    public static bool CanWriteOut(NodeProto node) =>
        node.IsStandard() && (node.OpType is "PRelu" or "InstanceNormalization" or "LayerNormalization" || node.OpType == "BatchNormalization" && node.Int("training_mode", 0) == 0);

    /// <summary>The nodes that have to be written out.</summary>
    /// <param name="graph">The network.</param>
    /// <param name="explained">What is explained.</param>
    /// <param name="output">By which output.</param>
    public static HashSet<NodeProto> Find(Graph graph, IEnumerable<string> explained, string output)
    {
        var reached = ValueFlow.Reached(graph, explained, _ => false);
        var behind = ValueFlow.Behind(graph, output);
        return [.. graph.Nodes.Where(n => CanWriteOut(n) && (n.Input.Skip(1).Any(reached.Contains) || n.OpType == "LayerNormalization" && n.Output.Skip(1).Any(behind.Contains)))];
    }

    /// <param name="graph">The network; <paramref name="nodes"/> are replaced.</param>
    /// <param name="nodes">Nodes to write out.</param>
    /// <param name="shapes">Every tensor's dimensions for one row.</param>
    public static void WriteOut(Graph graph, HashSet<NodeProto> nodes, IReadOnlyDictionary<string, TensorFact> shapes) =>
        graph.Nodes = [.. graph.Nodes.SelectMany(n => nodes.Contains(n) ? Pieces(graph, n, shapes[n.Input[0]].Dims.Length) : [n])];

    private static List<NodeProto> Pieces(Graph graph, NodeProto node, int rank)
    {
        var to = new Replacement(graph, node);
        var x = node.Input[0];
        switch (node.OpType)
        {
            case "PRelu":
                return to.As(0, to.Op("Where", [to.Op("Less", [x, to.Scalar(0)]), to.Op("Mul", [x, node.Input[1]]), x]));
            case "BatchNormalization":
                var deviation = Root(to, PerChannel(to, node.Input[4], rank), node);
                var scaled = to.Op("Mul", [to.Op("Sub", [x, PerChannel(to, node.Input[3], rank)]), PerChannel(to, node.Input[1], rank)]);
                return to.As(0, to.Op("Add", [to.Op("Div", [scaled, deviation]), PerChannel(to, node.Input[2], rank)]));
            case "InstanceNormalization":
                var standard = Standardized(to, node, x, 2, rank).Value;
                return to.As(0, to.Op("Add", [to.Op("Mul", [standard, PerChannel(to, node.Input[1], rank)]), PerChannel(to, node.Input[2], rank)]));
            default:
                var axis = node.Int("axis", -1);
                var (value, mean, root) = Standardized(to, node, x, axis < 0 ? axis + rank : axis, rank);
                var y = to.Op("Mul", [value, node.Input[1]]);
                to.As(0, node.InputOrNull(2) is { } shift ? to.Op("Add", [y, shift]) : y);
                to.As(1, mean);
                return to.As(2, to.Op("Reciprocal", [root]));
        }
    }

    /// <summary>(x − mean) / √(variance + ε) over the axes from one on, with the statistics.</summary>
    private static (string Value, string Mean, string Root) Standardized(Replacement to, NodeProto node, string x, long from, int rank)
    {
        var axes = to.Ints([.. Enumerable.Range((int)from, rank - (int)from).Select(i => (long)i)]);
        var mean = to.Op("ReduceMean", [x, axes], ("keepdims", 1L));
        var centred = to.Op("Sub", [x, mean]);
        var root = Root(to, to.Op("ReduceMean", [to.Op("Mul", [centred, centred]), axes], ("keepdims", 1L)), node);
        return (to.Op("Div", [centred, root]), mean, root);
    }

    private static string Root(Replacement to, string variance, NodeProto node) => to.Op("Sqrt", [to.Op("Add", [variance, to.Scalar(node.Float("epsilon", 1e-5f))])]);

    /// <summary>A list of channels against [N, C, …].</summary>
    private static string PerChannel(Replacement to, string list, int rank) =>
        rank <= 2 ? list : to.Op("Unsqueeze", [list, to.Ints([.. Enumerable.Range(1, rank - 2).Select(i => (long)i)])]);
}
