using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Rules;

/// <summary>What kind of map an operator is in the inputs that are explained.</summary>
internal enum RuleKind
{
    /// <summary>Affine in the inputs its rule differentiates.</summary>
    Linear,

    /// <summary>Affine on each of finitely many pieces.</summary>
    PiecewiseLinear,

    /// <summary>Linear in each factor; smooth where several factors are explained.</summary>
    Bilinear,

    /// <summary>Smooth: tangent or secant by <see cref="Nonlinearity"/>.</summary>
    Smooth,

    /// <summary>Its output does not vary with small changes of the input: no cotangent passes, the value goes to the bias.</summary>
    Constant,

    /// <summary>No rule, on purpose or not yet; the reason is told to the user.</summary>
    Refused,
}

/// <summary>One operator's entry.</summary>
/// <param name="Kind">What kind of map it is.</param>
/// <param name="Apply">The VJP rule; null for constant and refused operators.</param>
/// <param name="Differentiates">Inputs that may depend on what is explained; all when null.</param>
/// <param name="Objection">Why a particular node cannot be taken although its operator can, and the remedy.</param>
internal sealed record Rule(RuleKind Kind, Action<Vjp>? Apply, int[]? Differentiates = null, Func<NodeProto, (string Reason, string Remedy)?>? Objection = null)
{
    /// <summary>Whether a particular node is piecewise constant in an input besides, so that no cotangent goes there.</summary>
    public Func<NodeProto, int, bool>? IsFlatIn { get; init; }

    /// <summary>Where a particular node's value and slope are finite; anywhere when null.</summary>
    public Func<CanonicalNetwork, NodeProto, Domain>? DomainOf { get; init; }

    /// <summary>The input that the domain is one of.</summary>
    public int DomainInput { get; init; }
}

/// <summary>The one list of operators: rule, constant, or refused with a reason.</summary>
internal static partial class RuleTable
{
    private static readonly Dictionary<string, Rule> Rules = new(StringComparer.Ordinal)
    {
        // Linear
        ["Add"] = Linear(Arithmetic.Sum),
        ["Sub"] = Linear(Arithmetic.Sub),
        ["Neg"] = Linear(Arithmetic.Neg),
        ["Sum"] = Linear(Arithmetic.Sum),
        ["Mean"] = Linear(Arithmetic.Mean),
        ["Identity"] = Linear(Structural.Identity),
        ["Cast"] = Linear(Quantization.Cast, 0),
        ["Reshape"] = Linear(Structural.Reshape, 0),
        ["Flatten"] = Linear(Structural.Reshape, 0),
        ["Squeeze"] = Linear(Structural.Reshape, 0),
        ["Unsqueeze"] = Linear(Structural.Reshape, 0),
        ["Transpose"] = Linear(Structural.Transpose),
        ["Concat"] = Linear(Structural.Concat),
        ["Split"] = Linear(Structural.Split, 0),
        ["Slice"] = Linear(Structural.Slice, 0),
        ["Pad"] = Linear(Structural.Pad, 0, 2),
        ["Expand"] = Linear(Structural.Expand, 0),
        ["Gather"] = Linear(Structural.Gather, 0),
        ["GatherElements"] = Linear(Indexed.GatherElements, 0),
        ["ScatterElements"] = Linear(Indexed.ScatterElements, 0, 2),
        ["GatherND"] = Linear(IndexedNd.GatherND, 0),
        ["ScatterND"] = Linear(IndexedNd.ScatterND, 0, 2),
        ["ReverseSequence"] = Linear(Structural.ReverseSequence, 0),
        ["AveragePool"] = Linear(Pooling.AveragePool),
        ["GlobalAveragePool"] = Linear(Pooling.GlobalAveragePool),
        ["MaxUnpool"] = Linear(Pooling.MaxUnpool, 0),
        ["Resize"] = Linear(Resampling.Resize, 0) with { Objection = AxesOfPolicy },
        ["RoiAlign"] = Linear(Regions.Align, 0),
        ["GridSample"] = Linear(Resampling.GridSample, 0) with { IsFlatIn = (node, i) => i == 1 && node.Text("mode", "linear") == "nearest" },
        ["BatchNormalization"] = Linear(Reductions.BatchNormalization, 0),
        ["ReduceSum"] = Linear(Reductions.Sum, 0),
        ["ReduceMean"] = Linear(Reductions.Mean, 0),
        ["CumSum"] = Linear(Reductions.CumSum, 0),
        ["Tile"] = Linear(Structural.Tile, 0),
        ["Trilu"] = Linear(Structural.Trilu, 0),
        ["DepthToSpace"] = Linear(Structural.DepthToSpace),
        ["SpaceToDepth"] = Linear(Structural.SpaceToDepth),

        // Piecewise linear
        ["Relu"] = Piecewise(Pointwise.Relu),
        ["LeakyRelu"] = Piecewise(Pointwise.Homogeneous(Pointwise.LeakyReluSlope)),
        ["PRelu"] = Piecewise(Pointwise.Homogeneous(Pointwise.PReluSlope), 0),
        ["Abs"] = Piecewise(Pointwise.Homogeneous(Pointwise.AbsSlope)),
        ["Clip"] = Piecewise(Pointwise.Clip, 0),
        ["Max"] = Piecewise(Pointwise.Extremum("GreaterOrEqual")),
        ["Min"] = Piecewise(Pointwise.Extremum("LessOrEqual")),
        ["MaxPool"] = Piecewise(Pooling.MaxPool),
        ["GlobalMaxPool"] = Piecewise(Pooling.GlobalMaxPool),
        ["Where"] = Piecewise(Pointwise.Where, 1, 2),
        ["QuantizeLinear"] = Piecewise(Quantization.Quantize, 0),
        ["DequantizeLinear"] = Linear(Quantization.Dequantize, 0),
        ["ThresholdedRelu"] = Piecewise(Pointwise.Homogeneous(v => v.E.Indicator(v.E.Op("Greater", [v.In(0), v.E.Scalar(v.Node.Float("alpha", 1))])))),
        ["HardSigmoid"] = Piecewise(Pointwise.HardSigmoid),
        ["ReduceMax"] = Piecewise(Reductions.Extremum("ArgMax"), 0),
        ["ReduceMin"] = Piecewise(Reductions.Extremum("ArgMin"), 0),
        ["ReduceL1"] = Piecewise(Norms.L1, 0),
        ["TopK"] = Piecewise(Indexed.TopK, 0),
        ["Mod"] = Piecewise(Arithmetic.Mod) with { DomainOf = (_, _) => Domain.Nonzero, DomainInput = 1 },
        ["Shrink"] = Piecewise(Pointwise.Shrink),
        ["DynamicQuantizeLinear"] = Piecewise(Quantization.DynamicQuantize),

        // Products
        ["Mul"] = new(RuleKind.Bilinear, Arithmetic.Mul),
        ["Div"] = new(RuleKind.Bilinear, Arithmetic.Div) { DomainOf = (_, _) => Domain.Nonzero, DomainInput = 1 },
        ["MatMul"] = new(RuleKind.Bilinear, Matrices.MatMul),
        ["Einsum"] = new(RuleKind.Bilinear, EinsteinSum.Einsum),
        ["Gemm"] = new(RuleKind.Bilinear, Matrices.Gemm),
        ["Conv"] = new(RuleKind.Bilinear, Convolution.Conv),
        ["ConvTranspose"] = new(RuleKind.Bilinear, Convolution.ConvTranspose),
    };

    /// <summary>ONNX Runtime's own operators that are written out once the shapes are known; of no standard, and so not among <see cref="All"/>.</summary>
    private static readonly Dictionary<string, Rule> FusedOperators = new(StringComparer.Ordinal)
    {
        ["com.microsoft.Attention"] = new(RuleKind.Smooth, null),
        ["com.microsoft.MultiHeadAttention"] = new(RuleKind.Smooth, null),
        ["com.microsoft.FusedMatMul"] = new(RuleKind.Bilinear, null),
        ["com.microsoft.TransposeMatMul"] = new(RuleKind.Bilinear, null),
    };

    static RuleTable()
    {
        foreach (var (op, rule) in SmoothOperators) Rules.Add(op, rule);
        foreach (var (op, kind) in WrittenOut) Rules.Add(op, new Rule(kind, null));
        foreach (var (op, rule) in ClassicalOperators) Rules.Add($"{ClassicalModels.Domain}.{op}", rule);
        foreach (var op in ConstantOperators) Rules.Add(op, new Rule(RuleKind.Constant, null));
        foreach (var op in RefusedOperators.Keys) Rules.Add(op, new Rule(RuleKind.Refused, null));
    }

    /// <summary>Every listed operator.</summary>
    public static IReadOnlyDictionary<string, Rule> All => Rules;

    /// <summary>The entry of a node's operator; null where it is not listed.</summary>
    public static Rule? Find(NodeProto node) => Rules.GetValueOrDefault(node.Operator()) ?? FusedOperators.GetValueOrDefault(node.Operator());

    /// <summary>Whether nothing that is explained passes through the node.</summary>
    public static bool Stops(NodeProto node) => node.OpType == "Cast" ? !IsFloatCast(node) : Find(node)?.Kind == RuleKind.Constant;

    private static bool IsFloatCast(NodeProto node)
    {
        var type = (DataType)node.Int("to", 1);
        return type is DataType.Float or DataType.Double or DataType.Float16 or DataType.Bfloat16 || Quantization.IsFloat(type);
    }

    private static Rule Linear(Action<Vjp> apply, params int[] inputs) => new(RuleKind.Linear, apply, inputs.Length > 0 ? inputs : null);

    private static Rule Piecewise(Action<Vjp> apply, params int[] inputs) => new(RuleKind.PiecewiseLinear, apply, inputs.Length > 0 ? inputs : null);

    private static (string, string)? AxesOfPolicy(NodeProto node) => node.Text("keep_aspect_ratio_policy", "stretch") == "stretch" || node.Has("axes") ? null
        : ("it scales rows and channels as it does the image, to keep the aspect ratio", "name the axes of the image");
}
