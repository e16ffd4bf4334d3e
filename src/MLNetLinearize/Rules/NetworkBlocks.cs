using System.Runtime.CompilerServices;
using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Rules;

/// <summary>
/// Which tensors of a network ONNX Runtime's CPU kernels keep with their channels in blocks (its optimizer <c>NchwcTransformer</c>):
/// what convolutions and pools make, and what passes from there through operators that take blocks as they come.
/// </summary>
internal static class NetworkBlocks
{
    /// <summary>Most channels that are widened to whole blocks, which takes as many multiply-adds for each element.</summary>
    private const long MostWidened = 128;

    private static readonly ConditionalWeakTable<CanonicalNetwork, HashSet<string>> Known = [];

    /// <summary>Whether a tensor, and what has its shape or a pool's, comes in blocks.</summary>
    public static bool Keeps(CanonicalNetwork network, string tensor, TensorShape shape) => IsWhole(shape) && CanEnter(network, tensor, shape);

    /// <summary>Whether it does, or enters them sooner than other operators would do their work: with channels of zeros behind its own.</summary>
    public static bool CanEnter(CanonicalNetwork network, string tensor, TensorShape shape) =>
        shape is { Rank: 4, BatchAxis: 0, Dims: [1, var channels, ..] } && (IsWhole(shape) || channels <= MostWidened) && Known.GetValue(network, Made).Contains(tensor);

    private static bool IsWhole(TensorShape shape) => shape.Rank == 4 && shape.Dims[1] % BlockedLayout.Channels == 0;

    private static HashSet<string> Made(CanonicalNetwork network)
    {
        var made = new HashSet<string>();
        foreach (var node in network.Graph.Nodes)
            if (node.IsStandard() && node.Output is [var output, ..] && network.IsKnown(output) && IsMade(network, node, made.Contains)) made.Add(output);
        return made;
    }

    private static bool IsMade(CanonicalNetwork network, NodeProto node, Func<string, bool> isMade) => node.OpType switch
    {
        "Conv" => node.Int("group", 1) is var groups && (groups == 1 || SuitsGroups(network.Shape(node.Input[0]), network.Shape(node.Output[0]), groups)),
        "MaxPool" or "AveragePool" => true,
        // LRN's output is not, but a pool behind it finds its winners in blocks so much sooner that the way back into them is worth it.
        "LRN" => true,
        "Relu" or "Sigmoid" or "Tanh" or "BatchNormalization" => isMade(node.Input[0]),
        "Resize" => node.Text("mode", "nearest") == "nearest" && isMade(node.Input[0]),
        "Add" or "Sum" or "Mul" => node.Input.All(isMade),
        "Concat" => node.Int("axis", 0) is 1 or -3 && node.Input.All(isMade),
        _ => false,
    };

    /// <summary>Every channel by itself, or groups of whole blocks.</summary>
    private static bool SuitsGroups(TensorShape input, TensorShape output, long groups) =>
        input is { Rank: 4 } && IsWhole(output) && (groups == output.Dims[1] && groups == input.Dims[1] || input.Dims[1] / groups % BlockedLayout.Channels == 0 && output.Dims[1] / groups % BlockedLayout.Channels == 0);
}
