using MLNetLinearize.Canonicalization;

namespace MLNetLinearize.Rules;

/// <summary>
/// Operators of the domain ai.onnx.ml. Most are respelled before the rules; trees and encoders are piecewise constant, and
/// stay in the forward network as they are, the one part of it that is not written in standard operators.
/// </summary>
internal static partial class RuleTable
{
    private static readonly Dictionary<string, Rule> ClassicalOperators = new(StringComparer.Ordinal)
    {
        ["Scaler"] = Respelled(RuleKind.Linear),
        ["FeatureVectorizer"] = Respelled(RuleKind.Linear),
        ["ArrayFeatureExtractor"] = Respelled(RuleKind.Linear),
        ["ZipMap"] = Respelled(RuleKind.Linear),
        ["LinearRegressor"] = Respelled(RuleKind.Linear),
        ["LinearClassifier"] = Respelled(RuleKind.Linear),
        ["Imputer"] = Respelled(RuleKind.PiecewiseLinear),
        ["Normalizer"] = Respelled(RuleKind.Smooth),
        ["SVMRegressor"] = Respelled(RuleKind.Smooth),
        ["SVMClassifier"] = Respelled(RuleKind.Smooth),
        ["Binarizer"] = Respelled(RuleKind.Constant),
        ["LabelEncoder"] = new(RuleKind.Constant, null),
        ["OneHotEncoder"] = new(RuleKind.Constant, null),
        ["CategoryMapper"] = new(RuleKind.Constant, null),
        ["TreeEnsemble"] = new(RuleKind.Constant, null),
        ["TreeEnsembleClassifier"] = new(RuleKind.Constant, null),
        ["TreeEnsembleRegressor"] = new(RuleKind.Constant, null),
        ["CastMap"] = new(RuleKind.Refused, null),
        ["DictVectorizer"] = new(RuleKind.Refused, null),
    };

    private static Rule Respelled(RuleKind kind) => new(kind, null, Objection: ClassicalModels.Objection);
}
