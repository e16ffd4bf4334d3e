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
        ["RNN"] = RecurrentCells.Unroll,
        ["GRU"] = RecurrentCells.Unroll,
        ["LSTM"] = RecurrentCells.Unroll,
        ["Attention"] = AttentionOperators.Attention,
        ["RotaryEmbedding"] = AttentionOperators.Rotary,
        ["com.microsoft.Attention"] = FusedAttention.Attention,
        ["com.microsoft.MultiHeadAttention"] = FusedAttention.MultiHeadAttention,
        ["com.microsoft.FusedMatMul"] = FusedProducts.MatMul,
        ["com.microsoft.TransposeMatMul"] = FusedProducts.MatMul,
        ["QLinearConv"] = QuantizedOperators.Convolution,
        ["QLinearMatMul"] = QuantizedOperators.MatrixProduct,
        ["ConvInteger"] = QuantizedOperators.IntegerConvolution,
        ["MatMulInteger"] = QuantizedOperators.IntegerMatrixProduct,
        ["CastLike"] = OtherSpellings.CastLike,
        ["CenterCropPad"] = OtherSpellings.CenterCropPad,
        ["Compress"] = OtherSpellings.Compress,
        ["CumProd"] = OtherSpellings.CumProd,
        ["Col2Im"] = OtherSpellings.Col2Im,
        ["AffineGrid"] = OtherSpellings.AffineGrid,
        ["TensorScatter"] = OtherSpellings.TensorScatter,
        ["DFT"] = FourierTransforms.Whole,
        ["STFT"] = FourierTransforms.Short,
        ["DeformConv"] = ComputedSampling.DeformConv,
        ["GridSample"] = ComputedSampling.GridSample,
        ["Resize"] = ComputedRegions.Resize,
        ["NegativeLogLikelihoodLoss"] = Losses.NegativeLogLikelihood,
        ["SoftmaxCrossEntropyLoss"] = Losses.SoftmaxCrossEntropy,
        ["OneHot"] = OtherSpellings.OneHot,
        ["AveragePool"] = OtherSpellings.SamePool,
        ["MaxPool"] = OtherSpellings.SamePool,
        ["LpPool"] = OtherSpellings.SamePool,
        ["RoiAlign"] = RegionPools.RoiAlign,
        ["MaxRoiPool"] = RegionPools.MaxRoiPool,
        ["BatchNormalization"] = ComputedParameters.BatchNormalization,
        ["LayerNormalization"] = ComputedParameters.LastAxes,
        ["RMSNormalization"] = ComputedParameters.LastAxes,
        ["InstanceNormalization"] = ComputedParameters.Channels,
        ["GroupNormalization"] = ComputedParameters.Channels,
        ["PRelu"] = ComputedParameters.PRelu,
        ["Clip"] = ComputedParameters.Clip,
    };

    /// <summary>Operators that have an entry although the rules know them: written out only where their parameters are computed from the row.</summary>
    private static readonly string[] OnlyComputed = ["BatchNormalization", "LayerNormalization", "RMSNormalization", "InstanceNormalization", "GroupNormalization", "PRelu", "Clip", "GridSample", "OneHot", "Resize"];

    /// <summary>Whether a node whose parameters turn out to be computed from the row is written out.</summary>
    public static bool TakesComputedParameters(NodeProto node) => OnlyComputed.Contains(node.OpType);

    /// <summary>The nodes to write out, or that make or read sequences: where there are any, the network must be run first.</summary>
    /// <param name="graph">The network.</param>
    /// <param name="explained">What is explained.</param>
    /// <param name="output">By which output.</param>
    public static HashSet<NodeProto> Find(Graph graph, IEnumerable<string> explained, string output)
    {
        var computed = ValueFlow.Reached(graph, explained, n => n.OpType is "Shape" or "Size");
        var (behind, constant) = (ValueFlow.Behind(graph, output), ValueFlow.ValueIndependent(graph));
        return [.. graph.Nodes.Where(n => n.IsStandard() && SequenceFolding.Operators.Contains(n.OpType) || Table.ContainsKey(n.Operator()) && IsWrittenOut(n, computed, behind, constant))];
    }

    /// <param name="graph">The network; rewritten.</param>
    /// <param name="found">What to write out.</param>
    /// <param name="facts">Every tensor's type and dimensions for one row, and values where they are the same for every row.</param>
    /// <param name="maxSteps">Most steps that are written out one after the other.</param>
    public static void Apply(Graph graph, HashSet<NodeProto> found, IReadOnlyDictionary<string, TensorFact> facts, int maxSteps)
    {
        string[] products = [.. found.Where(n => n.OpType is "ConvInteger" or "MatMulInteger" && IntegerSums.Objection(graph, n.Output[0]) is null).Select(n => n.Output[0])];
        graph.Nodes = [.. graph.Nodes.SelectMany(n => found.Contains(n) && Table.ContainsKey(n.Operator()) ? Written(graph, n, facts, maxSteps) : [n])];
        IntegerSums.Apply(graph, products);
        SequenceFolding.Apply(graph, facts, maxSteps);
    }

    private static bool IsWrittenOut(NodeProto node, HashSet<string> computed, HashSet<string> behind, HashSet<string> constant) => node.OpType switch
    {
        "RoiAlign" => node.Text("mode", "avg") == "max",
        "GridSample" => node.Text("mode", "linear") != "nearest", // rounded to the nearest pixel, a grid has no slope
        "Resize" => ComputedRegions.IsCropped(node) && !constant.Contains(node.Input[1]),
        "AveragePool" or "MaxPool" or "LpPool" => OtherSpellings.IsSamePool(node),
        _ => !TakesComputedParameters(node) || HasComputedParameters(node, computed) || TellsStatistics(node, behind) || ComputedParameters.IsTraining(node),
    };

    private static bool HasComputedParameters(NodeProto node, HashSet<string> computed) => node.Input.Skip(1).Any(computed.Contains);

    /// <summary>LayerNormalization whose mean or deviation is read as well.</summary>
    private static bool TellsStatistics(NodeProto node, HashSet<string> behind) => node.OpType == "LayerNormalization" && node.Output.Skip(1).Any(behind.Contains);

    private static IReadOnlyList<NodeProto> Written(Graph graph, NodeProto node, IReadOnlyDictionary<string, TensorFact> facts, int maxSteps)
    {
        var expansion = new Expansion(graph, node, facts) { MaxSteps = maxSteps };
        try
        {
            Table[node.Operator()](expansion);
            return expansion.Nodes;
        }
        catch (ExpansionException e)
        {
            graph.Object(node, e.Message, e.Remedy);
            return [node];
        }
    }
}
