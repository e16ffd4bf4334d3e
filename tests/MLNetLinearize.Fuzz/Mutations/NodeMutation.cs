using MLNetLinearize.Onnx;
using MLNetLinearize.Rules;

namespace MLNetLinearize.Fuzz.Mutations;

/// <summary>Nodes that read and make other tensors, are other operators, stand elsewhere, twice or not at all.</summary>
internal static class NodeMutation
{
    private static readonly string[] Operators = [.. RuleTable.All.Keys.Order(StringComparer.Ordinal)];
    private static readonly string[] Others =
        ["Loop", "If", "Scan", "Constant", "SequenceConstruct", "SequenceAt", "Optional", "Nothing", "", "com.microsoft.Attention"];

    public static string Apply(GraphProto graph, Random random)
    {
        if (graph.Node.Count == 0) return "no node to change";
        var at = random.Next(graph.Node.Count);
        var node = graph.Node[at];
        var what = node.Describe();
        switch (random.Next(8))
        {
            case 0:
            case 1:
                return $"{what}: inputs {Names(node.Input, graph, random)}";
            case 2:
                return $"{what}: outputs {Names(node.Output, graph, random)}";
            case 3:
            case 4:
                return $"{what} is {Become(node, random)}";
            case 5:
                graph.Node.RemoveAt(at);
                graph.Node.Insert(random.Next(graph.Node.Count + 1), node);
                return $"{what} moved";
            case 6:
                graph.Node.RemoveAt(at);
                return $"{what} removed";
            default:
                var copy = node.Clone();
                for (var i = 0; i < copy.Output.Count; i++) copy.Output[i] += random.Next(4) == 0 ? "" : "'";
                graph.Node.Insert(at + 1, copy);
                return $"{what} twice";
        }
    }

    private static string Become(NodeProto node, Random random)
    {
        var op = random.Next(5) == 0 ? Draws.Of(random, Others) : Draws.Of(random, Operators);
        var dot = op.LastIndexOf('.');
        (node.Domain, node.OpType) = dot < 0 ? ("", op) : (op[..dot], op[(dot + 1)..]);
        return op;
    }

    private static string Names(Google.Protobuf.Collections.RepeatedField<string> names, GraphProto graph, Random random)
    {
        var other = Draws.Tensor(graph, random);
        var at = names.Count == 0 ? 0 : random.Next(names.Count);
        switch (names.Count == 0 ? 5 : random.Next(7))
        {
            case 0:
                names.RemoveAt(at);
                return $"without {at}";
            case 1:
                names.Insert(at, names[at]);
                return $"{at} twice";
            case 2:
                names[at] = "";
                return $"{at} left out";
            case 3:
                var with = random.Next(names.Count);
                (names[at], names[with]) = (names[with], names[at]);
                return $"{at} and {with} swapped";
            case 4:
            case 6:
                names[at] = other;
                return $"{at} is '{Draws.Shown(other)}'";
            default:
                names.Add(other);
                return $"with '{Draws.Shown(other)}' besides";
        }
    }
}
