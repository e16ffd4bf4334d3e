using MLNetLinearize.Onnx;
using MLNetLinearize.Rules;
using MLNetLinearize.Tests.Rules;

namespace MLNetLinearize.Tests.Documentation;

/// <summary>Every operator of the ONNX specification is in the table: with a rule, as a constant, or refused with a reason.</summary>
public class StandardOperatorTests
{
    /// <summary>The newest operator set that the ONNX Runtime in use opens.</summary>
    private const long Newest = 26;

    /// <summary>The operators of <c>ai.onnx</c> up to <see cref="Newest"/>, from the specification's index, those that were later renamed included.</summary>
    private const string Specified = """
        Abs Acos Acosh Add AffineGrid And ArgMax ArgMin Asin Asinh Atan Atanh Attention AveragePool BatchNormalization Bernoulli
        BitCast BitShift BitwiseAnd BitwiseNot BitwiseOr BitwiseXor BlackmanWindow Cast CastLike Ceil Celu CenterCropPad Clip Col2Im
        Compress Concat ConcatFromSequence Constant ConstantOfShape Conv ConvInteger ConvTranspose Cos Cosh CumProd CumSum DFT
        DeformConv DepthToSpace DequantizeLinear Det Div Dropout DynamicQuantizeLinear Einsum Elu Equal Erf Exp Expand EyeLike
        Flatten Floor GRU Gather GatherElements GatherND Gelu Gemm GlobalAveragePool GlobalLpPool GlobalMaxPool Greater
        GreaterOrEqual GridSample GroupNormalization HammingWindow HannWindow HardSigmoid HardSwish Hardmax Identity If
        ImageDecoder InstanceNormalization IsInf IsNaN LRN LSTM LayerNormalization LeakyRelu Less LessOrEqual Log LogSoftmax
        Loop LpNormalization LpPool MatMul MatMulInteger Max MaxPool MaxRoiPool MaxUnpool Mean MeanVarianceNormalization
        MelWeightMatrix Min Mish Mod Mul Multinomial Neg NegativeLogLikelihoodLoss NonMaxSuppression NonZero Not OneHot Optional
        OptionalGetElement OptionalHasElement Or PRelu Pad Pow QLinearConv QLinearMatMul QuantizeLinear RMSNormalization RNN
        RandomNormal RandomNormalLike RandomUniform RandomUniformLike Range Reciprocal ReduceL1 ReduceL2 ReduceLogSum
        ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare RegexFullMatch Relu Reshape Resize
        ReverseSequence RoiAlign RotaryEmbedding Round STFT Scan ScatterElements ScatterND Selu SequenceAt SequenceConstruct
        SequenceEmpty SequenceErase SequenceInsert SequenceLength SequenceMap Shape Shrink Sigmoid Sign Sin Sinh Size Slice
        Softmax SoftmaxCrossEntropyLoss Softplus Softsign SpaceToDepth Split SplitToSequence Sqrt Squeeze StringConcat
        StringNormalizer StringSplit Sub Sum Swish Tan Tanh TensorScatter TfIdfVectorizer ThresholdedRelu Tile TopK Transpose
        Trilu Unique Unsqueeze Where Xor
        """;

    /// <summary>The operators of <c>ai.onnx.ml</c>, version 5.</summary>
    private const string Classical = """
        ArrayFeatureExtractor Binarizer CastMap CategoryMapper DictVectorizer FeatureVectorizer Imputer LabelEncoder LinearClassifier
        LinearRegressor Normalizer OneHotEncoder SVMClassifier SVMRegressor Scaler TreeEnsemble TreeEnsembleClassifier
        TreeEnsembleRegressor ZipMap
        """;

    private static readonly string[] Names = [.. Words(Specified), .. Words(Classical).Select(op => $"ai.onnx.ml.{op}")];

    [Fact]
    public void Every_operator_of_the_specification_is_listed() =>
        Assert.Equal("", string.Join(' ', Names.Except(RuleTable.All.Keys)));

    [Fact]
    public void No_other_operator_is_listed() =>
        Assert.Equal("", string.Join(' ', RuleTable.All.Keys.Except(Names)));

    [Fact]
    public void The_list_is_that_of_the_newest_operator_set_the_runtime_opens()
    {
        using (Open(Newest)) Assert.NotNull(this);
        Assert.Throws<Microsoft.ML.OnnxRuntime.OnnxRuntimeException>(() => Open(Newest + 1));
    }

    [Fact]
    public void Every_refusal_has_a_reason_and_a_remedy() =>
        Assert.All(RuleTable.All.Where(r => r.Value.Kind == RuleKind.Refused), r =>
        {
            var (reason, remedy) = RuleTable.WhyNot(OperatorTable.Node(r.Key));
            Assert.DoesNotContain("no rule yet", reason, StringComparison.Ordinal);
            Assert.True(remedy.Length > 10);
        });

    private static string[] Words(string text) => text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);

    private static OriginalModel Open(long opset)
    {
        var net = new Net(opset, 1);
        var output = net.Op("Relu", [net.Input("x", "N", 1)]);
        return new OriginalModel(net.Build(output), output);
    }
}
