using MLNetLinearize.Onnx;

namespace MLNetLinearize.Rules;

/// <summary>
/// Recognizes factors that weigh another factor rather than carry content: what comes, through shape operators and
/// broadcasts, from Softmax, Sigmoid, HardSigmoid or Tanh, or from the statistics of a normaliser (a root or power of a
/// mean or sum over axes).
/// </summary>
internal static class Gates
{
    public static bool IsGate(Graph graph, string tensor)
    {
        var (root, statistic) = (false, false);
        for (var node = Producer(graph, tensor); node is not null; node = Producer(graph, tensor))
        {
            if (!node.IsStandard()) return false;
            switch (node.OpType)
            {
                case "Softmax" or "Sigmoid" or "HardSigmoid" or "Tanh":
                    return !statistic;
                case "Reshape" or "Transpose" or "Expand" or "Identity" or "Slice" or "Split" or "Cast":
                    break;
                // From here on only a statistic can follow: √(mean + ε) and its like.
                case "Reciprocal" or "Clip":
                    statistic = true;
                    break;
                case "Sqrt" or "Pow":
                    root = statistic = true;
                    break;
                case "Add" or "Max" when graph.Initializers.ContainsKey(node.Input[1]):
                    statistic = true;
                    break;
                case "Add" or "Max" when graph.Initializers.ContainsKey(node.Input[0]):
                    statistic = true;
                    tensor = node.Input[1];
                    continue;
                case "ReduceL2":
                    return true;
                case "ReduceMean" or "ReduceSum" or "ReduceSumSquare":
                    return root;
                default:
                    return false;
            }
            tensor = node.Input[0];
        }
        return false;
    }

    private static NodeProto? Producer(Graph graph, string tensor) => graph.Nodes.FirstOrDefault(n => n.Output.Contains(tensor));
}
