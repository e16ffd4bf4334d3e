using static MLNetLinearize.Tests.Rules.Net;

namespace MLNetLinearize.Tests.Rules;

/// <summary>Operators whose parameters, usually weights, are computed from the row as well.</summary>
internal static partial class RuleCases
{
    private static IEnumerable<RuleCase> ComputedParameters() =>
    [
        Adaptive("Conv", [3, 4, 4], (n, x) => n.Op("Conv", [x, Kernel(n, x, 2, 3, 2, 2), n.Weights(2)])),
        Adaptive("Conv, stride, pads, dilation", [2, 6, 5], (n, x) => n.Op("Conv", [x, Kernel(n, x, 3, 2, 2, 3)], ("strides", L(2, 1)), ("pads", L(1, 0, 1, 2)), ("dilations", L(1, 2)))),
        Adaptive("Conv, two groups", [4, 3, 3], (n, x) => n.Op("Conv", [x, Kernel(n, x, 4, 2, 2, 2)], ("group", 2L))),
        Adaptive("Conv, constant image", [8], (n, x) => n.Op("Conv", [n.Weights(1, 2, 3, 3), n.Op("Reshape", [x, n.Ints(1, 2, 2, 2)]), n.Weights(1)])) with { IsPiecewiseLinear = true },
        Adaptive("Conv, computed bias", [2, 3, 3], (n, x) => n.Op("Conv", [x, n.Weights(2, 2, 2, 2), Vector(n, x, 2)])),
        Adaptive("ConvTranspose", [3, 3, 3], (n, x) => n.Op("ConvTranspose", [x, Kernel(n, x, 3, 2, 2, 2), n.Weights(2)])),
        Adaptive("ConvTranspose, stride, pads, groups", [4, 3, 2], (n, x) => n.Op("ConvTranspose", [x, Kernel(n, x, 4, 2, 3, 2)], ("strides", L(2, 1)), ("pads", L(1, 0, 1, 1)), ("group", 2L))),
        Adaptive("BatchNormalization, scale and bias", [2, 3, 3], (n, x) => n.Op("BatchNormalization", [x, Vector(n, x, 2), Vector(n, x, 2), n.Weights(2), n.Positive(2)])),
        Adaptive("BatchNormalization, statistics", [2, 3, 3], (n, x) => n.Op("BatchNormalization", [x, n.Weights(2), n.Weights(2), Vector(n, x, 2), n.Op("Add", [n.Op("Abs", [Vector(n, x, 2)]), n.Scalar(1)])])),
        Trained("value", [4, 2, 3], 0),
        Trained("running variance", [4, 2], 2),
        Trained("one row", [2, 3, 2], 0, 1L),
        Trained("one row, signal", [2, 5], 0, 1L),
        Trained("one row, running variance", [2, 3], 2, 1L),
        Adaptive("LayerNormalization", [3, 4], (n, x) => n.Op("LayerNormalization", [x, Vector(n, x, 4), Vector(n, x, 4)])),
        Case("LayerNormalization, mean and deviation", "LayerNormalization", [3, 4], (n, x) => n.Op("Concat", n.Ops("LayerNormalization", 3, [x, n.Weights(4)]), ("axis", 2L))) with { IsPiecewiseLinear = false },
        Adaptive("RMSNormalization", [3, 4], (n, x) => n.Op("RMSNormalization", [x, Vector(n, x, 4)])) with { Opset = 23 },
        Adaptive("InstanceNormalization", [2, 3, 3], (n, x) => n.Op("InstanceNormalization", [x, Vector(n, x, 2), Vector(n, x, 2)])),
        Adaptive("GroupNormalization", [4, 2, 3], (n, x) => n.Op("GroupNormalization", [x, Vector(n, x, 4), Vector(n, x, 4)], ("num_groups", 2L))) with { Opset = 21 },
        Case("PRelu, computed slope", "PRelu", [6], (n, x) => n.Op("PRelu", [x, n.Op("MatMul", [x, n.Weights(6, 6)])])) with { IsPiecewiseLinear = false },
        Case("Pow, computed exponent", "Pow", [2, 3], (n, x) => n.Op("Pow", [n.Positive(2, 3), x])) with { IsPiecewiseLinear = false },
        Case("Pow, computed base and exponent", "Pow", [2, 3], (n, x) => n.Op("Pow", [x, n.Op("Slice", [x, n.Ints(1), n.Ints(2), n.Ints(1)])])) with { Data = RowData.Positive, IsPiecewiseLinear = false },
        Adaptive("Clip", [6], (n, x) => n.Op("Clip", [x, n.Op("Sub", [n.Op("Mul", [Scalar(n, x), n.Scalar(0.1f)]), n.Scalar(0.9f)]), n.Op("Add", [n.Op("Mul", [Scalar(n, x), n.Scalar(0.1f)]), n.Scalar(0.8f)])])) with { IsPiecewiseLinear = true },
    ];

    /// <summary>Training mode over a batch of a fixed size, which is explained as a whole; with a batch of one, each row has its own statistics.</summary>
    private static RuleCase Trained(string name, int[] row, int output, long? batch = null) =>
        Case($"BatchNormalization, training mode, {name}", "BatchNormalization", row, (n, x) => n.Ops("BatchNormalization", 3, [x, n.Weights(2), n.Weights(2), n.Weights(2), n.Positive(2)], ("training_mode", 1L), ("momentum", 0.7f))[output]) with { Batch = batch, IsPiecewiseLinear = false };

    /// <summary>Parameters that one row decides cannot serve two: such networks run row by row.</summary>
    private static RuleCase Adaptive(string name, int[] row, Func<Net, string, string> body) => Case($"{name}, computed", name.Split(',')[0], row, body) with { Batch = 1L, IsPiecewiseLinear = false };

    private static string Kernel(Net n, string x, params long[] dims) => n.Op("Reshape", [Mixed(n, x, dims.Aggregate(1L, (a, d) => a * d)), n.Ints(dims)]);

    private static string Vector(Net n, string x, long length) => n.Op("Reshape", [Mixed(n, x, length), n.Ints(length)]);

    private static string Scalar(Net n, string x) => n.Op("ReduceSum", [x], ("keepdims", 0L));

    /// <summary>Numbers that depend on all of the row.</summary>
    private static string Mixed(Net n, string x, long length) => n.Op("MatMul", [n.Op("Mul", [n.Op("ReduceSum", [n.Op("Flatten", [n.Op("Sin", [x])]), n.Ints(1)]), n.Scalar(0.3f)]), n.Weights(1, length)]);
}
