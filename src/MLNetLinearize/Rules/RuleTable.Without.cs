namespace MLNetLinearize.Rules;

/// <summary>Operators without a rule on purpose: constant ones, and refused ones with the reason and the nearest remedy.</summary>
internal static partial class RuleTable
{
    private static readonly string[] ConstantOperators =
    [
        "Shape", "Size", "Constant", "ConstantOfShape", "Range", "EyeLike", "OneHot",
        "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "And", "Or", "Xor", "Not", "IsNaN", "IsInf",
        "Sign", "Floor", "Ceil", "Round", "ArgMax", "ArgMin", "Hardmax",
        "BitCast", "BitShift", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "BitwiseNot", "HannWindow", "HammingWindow", "BlackmanWindow", "MelWeightMatrix",
        "SequenceEmpty", "SequenceLength", "OptionalHasElement",
        "StringConcat", "StringNormalizer", "StringSplit", "RegexFullMatch", "TfIdfVectorizer", "ImageDecoder",
    ];

    private const string DecidedByTheRow = "which branch runs, or the number of rounds, depends on the row (where it does not, the inner graph is put in place)";

    internal const string ExplainFromHere = "explain between tensors on one side of it with ExplainedInputs and ExplainedOutput";

    private static readonly Dictionary<string, (string Reason, string Remedy)> RefusedOperators = new(StringComparer.Ordinal)
    {
        ["If"] = (DecidedByTheRow, "export the branch that is used, or the model unrolled"),
        ["Loop"] = (DecidedByTheRow, "export the model unrolled, or " + ExplainFromHere),
        ["Scan"] = (DecidedByTheRow, "export the model unrolled, or " + ExplainFromHere),
        ["SequenceMap"] = ("the length of its sequence depends on the row (where it does not, the inner graph is put in place)", "export the model unrolled, or " + ExplainFromHere),
        ["NonZero"] = ("the shape of its output depends on the data", ExplainFromHere),
        ["NonMaxSuppression"] = ("the shape of its output depends on the data", "explain the scores before it: name them as ExplainedOutput"),
        ["Unique"] = ("the shape of its output depends on the data", ExplainFromHere),
        ["Dropout"] = ("it is in training mode, so that its output is random", "export the model in evaluation mode"),
        ["RandomNormal"] = ("its output is random", "export the model in evaluation mode"),
        ["RandomUniform"] = ("its output is random", "export the model in evaluation mode"),
        ["Multinomial"] = ("its output is random", "export the model in evaluation mode"),
        ["RandomNormalLike"] = ("its output is random", "export the model in evaluation mode"),
        ["RandomUniformLike"] = ("its output is random", "export the model in evaluation mode"),
        ["Bernoulli"] = ("its output is random", "export the model in evaluation mode"),
    };

    /// <summary>Why a node cannot be linearized, and what to do.</summary>
    public static (string Reason, string Remedy) WhyNot(Onnx.NodeProto node)
    {
        if (node.Domain == Canonicalization.ClassicalModels.Domain && node.OpType is "CastMap" or "DictVectorizer") return ("it reads a dictionary, which no column holds", "export the model from the tensor that it makes");
        if (!Onnx.Nodes.IsStandard(node)) return ($"it is an operator of the domain '{node.Domain}', whose mathematics is unknown here", "export the model in standard ai.onnx operators, or " + ExplainFromHere);
        return RefusedOperators.TryGetValue(node.OpType, out var known) ? known : ("the operator has no rule yet", "export the model without it, or " + ExplainFromHere);
    }
}
