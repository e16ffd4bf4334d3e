using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Rules;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Linearization;

/// <summary>A tensor that every way from the explained inputs to the explained output leads through.</summary>
/// <param name="Tensor">Its name.</param>
/// <param name="Width">Its elements a row.</param>
/// <param name="Position">How many nodes of the path stand before it.</param>
internal sealed record Cut(string Tensor, long Width, int Position);

/// <summary>The nodes through which cotangents pass, and the tensors that cut them in two.</summary>
internal sealed record ActivePath(IReadOnlyList<NodeProto> Nodes, IReadOnlyList<Cut> Cuts)
{
    /// <summary>
    /// The last tensor between an output and inputs that all influence passes as images; null where there is none. Where a pool over all of
    /// space reads it, it is what that makes, which is small. Where Relu made it of a pool's, it is the pool's: Relu's mask
    /// then serves all targets in one product.
    /// </summary>
    public string? LastImages(string output, IEnumerable<string> inputs, CanonicalNetwork network)
    {
        var begin = inputs.Max(i => Cuts.FirstOrDefault(c => c.Tensor == i)?.Position ?? 0);
        var end = Cuts.FirstOrDefault(c => c.Tensor == output)?.Position ?? Nodes.Count;
        var last = Cuts.LastOrDefault(c => c.Position > begin && c.Position < end && network.Shape(c.Tensor) is { Rank: 4, BatchAxis: 0, Dims: [1, _, var height, var width] } && height * width > 1)?.Tensor;
        if (Nodes.FirstOrDefault(n => n.OpType == "GlobalAveragePool" && n.Input[0] == last)?.Output[0] is { } pooled && Cuts.Any(c => c.Tensor == pooled && c.Position <= end)) return pooled;
        var relu = Nodes.FirstOrDefault(n => n.OpType == "Relu" && n.Output[0] == last);
        return relu is not null && Nodes.Any(n => n.OpType == "MaxPool" && n.Output[0] == relu.Input[0]) ? relu.Input[0] : last;
    }

    /// <summary>Whether a tensor [N, C, 1…], of one element for each channel, has the elements of another in their order.</summary>
    public bool IsVectorOf(string output, string channels, CanonicalNetwork network)
    {
        if (network.Shape(channels) is not { BatchAxis: 0, Rank: > 1, Dims: [1, _, .. var space] } || space.Any(d => d != 1)) return false;
        if (channels == output) return true;
        var begin = Cuts.First(c => c.Tensor == channels).Position;
        var end = Cuts.FirstOrDefault(c => c.Tensor == output)?.Position ?? Nodes.Count;
        return Nodes.Skip(begin).Take(end - begin).All(n => n.OpType is "Reshape" or "Flatten" or "Squeeze" or "Identity");
    }

    public static ActivePath Find(CanonicalNetwork network, Request request, IReadOnlySet<string> active)
    {
        var needed = new HashSet<string> { request.Output };
        var nodes = new List<NodeProto>();
        foreach (var node in Enumerable.Reverse(network.Graph.Nodes))
        {
            if (RuleTable.Stops(node) || !node.Output.Any(needed.Contains) || !node.Input.Any(active.Contains)) continue;
            nodes.Add(node);
            needed.UnionWith(node.Input.Where(active.Contains));
        }
        nodes.Reverse();
        return new(nodes, [.. FindCuts(network, request, nodes, needed)]);
    }

    /// <summary>
    /// Walks along the path with the set of tensors that are made and still to be read. Where it holds one tensor, that one
    /// separates what was walked over from what comes. No such tensor is missed: all nodes before it stand before it in any order.
    /// </summary>
    private static IEnumerable<Cut> FindCuts(CanonicalNetwork network, Request request, List<NodeProto> nodes, HashSet<string> needed)
    {
        var unread = nodes.SelectMany(Inputs).GroupBy(i => i).ToDictionary(g => g.Key, g => g.Count());
        var live = request.Explained.Where(needed.Contains).ToHashSet();
        for (var i = 0; i < nodes.Count; i++)
        {
            foreach (var input in Inputs(nodes[i]))
                if (--unread[input] == 0) live.Remove(input);
            live.UnionWith(nodes[i].Output.Where(needed.Contains));
            if (live.Count == 1 && live.Single() is var tensor && tensor != request.Output && IsRowOfFloats(network, request, tensor))
                yield return new(tensor, network.Shape(tensor).Count, i + 1);
        }

        IEnumerable<string> Inputs(NodeProto node) => node.Input.Where(needed.Contains).Distinct();
    }

    private static bool IsRowOfFloats(CanonicalNetwork network, Request request, string tensor) =>
        network.Type(tensor) == DataType.Float && network.Shape(tensor).HasBatch == network.Shape(request.Output).HasBatch && network.Shape(tensor).Count <= int.MaxValue;
}
