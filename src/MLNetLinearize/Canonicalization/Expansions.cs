using MLNetLinearize.Onnx;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// Operators that are written out in others once the shapes are known, so that they need no rule of their own: one line
/// each, operator and what writes it.
/// </summary>
internal static class Expansions
{
    private static readonly Dictionary<string, Action<Expansion>> Table = new(StringComparer.Ordinal)
    {
        ["Attention"] = AttentionOperators.Attention,
        ["RotaryEmbedding"] = AttentionOperators.Rotary,
        ["QLinearConv"] = QuantizedOperators.Convolution,
        ["QLinearMatMul"] = QuantizedOperators.MatrixProduct,
        ["ConvInteger"] = QuantizedOperators.IntegerConvolution,
        ["MatMulInteger"] = QuantizedOperators.IntegerMatrixProduct,
        ["CastLike"] = OtherSpellings.CastLike,
        ["CenterCropPad"] = OtherSpellings.CenterCropPad,
        ["CumProd"] = OtherSpellings.CumProd,
        ["Col2Im"] = OtherSpellings.Col2Im,
        ["AffineGrid"] = OtherSpellings.AffineGrid,
        ["TensorScatter"] = OtherSpellings.TensorScatter,
        ["DFT"] = FourierTransforms.Whole,
        ["STFT"] = FourierTransforms.Short,
        ["DeformConv"] = ComputedSampling.DeformConv,
        ["GridSample"] = ComputedSampling.GridSample,
        ["BatchNormalization"] = ComputedParameters.BatchNormalization,
        ["LayerNormalization"] = ComputedParameters.LastAxes,
        ["RMSNormalization"] = ComputedParameters.LastAxes,
        ["InstanceNormalization"] = ComputedParameters.Channels,
        ["GroupNormalization"] = ComputedParameters.Channels,
        ["PRelu"] = ComputedParameters.PRelu,
        ["Clip"] = ComputedParameters.Clip,
    };

    /// <summary>Operators that have an entry although the rules know them: written out only where their parameters are computed from the row.</summary>
    private static readonly string[] OnlyComputed = ["BatchNormalization", "LayerNormalization", "RMSNormalization", "InstanceNormalization", "GroupNormalization", "PRelu", "Clip", "GridSample"];

    /// <summary>Whether a node whose parameters turn out to be computed from the row is written out.</summary>
    public static bool TakesComputedParameters(NodeProto node) => OnlyComputed.Contains(node.OpType);

    /// <summary>Whether a network has anything to write out, for which it must be run first.</summary>
    public static bool Concern(Graph graph)
    {
        var constant = ValueFlow.ValueIndependent(graph);
        return graph.Nodes.Any(n => RecurrentCells.IsCell(n) || IsListed(n, constant) || SequenceFolding.Operators.Contains(n.OpType));
    }

    /// <param name="graph">The network; rewritten.</param>
    /// <param name="facts">Every tensor's type and dimensions for one row, and values where they are the same for every row.</param>
    public static void Apply(Graph graph, IReadOnlyDictionary<string, TensorFact> facts)
    {
        RecurrentCells.Unroll(graph, facts);
        var constant = ValueFlow.ValueIndependent(graph);
        graph.Nodes = [.. graph.Nodes.SelectMany(n => IsListed(n, constant) ? Written(graph, n, facts) : [n])];
        SequenceFolding.Apply(graph, facts);
    }

    private static bool IsListed(NodeProto node, HashSet<string> constant) =>
        node.IsStandard() && Table.ContainsKey(node.OpType) && (!OnlyComputed.Contains(node.OpType) || node.Input.Skip(1).Any(i => i.Length > 0 && !constant.Contains(i)));

    private static IReadOnlyList<NodeProto> Written(Graph graph, NodeProto node, IReadOnlyDictionary<string, TensorFact> facts)
    {
        var expansion = new Expansion(graph, node, facts);
        try
        {
            Table[node.OpType](expansion);
            return expansion.Nodes;
        }
        catch (ExpansionException e)
        {
            graph.Object(node, e.Message, e.Remedy);
            return [node];
        }
    }
}
