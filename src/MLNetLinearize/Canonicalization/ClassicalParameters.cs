using MLNetLinearize.Onnx;

namespace MLNetLinearize.Canonicalization;

/// <summary>Whether the lists of numbers that operators of <c>ai.onnx.ml</c> hold are as long as each other and the node ask for.</summary>
internal static class ClassicalParameters
{
    /// <exception cref="InvalidModelException">One is missing, or too short.</exception>
    public static void Check(NodeProto node)
    {
        var wrong = node.OpType switch
        {
            "FeatureVectorizer" => AtLeast(node, "inputdimensions", node.Ints("inputdimensions")?.Length ?? 0, node.Input.Count),
            "LinearRegressor" => Targets(node),
            "SVMRegressor" => Regression(node),
            "SVMClassifier" => Classification(node),
            _ => null,
        };
        if (wrong is not null) throw new InvalidModelException($"The model is damaged at {node.Describe()}: {wrong}. Check the file with onnx.checker.");
    }

    private static string? Targets(NodeProto node) => node.Int("targets", 1) is var targets && (targets < 1 || targets > int.MaxValue)
        ? $"it has {targets} targets"
        : AtLeast(node, "coefficients", targets);

    private static string? Regression(NodeProto node)
    {
        var vectors = node.Int("n_supports", 0);
        if (vectors > int.MaxValue) return $"it has {vectors} support vectors";
        return AtLeast(node, "rho", 1)
            ?? (vectors > 0 ? AtLeast(node, "support_vectors", vectors) ?? AtLeast(node, "coefficients", vectors) : AtLeast(node, "coefficients", 1));
    }

    private static string? Classification(NodeProto node)
    {
        var (counts, classes) = (node.Ints("vectors_per_class") ?? [], (long)ClassicalModels.Classes(node));
        if (counts.Any(c => c is < 0 or > int.MaxValue)) return $"it has [{string.Join(", ", counts)}] support vectors a class";
        var vectors = counts.Sum();
        if (vectors > int.MaxValue) return $"it has {vectors} support vectors";
        if (vectors == 0) return AtLeast(node, "rho", 1) ?? AtLeast(node, "coefficients", classes);
        if (counts.Length != classes) return $"it has {classes} classes, and counts the support vectors of {counts.Length}";
        return AtLeast(node, "rho", classes * (classes - 1) / 2) ?? AtLeast(node, "support_vectors", vectors)
            ?? AtLeast(node, "coefficients", (classes - 1) * vectors);
    }

    private static string? AtLeast(NodeProto node, string attribute, long least) =>
        AtLeast(node, attribute, ClassicalModels.Floats(node, attribute).Length, least);

    private static string? AtLeast(NodeProto node, string attribute, long length, long least) =>
        length >= least ? null : $"its {attribute} has {length} {(length == 1 ? "number" : "numbers")}, and {least} {(least == 1 ? "is" : "are")} needed";
}
