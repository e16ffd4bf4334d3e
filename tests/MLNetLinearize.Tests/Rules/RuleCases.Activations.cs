using static MLNetLinearize.Tests.Rules.Net;

namespace MLNetLinearize.Tests.Rules;

internal static partial class RuleCases
{
    private static IEnumerable<RuleCase> Activations() =>
    [
        .. AtOpsets(Case("Relu", "Relu", [8], (n, x) => n.Op("Relu", [x])), 7, 13, 14),
        Case("Relu, twice", "Relu", [8], (n, x) => n.Op("Relu", [n.Op("Add", [n.Op("Relu", [x]), n.Weights(8)])])),
        .. AtOpsets(Case("LeakyRelu", "LeakyRelu", [8], (n, x) => n.Op("LeakyRelu", [x])), 7, 16),
        Case("LeakyRelu, alpha 0.3", "LeakyRelu", [8], (n, x) => n.Op("LeakyRelu", [x], ("alpha", 0.3f))),
        Case("LeakyRelu, alpha above 1", "LeakyRelu", [8], (n, x) => n.Op("LeakyRelu", [x], ("alpha", 1.5f))),
        Case("LeakyRelu, negative alpha", "LeakyRelu", [8], (n, x) => n.Op("LeakyRelu", [x], ("alpha", -0.5f))),
        Case("LeakyRelu, alpha 0", "LeakyRelu", [8], (n, x) => n.Op("LeakyRelu", [x], ("alpha", 0f))),
        .. AtOpsets(Case("PRelu, one slope", "PRelu", [2, 4], (n, x) => n.Op("PRelu", [x, n.Scalar(0.2f)])), 7, 9, 16),
        Case("PRelu, slope per channel", "PRelu", [3, 3, 2], (n, x) => n.Op("PRelu", [x, n.Weights(3, 1, 1)])),
        Case("PRelu, slope per element", "PRelu", [2, 4], (n, x) => n.Op("PRelu", [x, n.Weights(2, 4)])),
        Case("PRelu, slope of the last axis", "PRelu", [2, 4], (n, x) => n.Op("PRelu", [x, n.Weights(4)])),
        Case("ThresholdedRelu", "ThresholdedRelu", [8], (n, x) => n.Op("ThresholdedRelu", [x], ("alpha", 0.7f))),
        Case("HardSigmoid", "HardSigmoid", [8], (n, x) => n.Op("HardSigmoid", [n.Op("Mul", [x, n.Scalar(2)])])),

        Case("Clip 6, both bounds", "Clip", [8], (n, x) => n.Op("Clip", [x], ("min", -0.5f), ("max", 1f)), opset: 6 + 1),
        Case("Clip 6, lower bound", "Clip", [8], (n, x) => n.Op("Clip", [x], ("min", -0.5f)), opset: 9),
        Case("Clip 6, upper bound", "Clip", [8], (n, x) => n.Op("Clip", [x], ("max", 0.5f)), opset: 10),
        Case("Clip 11, both bounds", "Clip", [8], (n, x) => n.Op("Clip", [x, n.Floats([-0.5f]), n.Floats([1])]), opset: 11),
        Case("Clip 12, lower bound", "Clip", [8], (n, x) => n.Op("Clip", [x, n.Floats([-0.5f])]), opset: 12),
        Case("Clip 13, upper bound", "Clip", [8], (n, x) => n.Op("Clip", [x, "", n.Floats([0.5f])]), opset: 13),
        Case("Clip 13, no bound", "Clip", [8], (n, x) => n.Op("Clip", [x]), opset: 13),
        Case("Clip 13, Relu6 after Conv", "Clip", [2, 4, 4], (n, x) => n.Op("Clip", [n.Op("Conv", [n.Op("Mul", [x, n.Scalar(10)]), n.Weights(3, 2, 3, 3), n.Weights(3)]), n.Floats([0]), n.Floats([6])]), opset: 13),

        Case("Where, constant condition", "Where", [4], (n, x) => n.Op("Where", [n.Booleans([true, false, true, false], 4), x, n.Op("Mul", [x, n.Scalar(2)])])),
        Case("Where, constant branch", "Where", [4], (n, x) => n.Op("Where", [n.Booleans([true, false, true, false], 1, 4), n.Weights(4), x])),
        Case("Where, condition from the data", "Where", [6], (n, x) => n.Op("Where", [n.Op("Greater", [x, n.Scalar(0.2f)]), n.Op("Mul", [x, n.Scalar(3)]), n.Op("Add", [x, n.Scalar(1)])])),
        Case("Where, condition stretches", "Where", [2, 3], (n, x) => n.Op("Where", [n.Booleans([true, false], 2, 1), x, n.Scalar(7)])),
        Case("Where, branches stretch", "Where", [3], (n, x) => n.Op("Where", [n.Booleans([true, false], 1, 2, 1), n.Op("Unsqueeze", [x, n.Ints(1)]), n.Scalar(2)])),
        Case("Where, Not of Less", "Where", [6], (n, x) => n.Op("Where", [n.Op("Not", [n.Op("Less", [x, n.Scalar(0)])]), x, n.Op("Neg", [x])])),
        .. AtOpsets(Case("Where, spelling", "Where", [4], (n, x) => n.Op("Where", [n.Booleans([true, false, true, false], 4), x, n.Op("Neg", [x])])), 9, 16),
        Case("Mul by Sign", "Sign", [6], (n, x) => n.Op("Mul", [x, n.Op("Sign", [x])])),
    ];

    private static IEnumerable<RuleCase> Smooth() =>
    [
        .. new[] { "Sigmoid", "Tanh", "Softplus", "Elu", "Selu", "Erf", "Exp" }.Select(op => Smooth(op)),
        .. new[] { "Log", "Sqrt", "Reciprocal" }.Select(op => Smooth(op, data: RowData.Positive)),
        Smooth("Softsign"),
        Smooth("Elu", "alpha 2", RowData.Distinct, ("alpha", 2f)),
        Smooth("Celu", "alpha 2", RowData.Distinct, ("alpha", 2f)),
        Smooth("HardSwish"),
        Smooth("Mish") with { Opset = 18 },
        Smooth("Gelu") with { Opset = 20 },
        Smooth("Gelu", "tanh", RowData.Distinct, ("approximate", "tanh")) with { Opset = 20 },
        .. new[] { "Sin", "Cos", "Sinh", "Cosh", "Atan", "Asinh" }.Select(op => Smooth(op)),
        .. new[] { "Tan", "Asin", "Acos", "Atanh" }.Select(op => Case(op, op, [4], (n, x) => Dense(n, n.Op(op, [n.Op("Mul", [x, n.Scalar(0.4f)])]), 4)) with { IsPiecewiseLinear = false }),
        Case("Acosh", "Acosh", [5], (n, x) => Dense(n, n.Op("Acosh", [n.Op("Add", [x, n.Scalar(1)])]), 5), data: RowData.Positive) with { IsPiecewiseLinear = false },
        // Multiplied so that a slope that lost its digits shows beside the others.
        Case("Sigmoid, saturated", "Sigmoid", [5], (n, x) => Dense(n, n.Op("Sigmoid", [n.Op("Mul", [x, n.Scalar(5)])]), 5)) with { IsPiecewiseLinear = false },
        Case("Sigmoid, saturated above", "Sigmoid", [5], (n, x) => Dense(n, n.Op("Mul", [n.Op("Sigmoid", [x]), n.Scalar(10000)]), 5), data: RowData.Large) with { IsPiecewiseLinear = false },
        Case("Tanh, saturated", "Tanh", [5], (n, x) => Dense(n, n.Op("Mul", [n.Op("Tanh", [n.Op("Mul", [x, n.Scalar(0.6f)])]), n.Scalar(100000)]), 5), data: RowData.Large) with { IsPiecewiseLinear = false },
        Case("Softplus, saturated below", "Softplus", [5], (n, x) => Dense(n, n.Op("Mul", [n.Op("Softplus", [n.Op("Neg", [x])]), n.Scalar(100000)]), 5), data: RowData.Large) with { IsPiecewiseLinear = false },
        Case("Softplus, large", "Softplus", [5], (n, x) => Dense(n, n.Op("Softplus", [n.Op("Mul", [x, n.Scalar(60)])]), 5)) with { IsPiecewiseLinear = false },
        Case("Softmax, large logits", "Softmax", [5], (n, x) => Dense(n, n.Op("Softmax", [n.Op("Mul", [x, n.Scalar(50)])]), 5)) with { IsPiecewiseLinear = false },
        Case("Softmax, one class takes nearly all", "Softmax", [5], (n, x) => Dense(n, n.Op("Softmax", [n.Op("Mul", [x, n.Scalar(8)])]), 5)) with { IsPiecewiseLinear = false },
        .. AtOpsets(Smooth("Sigmoid", "spelling"), 7, 13),
        Case("Pow, exponent 2", "Pow", [5], (n, x) => Dense(n, n.Op("Pow", [x, n.Scalar(2)]), 5)) with { IsPiecewiseLinear = false },
        Case("Pow, exponent 3", "Pow", [5], (n, x) => Dense(n, n.Op("Pow", [x, n.Scalar(3)]), 5)) with { IsPiecewiseLinear = false },
        Case("Pow, exponent 0.5", "Pow", [5], (n, x) => Dense(n, n.Op("Pow", [x, n.Scalar(0.5f)]), 5), data: RowData.Positive) with { IsPiecewiseLinear = false },
        Case("Softmax, in the middle", "Softmax", [5], (n, x) => Dense(n, n.Op("Softmax", [x]), 5)) with { IsPiecewiseLinear = false },
        Case("LogSoftmax, in the middle", "LogSoftmax", [5], (n, x) => Dense(n, n.Op("LogSoftmax", [x]), 5)) with { IsPiecewiseLinear = false },
        Case("Softmax, inner axis", "Softmax", [3, 4], (n, x) => Dense(n, n.Op("Flatten", [n.Op("Softmax", [x], ("axis", 1L))]), 12)) with { IsPiecewiseLinear = false },
        Case("Softmax 12, axes together", "Softmax", [3, 4], (n, x) => Dense(n, n.Op("Flatten", [n.Op("Softmax", [x], ("axis", 1L))]), 12), opset: 12) with { IsPiecewiseLinear = false },
        Case("Sigmoid, gate of its own input", "Sigmoid", [5], (n, x) => Dense(n, n.Op("Mul", [x, n.Op("Sigmoid", [x])]), 5)) with { IsPiecewiseLinear = false },

        Cut("Softmax", "last", z => (n => n.Op("Softmax", [z(n)])), 12),
        Cut("Softmax", "last", z => (n => n.Op("Softmax", [z(n)])), 13),
        Cut("Softmax", "last, axis 1", z => (n => n.Op("Softmax", [z(n)], ("axis", 1L))), 11),
        Cut("LogSoftmax", "last", z => (n => n.Op("LogSoftmax", [z(n)])), 12),
        Cut("LogSoftmax", "last", z => (n => n.Op("LogSoftmax", [z(n)])), 13),
        Cut("Sigmoid", "last", z => (n => n.Op("Sigmoid", [z(n)])), 13),
        Cut("Softmax", "last, behind Identity and Reshape", z => (n => n.Op("Reshape", [n.Op("Identity", [n.Op("Softmax", [z(n)])]), n.Ints(-1, 2, 2)])), 13),
    ];

    /// <remarks>An even number of elements keeps them away from zero, where a secant (f(z) − f(0)) / z has few digits in single precision.</remarks>
    private static RuleCase Smooth(string op, string name = "", RowData data = RowData.Distinct, params (string, object)[] attributes) =>
        Case(name.Length == 0 ? op : $"{op}, {name}", op, [4], (n, x) => Dense(n, n.Op(op, [x], attributes), 4), data: data) with { IsPiecewiseLinear = false };

    /// <summary>A dense layer behind the operator, so that it is never the last one.</summary>
    private static string Dense(Net n, string x, int inputs) => n.Op("Gemm", [x, n.Weights(inputs, 3), n.Weights(3)]);

    /// <summary>A classifier whose last operator is cut: the tensor before it is explained.</summary>
    private static RuleCase Cut(string op, string name, Func<Func<Net, string>, Func<Net, string>> last, long opset) =>
        Case($"{op}, {name}, opset {opset}", op, [6], (n, x) => last(net => net.Explain(net.Op("Gemm", [net.Op("Relu", [x]), net.Weights(6, 4), net.Weights(4)])))(n), opset);
}
