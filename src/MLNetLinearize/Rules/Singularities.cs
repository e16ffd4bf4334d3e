using System.Runtime.InteropServices;
using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Rules;

/// <summary>
/// Where numbers of the forward pass, or slopes, may not be finite: behind operators that leave their domain, such as the logarithm of 0
/// that Max or Where then leaves out, and behind stored infinities, as masks hold them. What is left out has a cotangent of 0, and must
/// add 0 and not 0·∞. Found from the operators' domains and the ranges of what goes into them, so that √(variance + ε) costs nothing.
/// </summary>
internal sealed class Singularities
{
    /// <summary>From here on a stored number means "never": float's lowest, which masks hold in place of −∞, is −3.4e38, and two of them add up to it.</summary>
    private const float MaskSize = 1e37f;

    private readonly HashSet<string> infinite = [];
    private readonly HashSet<string> steep = [];
    private readonly HashSet<string> reached = [];

    private Singularities()
    {
    }

    private Singularities(CanonicalNetwork network)
    {
        var ranges = new Lazy<ValueRanges>(() => new(network));
        foreach (var (name, stored) in network.Graph.Initializers)
            if (HoldsInfinite(stored)) infinite.Add(name);
        foreach (var node in network.Graph.Nodes)
        {
            var domain = RuleTable.Find(node)?.DomainOf?.Invoke(network, node) ?? Domain.All;
            var range = domain == Domain.All ? ValueRange.Any : ranges.Value.Of(node.Input[RuleTable.Find(node)!.DomainInput]);
            if (domain.HasSteepEnds && !domain.HasSlope(range)) steep.Add(node.Output[0]);
            var isStored = node.IsStandard() && node.Find("value")?.T is { } value && HoldsInfinite(value);
            if (isStored || !domain.HasValue(range) || HandsOn(network, node).Any(infinite.Contains))
                infinite.UnionWith(node.Output.Where(o => o.Length > 0 && network.IsKnown(o) && network.Type(o) == DataType.Float));
        }
        if (steep.Count > 0) FollowBack(network);
    }

    /// <summary>Those of an adjoint as a map of its cotangent, whose factors are finite.</summary>
    public static readonly Singularities None = new();

    public static Singularities Of(CanonicalNetwork network) => new(network);

    /// <summary>Whether a tensor may hold elements that are not finite although the score is.</summary>
    public bool MayBeInfinite(string tensor) => infinite.Contains(tensor);

    /// <summary>Whether the node that makes a tensor may have an infinite slope at a finite value, such as √ at 0.</summary>
    public bool IsSteep(string output) => steep.Contains(output);

    /// <summary>Whether the cotangent of a tensor may come out of such a slope, so that it meets slopes of 0 as ∞.</summary>
    public bool MayHaveInfiniteCotangent(string tensor) => reached.Contains(tensor);

    /// <summary>
    /// What a node's infinities come from. Softmax makes 0 of −∞, and of a row of them what only its own rule need know; what compares or
    /// counts makes no numbers; an infinite bound bounds nothing.
    /// </summary>
    private static IEnumerable<string> HandsOn(CanonicalNetwork network, NodeProto node) => RuleTable.Stops(node) ? [] : !node.IsStandard() ? Graph.Reads(node) : node.OpType switch
    {
        "Softmax" => [],
        "Clip" => node.Input.Take(1),
        "Max" or "Min" => node.Input.Where(i => network.Constant(i) is null),
        _ => Graph.Reads(node),
    };

    private static bool HoldsInfinite(TensorProto stored)
    {
        if (stored.ElementType() != DataType.Float) return false;
        var values = stored.HasRawData ? MemoryMarshal.Cast<byte, float>(stored.RawData.Span) : stored.ToSingle();
        foreach (var value in values)
            if (!(Math.Abs(value) < MaskSize)) return true;
        return false;
    }

    /// <summary>An infinite cotangent goes back to all that it depends on, as far as squares and their like, whose slope is 0 wherever they are.</summary>
    private void FollowBack(CanonicalNetwork network)
    {
        foreach (var node in Enumerable.Reverse(network.Graph.Nodes))
        {
            if (!node.Output.Any(o => steep.Contains(o) || reached.Contains(o)) || RuleTable.Stops(node)) continue;
            var ends = node.IsStandard() && EndsAtZero(network, node) && !steep.Contains(node.Output[0]);
            if (!ends) reached.UnionWith(node.Input.Where(i => i.Length > 0 && network.Constant(i) is null));
        }
    }

    /// <summary>
    /// Whether a node's slope is 0 where its value is 0. Of sums of such the root is steep only where each of them is 0: nothing
    /// infinite comes through.
    /// </summary>
    private static bool EndsAtZero(CanonicalNetwork network, NodeProto node) => node.OpType switch
    {
        "Mul" => node.Input[0] == node.Input[1],
        "Pow" => ValueRanges.Exponent(network, node) > 1,
        "Abs" or "Relu" or "ReduceSumSquare" => true,
        _ => false,
    };
}
