using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Rules;

/// <summary>Smooth operators. A function of one number is one line: its derivative, its value and its slope at 0.</summary>
internal static partial class RuleTable
{
    private const float TwoOverRootPi = 1.1283792f;

    private static readonly Dictionary<string, Rule> SmoothOperators = new(StringComparer.Ordinal)
    {
        ["Sigmoid"] = Of(Domain.All, v => Smooth.LogisticSlope(v, 1), 0.5f, 0.25f, v => v.E.Scaled(OfHalf(v, "Tanh"), 0.5f)),
        ["Tanh"] = Of(Domain.All, v => v.E.Scaled(Smooth.LogisticSlope(v, 2), 4), 0, 1), // tanh x = 2σ(2x) − 1
        ["Exp"] = Of(Domain.Powers, v => v.Out(), 1, 1, v => v.E.Scaled(v.E.Mul(OfHalf(v, "Exp"), OfHalf(v, "Sinh")), 2)),
        ["Log"] = Of(Domain.Positive, v => v.E.Op("Reciprocal", [v.In(0)])),
        ["Sqrt"] = Of(Domain.Roots, v => v.E.Div(v.E.Scalar(0.5f), v.Out())),
        ["Reciprocal"] = Of(Domain.Nonzero, v => v.E.Neg(Square(v, v.Out()))),
        ["Erf"] = Of(Domain.All, v => v.E.Scaled(v.E.Op("Exp", [v.E.Neg(Square(v, v.In(0)))]), TwoOverRootPi), 0, TwoOverRootPi),
        ["Softplus"] = Of(Domain.All, Smooth.Logistic, MathF.Log(2), 0.5f, Smooth.SoftplusRise),
        ["Softsign"] = Of(Domain.All, v => v.E.Op("Reciprocal", [Square(v, v.E.Add(v.E.Scalar(1), v.E.Op("Abs", [v.In(0)])))]), 0, 1),
        ["Elu"] = LineAndExponential("GreaterOrEqual", _ => 1, Alpha),
        ["Celu"] = LineAndExponential("Greater", _ => 1, _ => 1, Alpha),
        ["Selu"] = LineAndExponential("Greater", SeluGamma, v => SeluGamma(v) * v.Node.Float("alpha", 1.6732632f)),
        ["Mish"] = Of(Domain.All, Smooth.MishSlope, 0, 0.6f),
        ["Gelu"] = Of(Domain.All, Smooth.GeluSlope, 0, 0.5f),
        ["Swish"] = Of(Domain.All, Smooth.SwishSlope, 0, 0.5f),
        ["HardSwish"] = Of(Domain.All, Smooth.HardSwishSlope, 0, 0.5f),
        ["Sin"] = Of(Domain.All, v => v.E.Op("Cos", [v.In(0)]), 0, 1),
        ["Cos"] = Of(Domain.All, v => v.E.Neg(v.E.Op("Sin", [v.In(0)])), 1, 0, v => v.E.Scaled(Square(v, OfHalf(v, "Sin")), -2)),
        ["Tan"] = Of(Domain.All, v => v.E.Add(v.E.Scalar(1), Square(v, v.Out())), 0, 1),
        ["Sinh"] = Of(Domain.PowersOfBothSigns, v => v.E.Op("Cosh", [v.In(0)]), 0, 1),
        ["Cosh"] = Of(Domain.PowersOfBothSigns, v => v.E.Op("Sinh", [v.In(0)]), 1, 0, v => v.E.Scaled(Square(v, OfHalf(v, "Sinh")), 2)),
        ["Asin"] = Of(Domain.Sines, v => v.E.Op("Reciprocal", [v.E.Op("Sqrt", [OneMinus(v, Square(v, v.In(0)))])]), 0, 1),
        ["Acos"] = Of(Domain.Sines, v => v.E.Neg(v.E.Op("Reciprocal", [v.E.Op("Sqrt", [OneMinus(v, Square(v, v.In(0)))])])), MathF.PI / 2, -1, v => v.E.Neg(v.E.Op("Asin", [v.In(0)]))),
        ["Atan"] = Of(Domain.All, v => v.E.Op("Reciprocal", [v.E.Add(v.E.Scalar(1), Square(v, v.In(0)))]), 0, 1),
        ["Asinh"] = Of(Domain.All, v => v.E.Op("Reciprocal", [v.E.Op("Sqrt", [v.E.Add(v.E.Scalar(1), Square(v, v.In(0)))])]), 0, 1),
        ["Acosh"] = Of(Domain.HyperbolicCosines, v => v.E.Op("Reciprocal", [v.E.Op("Sqrt", [v.E.Sub(Square(v, v.In(0)), v.E.Scalar(1))])])),
        ["Atanh"] = Of(Domain.BetweenOnes, v => v.E.Op("Reciprocal", [OneMinus(v, Square(v, v.In(0)))]), 0, 1),
        ["Pow"] = SmoothOf(Domain.All, Pointwise.Pow) with { DomainOf = Pointwise.DomainOfPow },
        ["Softmax"] = SmoothOf(Domain.All, Smooth.Softmax),
        ["LogSoftmax"] = SmoothOf(Domain.All, Smooth.LogSoftmax),
        ["ReduceL2"] = SmoothOf(Domain.All, Norms.L2, 0),
        ["ReduceSumSquare"] = SmoothOf(Domain.All, Norms.SumSquare, 0),
        ["ReduceLogSum"] = SmoothOf(Domain.Positive, Norms.LogSum, 0),
        ["ReduceLogSumExp"] = SmoothOf(Domain.All, Norms.LogSumExp, 0),
        ["ReduceProd"] = SmoothOf(Domain.All, Norms.Prod, 0),
        ["LpPool"] = SmoothOf(Domain.All, Pooling.LpPool),
        ["GlobalLpPool"] = SmoothOf(Domain.All, Pooling.GlobalLpPool),
        ["LayerNormalization"] = SmoothOf(Domain.All, Normalizations.Layer, 0),
        ["InstanceNormalization"] = SmoothOf(Domain.All, Normalizations.Instance, 0),
        ["GroupNormalization"] = SmoothOf(Domain.All, Normalizations.Group, 0),
        ["RMSNormalization"] = SmoothOf(Domain.All, Normalizations.RootMeanSquare, 0),
        ["MeanVarianceNormalization"] = SmoothOf(Domain.All, Normalizations.MeanVariance),
        ["LpNormalization"] = SmoothOf(Domain.All, Normalizations.Lp),
        ["Det"] = SmoothOf(Domain.All, Matrices.Determinant),
        ["LRN"] = SmoothOf(Domain.All, Normalizations.LocalResponse),
    };

    /// <summary>Operators that are written out in others before the rules, and need none of their own.</summary>
    private static readonly Dictionary<string, RuleKind> WrittenOut = new(StringComparer.Ordinal)
    {
        ["RNN"] = RuleKind.Smooth,
        ["GRU"] = RuleKind.Smooth,
        ["LSTM"] = RuleKind.Smooth,
        ["Attention"] = RuleKind.Smooth,
        ["RotaryEmbedding"] = RuleKind.Linear,
        ["QLinearConv"] = RuleKind.PiecewiseLinear,
        ["QLinearMatMul"] = RuleKind.PiecewiseLinear,
        ["ConvInteger"] = RuleKind.Linear,
        ["MatMulInteger"] = RuleKind.Bilinear,
        ["NegativeLogLikelihoodLoss"] = RuleKind.Linear,
        ["SoftmaxCrossEntropyLoss"] = RuleKind.Smooth,
        ["MaxRoiPool"] = RuleKind.PiecewiseLinear,
        ["CastLike"] = RuleKind.Linear,
        ["Compress"] = RuleKind.Linear,
        ["CumProd"] = RuleKind.Smooth,
        ["CenterCropPad"] = RuleKind.Linear,
        ["Col2Im"] = RuleKind.Linear,
        ["AffineGrid"] = RuleKind.Linear,
        ["DeformConv"] = RuleKind.Bilinear,
        ["TensorScatter"] = RuleKind.Linear,
        ["DFT"] = RuleKind.Linear,
        ["STFT"] = RuleKind.Linear,
        ["SequenceConstruct"] = RuleKind.Linear,
        ["SequenceInsert"] = RuleKind.Linear,
        ["SequenceErase"] = RuleKind.Linear,
        ["SequenceAt"] = RuleKind.Linear,
        ["SplitToSequence"] = RuleKind.Linear,
        ["ConcatFromSequence"] = RuleKind.Linear,
        ["Optional"] = RuleKind.Linear,
        ["OptionalGetElement"] = RuleKind.Linear,
    };

    /// <summary>The fourth is f(z) − f(0), for functions that subtraction would leave without digits near 0 (half-angle formulas).</summary>
    private static Rule Of(Domain domain, Func<Vjp, string> derivative, float? atZero = null, float slopeAtZero = 0, Func<Vjp, string>? difference = null) =>
        SmoothOf(domain, Pointwise.Smooth(derivative, atZero, v => v.E.Scalar(slopeAtZero), difference));

    private static Rule SmoothOf(Domain domain, Action<Vjp> apply, params int[] inputs) => new(RuleKind.Smooth, apply, inputs.Length > 0 ? inputs : null) { DomainOf = (_, _) => domain };

    private static string OfHalf(Vjp v, string op) => v.E.Op(op, [v.E.Scaled(v.In(0), 0.5f)]);

    private static float Alpha(Vjp v) => v.Node.Float("alpha", 1);

    private static float SeluGamma(Vjp v) => v.Node.Float("gamma", 1.0507010f);

    private static string Square(Vjp v, string x) => v.E.Mul(x, x);

    private static string OneMinus(Vjp v, string x) => v.E.Sub(v.E.Scalar(1), x);

    /// <summary>
    /// A line above 0 and an exponential below, each with a slope of its own at 0. The exponential is taken itself rather than
    /// y + α, which loses its digits where the unit saturates.
    /// </summary>
    /// <param name="comparison">With 0, that puts an element on the line as ONNX Runtime does: at 0 itself Elu goes with it, Selu with the exponential.</param>
    /// <param name="line">Slope of the line.</param>
    /// <param name="curve">Slope of the exponential at 0.</param>
    /// <param name="width">By how much the exponential is stretched; 1 when null.</param>
    private static Rule LineAndExponential(string comparison, Func<Vjp, float> line, Func<Vjp, float> curve, Func<Vjp, float>? width = null)
    {
        string Branch(Vjp v, string below) => v.E.Op("Where", [v.E.Op(comparison, [v.In(0), v.E.Scalar(0)]), v.E.Scalar(line(v)), below]);
        string Exponential(Vjp v) => v.E.Op("Exp", [width is null ? v.In(0) : v.E.Scaled(v.In(0), 1 / width(v))]);
        return SmoothOf(Domain.All, Pointwise.Smooth(v => Branch(v, v.E.Scaled(Exponential(v), curve(v))), 0, v => Branch(v, v.E.Scalar(curve(v)))));
    }
}
