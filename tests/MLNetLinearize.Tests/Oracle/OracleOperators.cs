using P = MLNetLinearize.Tests.Oracle.PointwiseOperators;
using S = MLNetLinearize.Tests.Oracle.ShapeOperators;

namespace MLNetLinearize.Tests.Oracle;

/// <summary>The operators that the oracle knows.</summary>
internal static class OracleOperators
{
    public static IReadOnlyList<Dual> Apply(OracleNode node) => node.Operator switch
    {
        "MaxPool" => PoolingOperators.MaxPool(node),
        "TopK" => ReductionOperators.TopK(node),
        "Split" => S.Split(node),
        "RNN" or "GRU" or "LSTM" => RecurrentOperators.Apply(node),
        _ => [Single(node)],
    };

    private static Dual Single(OracleNode node) => node.Operator switch
    {
        "Conv" => ConvolutionOperators.Conv(node),
        "ConvTranspose" => ConvolutionOperators.ConvTranspose(node),
        "Gemm" => MatrixOperators.Gemm(node),
        "MatMul" => MatrixOperators.Multiply(node.X, node[1]),

        "Einsum" => EinsumOperator.Apply(node),

        "Add" or "Sub" or "Mul" or "Div" => ArithmeticOperators.Binary(node),
        "Sum" => ArithmeticOperators.Sum(node),
        "Mean" => ArithmeticOperators.Mean(node),
        "Max" => ArithmeticOperators.Extremum(node, 1),
        "Min" => ArithmeticOperators.Extremum(node, -1),
        "Where" => ArithmeticOperators.Where(node),
        "Greater" or "GreaterOrEqual" or "Less" or "LessOrEqual" or "Equal" or "And" or "Or" or "Xor" or "Not" => ArithmeticOperators.Compare(node),
        "Sign" => ArithmeticOperators.Step(node, z => Math.Sign(z)),
        "Floor" => ArithmeticOperators.Step(node, Math.Floor),
        "Ceil" => ArithmeticOperators.Step(node, Math.Ceiling),
        "Round" => ArithmeticOperators.Step(node, z => Math.Round(z, MidpointRounding.ToEven)),
        "Hardmax" => ReductionOperators.Hardmax(node),
        "ArgMax" or "ArgMin" => ReductionOperators.ArgExtremum(node),
        "Neg" => node.X * Dual.Scalar(-1),

        "Abs" => P.Absolute(node.X),
        "Relu" => P.Relu(node.X),
        "LeakyRelu" => P.LeakyRelu(node),
        "PRelu" => P.PRelu(node),
        "ThresholdedRelu" => P.ThresholdedRelu(node),
        "Clip" => P.Clip(node),
        "Elu" => P.Elu(node),
        "Celu" => P.Celu(node),
        "Selu" => P.Selu(node),
        "HardSigmoid" => P.HardSigmoid(node).As(Role.Gate),
        "HardSwish" => P.HardSwish(node.X),
        "Sigmoid" => P.Sigmoid(node.X).As(Role.Gate),
        "Tanh" => P.Tanh(node.X).As(Role.Gate),
        "Softplus" => P.Softplus(node.X),
        "Softsign" => P.Softsign(node.X),
        "Swish" => P.Swish(node),
        "Mish" => P.Mish(node.X),
        "Gelu" => P.Gelu(node),
        "Erf" => P.Erf(node.X),
        "Exp" => P.Exponential(node.X),
        "Log" => P.Logarithm(node.X),
        "Sqrt" => P.SquareRoot(node.X),
        "Reciprocal" => node.X.Reciprocal(),
        "Pow" => P.Power(node),
        "Sin" or "Cos" or "Tan" or "Sinh" or "Cosh" or "Asin" or "Acos" or "Atan" or "Asinh" or "Acosh" or "Atanh" => P.Trigonometric(node),

        "AveragePool" => PoolingOperators.AveragePool(node),
        "GlobalAveragePool" => PoolingOperators.GlobalAveragePool(node),
        "GlobalMaxPool" => PoolingOperators.GlobalMaxPool(node),
        "LpPool" or "GlobalLpPool" => PoolingOperators.LpPool(node),
        "MaxUnpool" => PoolingOperators.MaxUnpool(node),
        "ReduceSum" or "ReduceMean" or "ReduceMax" or "ReduceMin" or "ReduceProd" or "ReduceL1" or "ReduceL2" or "ReduceSumSquare" or "ReduceLogSum" or "ReduceLogSumExp" => ReductionOperators.Reduce(node),

        "BatchNormalization" => NormalizationOperators.BatchNormalization(node),
        "InstanceNormalization" => NormalizationOperators.InstanceNormalization(node),
        "LayerNormalization" => NormalizationOperators.LayerNormalization(node),
        "GroupNormalization" => NormalizationOperators.GroupNormalization(node),
        "RMSNormalization" => NormalizationOperators.RootMeanSquare(node),
        "MeanVarianceNormalization" => NormalizationOperators.MeanVariance(node),
        "LpNormalization" => NormalizationOperators.Lp(node),
        "LRN" => NormalizationOperators.LocalResponse(node),
        "Softmax" => Reading.Tangent(() => NormalizationOperators.Softmax(node, logarithm: false)).As(Role.Gate),
        "LogSoftmax" => Reading.Tangent(() => NormalizationOperators.Softmax(node, logarithm: true)),

        "Identity" or "Dropout" => node.X,
        "Cast" => S.Cast(node),
        "Flatten" => S.Flatten(node),
        "Reshape" => S.Reshape(node),
        "Transpose" => S.Transpose(node),
        "Squeeze" => S.Squeeze(node),
        "Unsqueeze" => S.Unsqueeze(node),
        "Concat" => S.Concat(node),
        "Slice" => S.Slice(node),
        "Pad" => S.Pad(node),
        "Expand" => S.Expand(node),
        "Tile" => S.Tile(node),
        "Constant" => S.Constant(node),
        "ConstantOfShape" => S.ConstantOfShape(node),
        "EyeLike" => S.EyeLike(node),
        "Shape" => S.Shape(node),
        "Size" => Dual.Whole([], [node.X.Value.Length]),

        "Gather" => IndexingOperators.Gather(node),
        "OneHot" => IndexingOperators.OneHot(node),
        "GatherElements" => IndexingOperators.GatherElements(node),
        "ScatterElements" => IndexingOperators.ScatterElements(node),
        "GatherND" => IndexingNdOperators.Gather(node),
        "ScatterND" => IndexingNdOperators.Scatter(node),
        "Resize" or "Upsample" => ResamplingOperators.Resize(node),
        "GridSample" => ResamplingOperators.GridSample(node),
        "CumSum" => ReductionOperators.CumulativeSum(node),
        "Trilu" => IndexingOperators.Triangle(node),
        "DepthToSpace" => IndexingOperators.DepthToSpace(node),
        "SpaceToDepth" => IndexingOperators.SpaceToDepth(node),
        _ => throw new NotSupportedException($"The oracle does not know {node.Operator}."),
    };
}
