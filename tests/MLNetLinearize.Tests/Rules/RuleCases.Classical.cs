using static MLNetLinearize.Tests.Rules.Net;

namespace MLNetLinearize.Tests.Rules;

/// <summary>Operators of the domain ai.onnx.ml, as exporters of scikit-learn and ML.NET write them.</summary>
internal static partial class RuleCases
{
    private static readonly long[] ThreeClasses = [0, 1, 2];

    private static IEnumerable<RuleCase> Classical() =>
    [
        Classical("Scaler", "", (n, x) => n.Classical("Scaler", [x], ("offset", new[] { 1f, -2, 0.5f, 0 }), ("scale", new[] { 2f, 0.1f, -1, 3 }))),
        Classical("Scaler", ", one factor, without batch axis", (n, x) => n.Classical("Scaler", [x], ("offset", new[] { 1f }), ("scale", new[] { 2f }))) with { Batch = null },
        Classical("Imputer", "", (n, x) => n.Classical("Imputer", [n.Op("Relu", [x])], ("imputed_value_floats", new[] { 1f, 2, 3, 4 }), ("replaced_value_float", 0f))),
        Classical("Imputer", ", NaN", (n, x) => n.Classical("Imputer", [x], ("imputed_value_floats", new[] { 1f }), ("replaced_value_float", float.NaN))),
        Classical("Normalizer", ", L1", (n, x) => n.Classical("Normalizer", [x], ("norm", "L1"))) with { IsPiecewiseLinear = false },
        Classical("Normalizer", ", L2", (n, x) => n.Classical("Normalizer", [x], ("norm", "L2"))) with { IsPiecewiseLinear = false },
        Classical("Normalizer", ", MAX", (n, x) => n.Classical("Normalizer", [x], ("norm", "MAX"))) with { IsPiecewiseLinear = false },
        Classical("Binarizer", "", (n, x) => n.Op("Add", [n.Classical("Binarizer", [x], ("threshold", 0.3f)), x])),
        Classical("FeatureVectorizer", "", (n, x) => n.Classical("FeatureVectorizer", [x, n.Op("Relu", [x]), x], ("inputdimensions", L(4, 4, 4)))),
        Classical("ArrayFeatureExtractor", "", (n, x) => n.Classical("ArrayFeatureExtractor", [x, n.Ints([2, 0, 2], [1, 3])])),
        Classical("LinearRegressor", "", (n, x) => n.Classical("LinearRegressor", [x], ("coefficients", Numbers(4)), ("intercepts", new[] { 0.7f }))),
        Classical("LinearRegressor", ", a transform of one score", (n, x) => n.Classical("LinearRegressor", [x], ("coefficients", Numbers(4)), ("intercepts", new[] { 0.7f }), ("post_transform", "LOGISTIC"))),
        Classical("LinearRegressor", ", three targets", (n, x) => n.Classical("LinearRegressor", [x], ("coefficients", Numbers(12)), ("targets", 3L))),
        Classical("LinearClassifier", ", three classes", (n, x) => Classifier(n, x, Numbers(12), [0.5f, -0.2f, 0.1f], "NONE", ThreeClasses)),
        Classical("LinearClassifier", ", two classes, one score", (n, x) => Classifier(n, x, Numbers(4), [0.5f], "NONE", [0, 1])),
        Classical("LinearClassifier", ", two classes, one score, softmax", (n, x) => Classifier(n, x, Numbers(4), [0.5f], "SOFTMAX", [0, 1])),
        Classical("LinearClassifier", ", two classes, one score, logistic inside", (n, x) => Inside(n, Classifier(n, x, Numbers(4), [0.5f], "LOGISTIC", [0, 1]), 2)) with { IsPiecewiseLinear = false },
        Classical("LinearClassifier", ", two classes, two scores", (n, x) => Classifier(n, x, Numbers(8), [0.5f, -0.5f], "NONE", [0, 1])),
        Classical("LinearClassifier", ", softmax inside", (n, x) => Inside(n, Classifier(n, x, Numbers(12), [0.5f, -0.2f, 0.1f], "SOFTMAX", ThreeClasses), 3)) with { IsPiecewiseLinear = false },
        Classical("LinearClassifier", ", logistic inside", (n, x) => Inside(n, Classifier(n, x, Numbers(12), [0.5f, -0.2f, 0.1f], "LOGISTIC", ThreeClasses), 3)) with { IsPiecewiseLinear = false },
        Classical("LinearRegressor", ", probit of one score", (n, x) => n.Classical("LinearRegressor", [x], ("coefficients", Small(4)), ("intercepts", new[] { 0.12f }), ("post_transform", "PROBIT"))) with { IsPiecewiseLinear = false },
        Classical("LinearRegressor", ", probits", (n, x) => n.Classical("LinearRegressor", [x], ("coefficients", Small(8)), ("intercepts", new[] { 0.2f, 0.85f }), ("targets", 2L), ("post_transform", "PROBIT"))) with { IsPiecewiseLinear = false },
        Classical("LinearClassifier", ", probits", (n, x) => Classifier(n, x, Small(12), [0.2f, 0.7f, 0.9f], "PROBIT", ThreeClasses)) with { IsPiecewiseLinear = false },
        Classical("LinearClassifier", ", softmax of scores that are not 0", (n, x) => Classifier(n, x, [.. Numbers(8), 0, 0, 0, 0], [0.2f, -0.7f, 0], "SOFTMAX_ZERO", ThreeClasses)) with { IsPiecewiseLinear = false },
        Classical("SVMRegressor", ", linear", (n, x) => n.Classical("SVMRegressor", [x], ("coefficients", Numbers(4)), ("rho", new[] { 0.3f }), ("kernel_params", new float[3]), ("n_supports", 0L))),
        .. new[] { "LINEAR", "POLY", "RBF", "SIGMOID" }.SelectMany(kernel => new[]
        {
            Classical("SVMRegressor", $", {kernel} kernel", (n, x) => Supported(n, x, "SVMRegressor", kernel, Numbers(5), [0.3f], ("n_supports", 5L))) with { IsPiecewiseLinear = kernel == "LINEAR" },
            Classical("SVMClassifier", $", {kernel} kernel, three classes", (n, x) => Supported(n, x, "SVMClassifier", kernel, Numbers(10), [0.3f, -0.1f, 0.2f], ("vectors_per_class", L(2, 1, 2)), ("classlabels_ints", ThreeClasses))) with { IsPiecewiseLinear = kernel == "LINEAR" },
        }),
        Classical("SVMRegressor", ", one class", (n, x) => n.Op("Add", [x, Supported(n, x, "SVMRegressor", "RBF", Numbers(5), [-0.1f], ("n_supports", 5L), ("one_class", 1L))])),
        Classical("SVMClassifier", ", two classes", (n, x) => Supported(n, x, "SVMClassifier", "RBF", Numbers(5), [0.3f], ("vectors_per_class", L(3, 2)), ("classlabels_ints", L(0, 1)))) with { IsPiecewiseLinear = false },
        Classical("SVMClassifier", ", two classes, softmax", (n, x) => Supported(n, x, "SVMClassifier", "RBF", Numbers(5), [0.3f], ("vectors_per_class", L(3, 2)), ("classlabels_ints", L(0, 1)), ("post_transform", "SOFTMAX"))) with { IsPiecewiseLinear = false },
        Classical("SVMClassifier", ", two classes, logistic inside", (n, x) => Inside(n, Supported(n, x, "SVMClassifier", "RBF", Numbers(5), [0.3f], ("vectors_per_class", L(3, 2)), ("classlabels_ints", L(0, 1)), ("post_transform", "LOGISTIC")), 2)) with { IsPiecewiseLinear = false },
        Classical("SVMClassifier", ", three classes, softmax inside", (n, x) => Inside(n, Supported(n, x, "SVMClassifier", "POLY", Numbers(10), [0.3f, -0.1f, 0.2f], ("vectors_per_class", L(2, 1, 2)), ("classlabels_ints", ThreeClasses), ("post_transform", "SOFTMAX")), 3)) with { IsPiecewiseLinear = false },
        Classical("SVMClassifier", ", without support vectors", (n, x) => n.Classicals("SVMClassifier", 2, [x], ("coefficients", Numbers(12)), ("rho", new[] { 0.3f }), ("kernel_params", new float[3]), ("classlabels_ints", ThreeClasses))[1]),
        Classical("TreeEnsembleRegressor", "", (n, x) => n.Classical("TreeEnsembleRegressor", [x], Stumps)) with { IsConstant = true },
        Classical("TreeEnsembleRegressor", " beside a linear model", (n, x) => n.Op("Add", [n.Classical("TreeEnsembleRegressor", [x], Stumps), n.Classical("LinearRegressor", [x], ("coefficients", Numbers(4)), ("intercepts", new[] { 0.7f }))])),
    ];

    /// <summary>A tree of two splits and one of one.</summary>
    private static readonly (string, object)[] Stumps =
    [
        ("n_targets", 1L), ("nodes_treeids", L(0, 0, 0, 0, 0, 1, 1, 1)), ("nodes_nodeids", L(0, 1, 2, 3, 4, 0, 1, 2)), ("nodes_featureids", L(1, 3, 0, 0, 0, 2, 0, 0)),
        ("nodes_modes", new[] { "BRANCH_LEQ", "BRANCH_LEQ", "LEAF", "LEAF", "LEAF", "BRANCH_LEQ", "LEAF", "LEAF" }), ("nodes_values", new[] { 0.1f, -0.4f, 0, 0, 0, 0.6f, 0, 0 }),
        ("nodes_truenodeids", L(1, 2, 0, 0, 0, 1, 0, 0)), ("nodes_falsenodeids", L(4, 3, 0, 0, 0, 2, 0, 0)),
        ("target_treeids", L(0, 0, 0, 1, 1)), ("target_nodeids", L(2, 3, 4, 1, 2)), ("target_ids", L(0, 0, 0, 0, 0)), ("target_weights", new[] { 1.5f, -2, 0.25f, 3, -1 }),
    ];

    private static RuleCase Classical(string op, string what, Func<Net, string, string> body) => Case($"ai.onnx.ml {op}{what}", $"ai.onnx.ml.{op}", [4], body);

    private static string Classifier(Net n, string x, float[] weights, float[] offsets, string transform, long[] labels) =>
        n.Classicals("LinearClassifier", 2, [x], ("coefficients", weights), ("intercepts", offsets), ("post_transform", transform), ("multi_class", 1L), ("classlabels_ints", labels))[1];

    private static string Supported(Net n, string x, string op, string kernel, float[] weights, float[] rho, params (string, object)[] more)
    {
        var names = n.Classicals(op, op == "SVMClassifier" ? 2 : 1, [x], [("coefficients", weights), ("rho", rho), ("kernel_type", kernel), ("kernel_params", new[] { 0.4f, 0.3f, 3 }), ("support_vectors", Numbers(20)), .. more]);
        return names[^1];
    }

    private static string Inside(Net n, string scores, int count) => n.Op("MatMul", [scores, n.Weights(count, 2)]);

    /// <summary>Such that what is near a probability stays one.</summary>
    private static float[] Small(int count) => [.. Numbers(count).Select(v => 0.02f * v)];

    /// <summary>Numbers of both signs, none alike.</summary>
    private static float[] Numbers(int count) => [.. Enumerable.Range(0, count).Select(i => MathF.Sin(1 + 2.3f * i))];
}
