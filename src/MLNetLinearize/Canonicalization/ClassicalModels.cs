using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// Operators of the domain <c>ai.onnx.ml</c>, which exporters of scikit-learn and ML.NET write, in standard ones, so that
/// the same rules hold. Their meaning is that of ONNX Runtime, which departs from the specification of the domain in
/// places. A class label is a whole number or a text, which has no slope: it is left out. Trees and encoders have slope 0 and stay.
/// </summary>
internal static class ClassicalModels
{
    public const string Domain = "ai.onnx.ml";

    /// <summary>The first version whose LabelEncoder is spelled by keys and values, as slot names in a saved model are.</summary>
    private const long Version = 2;

    /// <returns>What was left off the outputs, one sentence each.</returns>
    public static IReadOnlyList<string> Respell(Graph graph)
    {
        if (graph.Nodes.All(n => n.Domain != Domain)) return [];
        var notes = new List<string>();
        foreach (var node in graph.Nodes.Where(n => n.Domain == Domain && n.OpType == "ZipMap")) notes.Add(CutDictionary(graph, node));
        graph.Nodes = [.. graph.Nodes.SelectMany(n => n.Domain == Domain && Objection(n) is null ? Pieces(graph, n) : [n])];
        if (graph.Nodes.All(n => n.Domain != Domain || !n.Has("classes_strings") || n.OpType != "LabelEncoder"))
            foreach (var imported in graph.Header.OpsetImport.Where(o => o.Domain == Domain)) imported.Version = Math.Max(imported.Version, Version);
        return notes;
    }

    /// <summary>Why a node cannot be respelled, and the remedy; null where it can.</summary>
    public static (string Reason, string Remedy)? Objection(NodeProto node)
    {
        if (IsTree(node)) return null;
        if (node.OpType == "LinearClassifier" && Floats(node, "intercepts").Length == 0) return ("ONNX Runtime gives a classifier without intercepts no scores", "export it with intercepts, of 0");
        return SupportVectors.Objection(node) ?? (node.Text("post_transform", "NONE") == "PROBIT" && HasOneScoreForTwoClasses(node)
            ? ("ONNX Runtime leaves one of its two scores unset under PROBIT", "export it with post_transform NONE")
            : null);
    }

    /// <summary>The model with encoders that let pass what they do not know, so that made-up rows can be run; itself where it has no others.</summary>
    public static ModelProto Admitting(ModelProto model)
    {
        if (!model.Graph.Node.Any(IsStrict)) return model;
        model = model.Clone();
        foreach (var node in model.Graph.Node.Where(IsStrict)) node.Set("zeros", 1L);
        return model;
    }

    private static bool IsStrict(NodeProto node) => node.Domain == Domain && node.OpType == "OneHotEncoder" && node.Int("zeros", 1) == 0;

    private static bool IsTree(NodeProto node) => node.OpType.StartsWith("TreeEnsemble", StringComparison.Ordinal);

    private static List<NodeProto> Pieces(Graph graph, NodeProto node)
    {
        ClassicalParameters.Check(node);
        var to = new Replacement(graph, node);
        return node.OpType switch
        {
            "Scaler" => to.Output(0, to.Op("Mul", [to.Op("Sub", [Float(graph, node, 0, to), Row(to, node, "offset")]), Row(to, node, "scale")])),
            "Imputer" => to.Output(0, Imputed(node, to)),
            "Normalizer" => to.Output(0, Normalized(Float(graph, node, 0, to), node, to)),
            "Binarizer" => to.Output(0, to.Op("Cast", [to.Op("Greater", [Float(graph, node, 0, to), to.Scalar(node.Float("threshold", 0))])], ("to", (long)DataType.Float))),
            "FeatureVectorizer" => to.Output(0, Concatenated(graph, node, to)),
            // The indices come as [1, n].
            "ArrayFeatureExtractor" => to.Output(0, to.Op("Gather", [node.Input[0], to.Op("Reshape", [node.Input[1], to.Ints(-1)])], ("axis", -1L))),
            "LinearRegressor" => to.Output(0, Regression(Float(graph, node, 0, to), node, to)),
            "LinearClassifier" => to.Output(1, Classification(Float(graph, node, 0, to), node, to)),
            "SVMRegressor" => to.Output(0, SupportVectors.Regression(Float(graph, node, 0, to), node, to)),
            "SVMClassifier" => to.Output(1, SupportVectors.Classification(Float(graph, node, 0, to), node, to)),
            "ZipMap" => to.Output(0, node.Input[0]),
            _ => [node],
        };
    }

    /// <summary>Scores as a dictionary by class: the output becomes the tensor of the scores.</summary>
    private static string CutDictionary(Graph graph, NodeProto node)
    {
        var at = graph.Outputs.FindIndex(o => o.Name == node.Output[0]);
        if (at >= 0)
        {
            graph.Outputs[at] = Graph.Value(node.Output[0], DataType.Float, []);
            graph.Outputs[at].Type.TensorType.Shape = null;
        }
        return $"Output '{node.Output[0]}' is a dictionary by class in the model (ZipMap); it is taken as the tensor of its scores, in the order of the classes.";
    }

    /// <summary>These operators take whole numbers too, and give float ones.</summary>
    private static string Float(Graph graph, NodeProto node, int i, Replacement to)
    {
        var isFloat = graph.Inputs.Any(v => v.Name == node.Input[i] && (DataType)(v.Type?.TensorType?.ElemType ?? 0) == DataType.Float);
        return isFloat ? node.Input[i] : to.Op("Cast", [node.Input[i]], ("to", (long)DataType.Float));
    }

    private static string Row(Replacement to, NodeProto node, string attribute)
    {
        var values = Floats(node, attribute);
        return to.Floats(values, values.Length);
    }

    public static float[] Floats(NodeProto node, string attribute) => node.Find(attribute) is { } a ? [.. a.Floats] : [];

    private static string Imputed(NodeProto node, Replacement to)
    {
        var x = node.Input[0];
        if (node.Ints("imputed_value_int64s") is { Length: > 0 } integers)
            return to.Op("Where", [to.Op("Equal", [x, to.Ints(node.Int("replaced_value_int64", 0))]), to.Ints(integers), x]);
        var missing = node.Float("replaced_value_float", 0);
        var isMissing = float.IsNaN(missing) ? to.Op("IsNaN", [x]) : to.Op("Equal", [x, to.Scalar(missing)]);
        return to.Op("Where", [isMissing, Row(to, node, "imputed_value_floats"), x]);
    }

    /// <summary>A row of zeros stays one.</summary>
    private static string Normalized(string x, NodeProto node, Replacement to)
    {
        if (node.Text("norm", "MAX") is "L1" or "L2") return to.Op("LpNormalization", [x], ("axis", -1L), ("p", node.Text("norm", "") == "L1" ? 1L : 2L));
        var largest = to.Op("ReduceMax", [x, to.Ints(-1)], ("keepdims", 1L));
        return to.Op("Div", [x, to.Op("Where", [to.Op("Equal", [largest, to.Scalar(0)]), to.Scalar(1), largest])]);
    }

    private static string Concatenated(Graph graph, NodeProto node, Replacement to)
    {
        var widths = node.Ints("inputdimensions") ?? [];
        return to.Op("Concat", [.. node.Input.Select((_, i) => to.Op("Reshape", [Float(graph, node, i, to), to.Ints(0, widths[i])]))], ("axis", 1L));
    }

    private static string Regression(string x, NodeProto node, Replacement to)
    {
        var (weights, offsets, targets) = (Floats(node, "coefficients"), Floats(node, "intercepts"), (int)node.Int("targets", 1));
        return Transformed(Affine(x, weights, offsets.Length == targets ? offsets : new float[targets], to), targets, node, to);
    }

    private static string Classification(string x, NodeProto node, Replacement to)
    {
        var (weights, offsets) = (Floats(node, "coefficients"), Floats(node, "intercepts"));
        return HasOneScoreForTwoClasses(node)
            ? TwoClasses(x, weights, offsets[0], node, opposite: 1, to)
            : Transformed(Affine(x, weights, offsets, to), offsets.Length, node, to);
    }

    public static int Classes(NodeProto node) => Math.Max(node.Ints("classlabels_ints")?.Length ?? 0, node.Find("classlabels_strings")?.Strings.Count ?? 0);

    private static bool HasOneScoreForTwoClasses(NodeProto node) => Classes(node) == 2 && node.OpType switch
    {
        "LinearClassifier" => Floats(node, "intercepts").Length == 1,
        "SVMClassifier" => Floats(node, "support_vectors").Length > 0,
        _ => false,
    };

    /// <summary>
    /// One score s for two classes: σ of −s and s under LOGISTIC; otherwise <paramref name="opposite"/> − s and s, whatever the transform.
    /// </summary>
    public static string TwoClasses(string x, float[] weights, float offset, NodeProto node, float opposite, Replacement to)
    {
        var isLogistic = node.Text("post_transform", "NONE") == "LOGISTIC";
        var scores = Affine(x, [.. weights.Select(w => -w), .. weights], [(isLogistic ? 0 : opposite) - offset, offset], to);
        return isLogistic ? to.Op("Sigmoid", [scores]) : scores;
    }

    /// <summary>x·Wᵀ + b, with a row of W for each of the offsets.</summary>
    public static string Affine(string x, float[] weights, float[] offsets, Replacement to, float factor = 1) =>
        to.Op("Gemm", [x, to.Floats(weights, offsets.Length, weights.Length / offsets.Length), to.Floats(offsets, offsets.Length)], ("alpha", factor), ("transB", 1L));

    /// <summary>A single score is left as it is, whatever the transform, but PROBIT.</summary>
    public static string Transformed(string scores, int count, NodeProto node, Replacement to) => node.Text("post_transform", "NONE") switch
    {
        "LOGISTIC" when count > 1 => to.Op("Sigmoid", [scores]),
        "SOFTMAX" when count > 1 => to.Op("Softmax", [scores], ("axis", -1L)),
        "SOFTMAX_ZERO" when count > 1 => SoftmaxOfNonZero(scores, to),
        "PROBIT" => Probit(scores, to),
        _ => scores,
    };

    /// <summary>Softmax over the scores that are not 0, which here begins below 1e-7. One that is takes no part, and gets its product with what a score of 0 would get.</summary>
    private static string SoftmaxOfNonZero(string scores, Replacement to)
    {
        var largest = to.Op("ReduceMax", [scores, to.Ints(-1)], ("keepdims", 1L));
        var isSome = to.Op("Greater", [to.Op("Abs", [scores]), to.Scalar(1e-7f)]);
        var powers = to.Op("Exp", [to.Sub(scores, largest)]);
        var sum = to.Op("ReduceSum", [to.Op("Where", [isSome, powers, to.Scalar(0)]), to.Ints(-1)], ("keepdims", 1L));
        return to.Op("Div", [to.Op("Where", [isSome, powers, to.Mul(scores, to.Op("Exp", [to.Op("Neg", [largest])]))]), sum]);
    }

    /// <summary>
    /// The inverse of the normal distribution, √2·erf⁻¹(2p − 1), by the formula that ONNX Runtime uses (S. Winitzki, A handy
    /// approximation for the error function and its inverse, 2008).
    /// </summary>
    private static string Probit(string p, Replacement to)
    {
        const float A = 0.147f;
        var x = to.Sub(to.Scaled(p, 2), to.Scalar(1));
        var log = to.Op("Log", [to.Mul(to.Sub(to.Scalar(1), x), to.Add(to.Scalar(1), x))]);
        var half = to.Add(to.Scaled(log, 0.5f), to.Scalar(2 / (MathF.PI * A)));
        var size = to.Scaled(to.Op("Sqrt", [to.Sub(to.Op("Sqrt", [to.Sub(to.Mul(half, half), to.Scaled(log, 1 / A))]), half)]), MathF.Sqrt(2));
        return to.Op("Where", [to.Op("Less", [x, to.Scalar(0)]), to.Op("Neg", [size]), size]);
    }
}
