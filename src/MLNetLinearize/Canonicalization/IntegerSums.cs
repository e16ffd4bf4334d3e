using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// What is computed in 32-bit integers from a product of small ones, until it is made float: sums, products and moves, which
/// come to the same in float numbers. They are exact below 2²⁴, as the conversion to float is that comes anyway.
/// </summary>
internal static class IntegerSums
{
    /// <summary>Operators that are the same map of integers as of float numbers, with the inputs that are such numbers; all when empty.</summary>
    private static readonly Dictionary<string, int[]> Exact = new(StringComparer.Ordinal)
    {
        ["Add"] = [],
        ["Sub"] = [],
        ["Mul"] = [],
        ["Neg"] = [],
        ["Sum"] = [],
        ["MatMul"] = [],
        ["Max"] = [],
        ["Min"] = [],
        ["Abs"] = [],
        ["Relu"] = [],
        ["Clip"] = [],
        ["Identity"] = [],
        ["Concat"] = [],
        ["Transpose"] = [],
        ["Where"] = [1, 2],
        ["Reshape"] = [0],
        ["Flatten"] = [0],
        ["Squeeze"] = [0],
        ["Unsqueeze"] = [0],
        ["Split"] = [0],
        ["Slice"] = [0],
        ["Expand"] = [0],
        ["Tile"] = [0],
        ["Gather"] = [0],
        ["ReduceSum"] = [0],
        ["ReduceMax"] = [0],
        ["ReduceMin"] = [0],
        ["Pad"] = [0, 2],
    };

    /// <summary>Why a product cannot be computed in float; null where it can.</summary>
    public static (string Reason, string Remedy)? Objection(Graph graph, string product)
    {
        var reached = ValueFlow.Reached(graph, [product], n => !Stays(n));
        return graph.Nodes.FirstOrDefault(n => Graph.Reads(n).Any(reached.Contains) && !(Stays(n) ? TakesNumbers(n, reached) : Ends(n))) is { } other
            ? ($"its 32-bit integers go into {other.Describe()}, which has no slope between integers, before they become float", "export the model with QuantizeLinear and DequantizeLinear around float operators")
            : null;
    }

    /// <summary>Writes what follows <paramref name="products"/>, which are float now, in float: other operands are made float as well, and what reads integers gets them back.</summary>
    public static void Apply(Graph graph, IReadOnlyCollection<string> products)
    {
        var reached = ValueFlow.Reached(graph, products, n => !Stays(n));
        graph.Nodes = [.. graph.Nodes.SelectMany(n => Graph.Reads(n).Any(reached.Contains) ? InFloat(graph, n, reached) : [n])];
    }

    private static List<NodeProto> InFloat(Graph graph, NodeProto node, HashSet<string> reached)
    {
        if (node.OpType == "Cast")
        {
            if (Stays(node)) node.Set("to", (long)DataType.Float);
            return [node];
        }
        var (isFloat, nodes) = (Stays(node), new List<NodeProto>());
        for (var i = 0; i < node.Input.Count; i++)
        {
            if (node.Input[i].Length == 0 || (isFloat ? !IsNumber(node, i) || reached.Contains(node.Input[i]) : !reached.Contains(node.Input[i]))) continue;
            var cast = graph.Fresh($"{node.Name}/{(isFloat ? "float" : "integer")}{i}");
            nodes.Add(Nodes.Create("Cast", [node.Input[i]], [cast], graph.Fresh(cast), ("to", (long)(isFloat ? DataType.Float : DataType.Int32))));
            node.Input[i] = cast;
        }
        nodes.Add(node);
        return nodes;
    }

    private static bool Stays(NodeProto node) => node.IsStandard() && (Exact.ContainsKey(node.OpType) || node.OpType == "Cast" && (DataType)node.Int("to", 1) is DataType.Int32 or DataType.Int64);

    /// <summary>Whether the integers end at the node: it makes them float, or nothing varies smoothly behind it.</summary>
    private static bool Ends(NodeProto node) => Rules.RuleTable.Find(node)?.Kind == Rules.RuleKind.Constant && node.OpType != "BitShift"
        || node.IsStandard() && node.OpType == "Cast" && (DataType)node.Int("to", 1) is DataType.Float or DataType.Double or DataType.Float16 or DataType.Bfloat16 or DataType.Bool;

    private static bool TakesNumbers(NodeProto node, HashSet<string> reached) => !node.Input.Where((name, i) => reached.Contains(name) && !IsNumber(node, i)).Any();

    private static bool IsNumber(NodeProto node, int i) => Exact.GetValueOrDefault(node.OpType) is not { Length: > 0 } numbers || numbers.Contains(i);
}
