using System.Collections.Frozen;

namespace MLNetLinearize.Onnx;

/// <summary>
/// How many tensors each operator reads and makes, and which of them may be left out: what a node breaks is told by its name, before ONNX
/// Runtime or a rewrite sees the node. Of the versions of an operator the widest is meant.
/// Source: the operators' specifications at onnx.ai/onnx/operators; for com.microsoft, ONNX Runtime's docs/ContribOperators.md.
/// </summary>
internal static class Signatures
{
    /// <summary>
    /// Inputs, outputs, operators. x: it must be there; ?: it may be left out, or be empty; .: it may be left out, and not be empty;
    /// *: any number more, none of them empty; -: none.
    /// </summary>
    private const string Table = """
        - > x: Constant RandomNormal RandomUniform SequenceEmpty
        ? > x: Optional
        x > *: If
        x > x: Abs Acos Acosh ArgMax ArgMin Asin Asinh Atan Atanh AveragePool Bernoulli BitCast BitwiseNot BlackmanWindow Cast Ceil Celu
           ConcatFromSequence ConstantOfShape Cos Cosh DepthToSpace Det Elu Erf Exp EyeLike Flatten Floor Gelu GlobalAveragePool GlobalLpPool
           GlobalMaxPool HammingWindow HannWindow HardSigmoid HardSwish Hardmax Identity ImageDecoder IsInf IsNaN LRN LeakyRelu Log LogSoftmax
           LpNormalization LpPool MeanVarianceNormalization Mish Multinomial Neg NonZero Not OptionalGetElement OptionalHasElement RandomNormalLike
           RandomUniformLike Reciprocal RegexFullMatch Relu Round Selu SequenceLength Shape Shrink Sigmoid Sign Sin Sinh Size Softmax Softplus Softsign
           SpaceToDepth Sqrt StringNormalizer Swish Tan Tanh TfIdfVectorizer ThresholdedRelu Transpose ai.onnx.ml.Binarizer ai.onnx.ml.CastMap
           ai.onnx.ml.CategoryMapper ai.onnx.ml.DictVectorizer ai.onnx.ml.Imputer ai.onnx.ml.LabelEncoder ai.onnx.ml.LinearRegressor
           ai.onnx.ml.Normalizer ai.onnx.ml.OneHotEncoder ai.onnx.ml.SVMRegressor ai.onnx.ml.Scaler ai.onnx.ml.TreeEnsemble
           ai.onnx.ml.TreeEnsembleRegressor ai.onnx.ml.ZipMap com.microsoft.Gelu com.microsoft.QuickGelu
        x > x?: MaxPool
        x > x???: Unique
        x > xx: StringSplit ai.onnx.ml.LinearClassifier ai.onnx.ml.SVMClassifier ai.onnx.ml.TreeEnsembleClassifier
        x > xxx: DynamicQuantizeLinear
        ?* > *: Scan
        x* > *: SequenceMap
        x* > x: Concat Einsum Max Mean Min SequenceConstruct Sum ai.onnx.ml.FeatureVectorizer
        x. > x: Reshape Unsqueeze Upsample
        x. > xx: TopK
        x? > *: Split
        x? > x: ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare SequenceErase
           SplitToSequence Squeeze Trilu com.microsoft.FastGelu
        xx > x: Add AffineGrid And BitShift BitwiseAnd BitwiseOr BitwiseXor CastLike CenterCropPad Compress CumProd CumSum Div Equal Expand Gather
           GatherElements GatherND Greater GreaterOrEqual GridSample Less LessOrEqual MatMul MaxRoiPool Mod Mul Or PRelu Pow RMSNormalization
           ReverseSequence SequenceAt StringConcat Sub Xor ai.onnx.ml.ArrayFeatureExtractor com.microsoft.BiasGelu com.microsoft.FusedMatMul
           com.microsoft.TransposeMatMul
        ??* > *: Loop
        x?? > x: Clip DFT
        x?? > x?: Dropout
        xx. > x: Tile
        xx? > x: Conv ConvTranspose DequantizeLinear Gemm MaxUnpool NegativeLogLikelihoodLoss QuantizeLinear SequenceInsert TensorScatter
           com.microsoft.DequantizeLinear com.microsoft.FusedGemm com.microsoft.QuantizeLinear
        xx? > x?: SoftmaxCrossEntropyLoss
        xx? > x??: LayerNormalization
        xxx > x: Col2Im GroupNormalization InstanceNormalization OneHot Range RoiAlign Scatter ScatterElements ScatterND Where
        x.?? > x: Pad
        x??? > x: Resize
        xx?? > x: ConvInteger MatMulInteger STFT com.microsoft.FusedConv
        xxx? > x: RotaryEmbedding
        x..?? > x: Slice
        xx??? > x: NonMaxSuppression
        xxx?? > x: DeformConv
        xxxxx > x: MelWeightMatrix
        xxxxx > x????: BatchNormalization
        xxx??? > ??: GRU RNN
        xxx??? > x: com.microsoft.MatMulNBits
        xxx???? > x???: Attention
        xxx????? > ???: LSTM
        xxxxxxxx > x: QLinearMatMul
        xxxxxxxx? > x: QLinearConv
        """;

    private static readonly FrozenDictionary<string, Signature> ByOperator = Read();

    /// <summary>Whether the table has an operator, by its domain and name.</summary>
    public static bool Contains(string op) => ByOperator.ContainsKey(op);

    /// <summary>What is wrong with a node's inputs and outputs; null where nothing is, or where the operator is none of the table's.</summary>
    public static string? Objection(NodeProto node) =>
        !ByOperator.TryGetValue(node.Operator(), out var signature) ? null
        : Objection("input", node.Input, signature.Inputs) ?? Objection("output", node.Output, IsTraining(node) ? "xxx" : signature.Outputs);

    /// <summary>Whether it gives back the statistics that it has gathered: ONNX Runtime writes both, whether they are named or not.</summary>
    private static bool IsTraining(NodeProto node) => node.OpType == "BatchNormalization" && node.Int("training_mode", 0) != 0;

    private static string? Objection(string what, IReadOnlyList<string> given, string form)
    {
        var (least, most) = (form.LastIndexOf('x') + 1, form.EndsWith('*') ? int.MaxValue : form.Length);
        if (given.Count < least || given.Count > most) return $"it has {Count(given.Count, what)}, and the operator {(what == "input" ? "takes" : "makes")} {Range(least, most)}";
        for (var i = 0; i < given.Count; i++)
            if (given[i].Length == 0 && (i < form.Length ? form[i] : '*') != '?') return $"its {what} {i} has no name, and must not be left out";
        return null;
    }

    private static string Count(int count, string what) => $"{count} {what}{(count == 1 ? "" : "s")}";

    private static string Range(int least, int most) => least == most ? $"{least}" : most == int.MaxValue ? $"{least} or more" : $"{least} to {most}";

    private static FrozenDictionary<string, Signature> Read()
    {
        var found = new Dictionary<string, Signature>(StringComparer.Ordinal);
        var signature = new Signature("", "");
        foreach (var line in Table.Split('\n'))
        {
            var parts = line.Split(": ");
            if (parts.Length == 2)
            {
                var sides = parts[0].Split(" > ");
                signature = new(sides[0] == "-" ? "" : sides[0], sides[1]);
            }
            foreach (var name in parts[^1].Split(' ', StringSplitOptions.RemoveEmptyEntries)) found.Add(name, signature);
        }
        return found.ToFrozenDictionary(StringComparer.Ordinal);
    }

    private sealed record Signature(string Inputs, string Outputs);
}
