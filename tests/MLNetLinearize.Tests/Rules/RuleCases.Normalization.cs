using static MLNetLinearize.Tests.Rules.Net;

namespace MLNetLinearize.Tests.Rules;

internal static partial class RuleCases
{
    private static IEnumerable<RuleCase> Normalization() =>
    [
        .. AtOpsets(Case("BatchNormalization", "BatchNormalization", [3, 4, 3], BatchNorm), 7, 9, 14, 15),
        Case("BatchNormalization, dense", "BatchNormalization", [3], BatchNorm),
        Case("BatchNormalization, 1-D", "BatchNormalization", [3, 5], BatchNorm),
        Case("BatchNormalization, 3-D", "BatchNormalization", [3, 2, 2, 2], BatchNorm),
        Case("BatchNormalization, large epsilon", "BatchNormalization", [3, 2, 2], (n, x) => n.Op("BatchNormalization", [x, n.Weights(3), n.Weights(3), n.Weights(3), n.Positive(3)], ("epsilon", 0.1f))),
        Case("BatchNormalization, after Conv", "BatchNormalization", [2, 5, 5], (n, x) => n.Op("Relu", [BatchNorm(n, n.Op("Conv", [x, n.Weights(3, 2, 3, 3), n.Weights(3)]))])),
        Case("BatchNormalization, before Conv", "BatchNormalization", [3, 5, 5], (n, x) => n.Op("Conv", [BatchNorm(n, x), n.Weights(2, 3, 3, 3), n.Weights(2)])),
        Case("BatchNormalization, before padded Conv", "BatchNormalization", [3, 4, 4], (n, x) => n.Op("Conv", [BatchNorm(n, x), n.Weights(2, 3, 3, 3)], ("pads", L(1, 1, 1, 1)))),
        Case("BatchNormalization, between Conv and MaxPool", "BatchNormalization", [2, 6, 6], (n, x) => n.Op("MaxPool", [n.Op("Relu", [BatchNorm(n, n.Op("Conv", [x, n.Weights(3, 2, 3, 3)]))])], ("kernel_shape", L(2, 2)), ("strides", L(2, 2)))),
        Case("BatchNormalization, one set of statistics for two nodes", "BatchNormalization", [3, 2, 2], (n, x) =>
        {
            string[] statistics = [n.Weights(3), n.Weights(3), n.Weights(3), n.Positive(3)];
            return n.Op("BatchNormalization", [n.Op("Relu", [n.Op("BatchNormalization", [x, .. statistics])]), .. statistics]);
        }),
        Case("InstanceNormalization", "InstanceNormalization", [2, 3, 4], (n, x) => n.Op("InstanceNormalization", [x, n.Weights(2), n.Weights(2)])) with { IsPiecewiseLinear = false },
        Case("LayerNormalization", "LayerNormalization", [3, 4], (n, x) => n.Op("LayerNormalization", [x, n.Weights(4), n.Weights(4)])) with { IsPiecewiseLinear = false },
        Case("LayerNormalization, two axes, no shift", "LayerNormalization", [3, 4], (n, x) => n.Op("LayerNormalization", [x, n.Weights(3, 4)], ("axis", 1L))) with { IsPiecewiseLinear = false },
        Case("LRN", "LRN", [5, 2, 2], (n, x) => n.Op("LRN", [x], ("size", 3L), ("alpha", 0.9f), ("bias", 2f))) with { IsPiecewiseLinear = false },
        Case("LRN, window wider than the channels", "LRN", [3, 2, 2], (n, x) => n.Op("LRN", [x], ("size", 9L), ("alpha", 0.9f))) with { IsPiecewiseLinear = false },
        Case("LRN, beta 0.5", "LRN", [7, 2], (n, x) => n.Op("Squeeze", [n.Op("LRN", [n.Op("Unsqueeze", [x, n.Ints(3)])], ("size", 5L), ("alpha", 0.5f), ("beta", 0.5f)), n.Ints(3)])) with { IsPiecewiseLinear = false },
        Case("LRN, beta 1", "LRN", [5, 2, 2], (n, x) => n.Op("LRN", [x], ("size", 3L), ("alpha", 0.9f), ("beta", 1f))) with { IsPiecewiseLinear = false },
        Case("LRN, another beta", "LRN", [5, 2, 2], (n, x) => n.Op("LRN", [x], ("size", 5L), ("alpha", 0.9f), ("beta", 0.6f))) with { IsPiecewiseLinear = false },

        .. AtOpsets(Case("Dropout", "Dropout", [6], (n, x) => n.Op("Relu", [n.Op("Dropout", [x], ("ratio", 0.3f))])), 7, 10),
        .. AtOpsets(Case("Dropout, ratio as input", "Dropout", [6], (n, x) => n.Op("Relu", [n.Op("Dropout", [x, n.Floats([0.3f])])])), 12, 13),
        Case("Dropout, training_mode true, ratio 0", "Dropout", [6], (n, x) => n.Op("Relu", [n.Op("Dropout", [x, n.Floats([0], []), n.Booleans([true])])])),
        Case("Dropout, training_mode true, ratio 0, mask read", "Dropout", [6], (n, x) => n.Ops("Dropout", 2, [x, n.Floats([0], []), n.Booleans([true])]) is var y ? n.Op("Where", [y[1], y[0], n.Op("Neg", [x])]) : ""),
        Case("Dropout, training_mode false", "Dropout", [6], (n, x) => n.Op("Dropout", [x, n.Floats([0.3f]), n.Booleans([false])])),
        Case("Dropout, last", "Dropout", [6], (n, x) => n.Op("Dropout", [n.Op("Gemm", [x, n.Weights(6, 3)])])),
        Case("Identity", "Identity", [6], (n, x) => n.Op("Identity", [x])),
        Case("Identity, between layers", "Identity", [6], (n, x) => n.Op("Gemm", [n.Op("Identity", [n.Op("Relu", [n.Op("Identity", [x])])]), n.Weights(6, 3)])),
        Case("Cast, to float", "Cast", [6], (n, x) => n.Op("Relu", [n.Op("Cast", [x], ("to", 1L))])),
        Case("Cast, to double and back", "Cast", [6], (n, x) => n.Op("Cast", [n.Op("Cast", [x], ("to", 11L))], ("to", 1L))),
        Case("Cast, mask to float", "Cast", [6], (n, x) => n.Op("Mul", [x, n.Op("Cast", [n.Op("Greater", [x, n.Scalar(0.4f)])], ("to", 1L))])),
    ];

    private static string BatchNorm(Net n, string x) => n.Op("BatchNormalization", [x, n.Weights(3), n.Weights(3), n.Weights(3), n.Positive(3)]);
}
