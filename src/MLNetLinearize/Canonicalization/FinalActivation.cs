using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Canonicalization;

/// <summary>What was taken off the end of a network.</summary>
/// <param name="Operator">Softmax, LogSoftmax or Sigmoid.</param>
/// <param name="Further">What went with it, in words.</param>
/// <param name="IsNormalized">Whether probabilities were divided by their sum behind it.</param>
internal sealed record CutActivation(string Operator, IReadOnlyList<string> Further, bool IsNormalized);

/// <summary>
/// A final Softmax, LogSoftmax or Sigmoid is taken off: a probability is explained by its logit, since squashing is not affine and
/// saturates. So is one that is written out in its own operators, and what scales or normalizes the probabilities behind it. Shape
/// operators behind it stay, so that an output index means the same as in the model.
/// </summary>
internal static class FinalActivation
{
    /// <summary>Takes it off.</summary>
    /// <param name="graph">Rewritten in place, from the output back to the logits.</param>
    /// <param name="output">The explained tensor, which is made of logits then.</param>
    /// <returns>What was there; null where the network ends otherwise.</returns>
    public static CutActivation? Cut(Graph graph, string output)
    {
        var makers = new Dictionary<string, NodeProto>();
        foreach (var node in graph.Nodes)
            foreach (var o in node.Output.Where(o => o.Length > 0)) makers[o] = node;
        var ends = new End(graph, makers);
        var passed = new List<(NodeProto Node, string From, string What)>();
        var (isNormalized, isLog, isScaled, seen) = (false, false, false, new HashSet<string>());
        for (var name = output; seen.Add(name) && makers.TryGetValue(name, out var node);)
        {
            if (!node.IsStandard()) return null;
            if (ends.Logits(node) is { } end)
            {
                // A sigmoid that is scaled, or its logarithm, is no probability, but a number of that range.
                if (end.Operator == "Sigmoid" && (isScaled || isLog)) return null;
                string[] further = [.. passed.Select(p => p.What), .. end.IsWrittenOut ? [$"it is written out in operators up to '{node.Output[0]}'"] : Array.Empty<string>()];
                foreach (var (behind, from, _) in passed) PassOn(behind, from);
                PassOn(node, end.Tensor);
                return new(isLog && end.Operator == "Softmax" ? "LogSoftmax" : end.Operator, further, isNormalized);
            }
            string what;
            switch (node.OpType)
            {
                case "Identity" or "Reshape" or "Flatten" or "Squeeze" or "Unsqueeze" or "Transpose":
                case "Cast" when (DataType)node.Int("to", 1) is DataType.Float or DataType.Double or DataType.Float16 or DataType.Bfloat16:
                    name = node.Input[0];
                    continue;
                case "Mul" or "Div" when ends.Scaled(node) is { } scaled:
                    (name, isScaled, what) = (scaled, true, "with it goes the factor behind it");
                    break;
                case "LpNormalization" when node.Int("p", 2) == 1 && node.Int("axis", -1) is -1 or 1:
                    (name, isNormalized, what) = (node.Input[0], true, "with it goes the division of the probabilities by their sum");
                    break;
                case "Log" when !isLog:
                    (name, isLog, what) = (node.Input[0], true, "with it goes the logarithm");
                    break;
                default:
                    return null;
            }
            passed.Add((node, name, what));
        }
        return null;
    }

    private static void PassOn(NodeProto node, string from)
    {
        node.OpType = "Identity";
        node.Attribute.Clear();
        node.Input.Clear();
        node.Input.Add(from);
    }

    /// <summary>The ways in which a network may end.</summary>
    private sealed class End(Graph graph, Dictionary<string, NodeProto> makers)
    {
        /// <summary>The logits that a node makes probabilities of; null where it makes none.</summary>
        public (string Tensor, string Operator, bool IsWrittenOut)? Logits(NodeProto node) => node.OpType switch
        {
            "Softmax" or "LogSoftmax" or "Sigmoid" => (node.Input[0], node.OpType, false),
            "Div" when Maker(node.Input[0], "Exp") is { } power && IsSumOf(node.Input[1], node.Input[0]) => (Unshifted(power.Input[0]), "Softmax", true),
            "Div" when Is(node.Input[0], 1) && OnePlusPower(node.Input[1]) is { } z => (z, "Sigmoid", true),
            "Reciprocal" when OnePlusPower(node.Input[0]) is { } z => (z, "Sigmoid", true),
            "Sub" when Maker(node.Input[1], "Log") is { } log && SumOfPowers(log.Input[0]) == node.Input[0] => (Unshifted(node.Input[0]), "LogSoftmax", true),
            "Sub" when Maker(node.Input[1], "ReduceLogSumExp") is { } sum && sum.Input[0] == node.Input[0] && Keeps(sum) => (Unshifted(node.Input[0]), "LogSoftmax", true),
            _ => null,
        };

        /// <summary>What a node multiplies by one positive number, such as 100 for percent; null where it does something else.</summary>
        public string? Scaled(NodeProto node) =>
            IsPositive(node.Input[1]) ? node.Input[0] : node.OpType == "Mul" && IsPositive(node.Input[0]) ? node.Input[1] : null;

        private NodeProto? Maker(string tensor, string op) => makers.GetValueOrDefault(tensor) is { } maker && maker.IsStandard() && maker.OpType == op ? maker : null;

        private float? Number(string tensor) =>
            (graph.Initializers.GetValueOrDefault(tensor) ?? Maker(tensor, "Constant")?.Find("value")?.T) is { } stored
            && stored.Count() == 1 && stored.ElementType() is DataType.Float or DataType.Double or DataType.Float16 or DataType.Bfloat16 ? stored.ToSingle()[0] : null;

        private bool Is(string tensor, float value) => Number(tensor) == value;

        private bool IsPositive(string tensor) => Number(tensor) > 0;

        private bool IsSumOf(string sum, string terms) => Maker(sum, "ReduceSum") is { } node && node.Input[0] == terms && Keeps(node);

        private string? SumOfPowers(string sum) => Maker(sum, "ReduceSum") is { } node && Keeps(node) ? Maker(node.Input[0], "Exp")?.Input[0] : null;

        private static bool Keeps(NodeProto reduction) => reduction.Int("keepdims", 1) == 1;

        /// <summary>Logits before the largest of them was subtracted, which changes no softmax.</summary>
        private string Unshifted(string tensor) =>
            Maker(tensor, "Sub") is { } sub && Maker(sub.Input[1], "ReduceMax") is { } largest && largest.Input[0] == sub.Input[0] && Keeps(largest) ? sub.Input[0] : tensor;

        /// <summary>z of 1 + exp(−z).</summary>
        private string? OnePlusPower(string tensor)
        {
            if (Maker(tensor, "Add") is not { } add) return null;
            var power = Is(add.Input[0], 1) ? add.Input[1] : Is(add.Input[1], 1) ? add.Input[0] : null;
            return power is not null && Maker(power, "Exp") is { } exp ? Maker(exp.Input[0], "Neg")?.Input[0] : null;
        }
    }
}
