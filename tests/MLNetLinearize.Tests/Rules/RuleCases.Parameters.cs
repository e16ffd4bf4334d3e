using static MLNetLinearize.Tests.Rules.Net;

namespace MLNetLinearize.Tests.Rules;

/// <summary>Operators whose parameters, usually weights, depend on what is explained as well. (Such a model has no batch axis.)</summary>
internal static partial class RuleCases
{
    private static IEnumerable<RuleCase> ExplainedParameters() =>
    [
        Parameters("LayerNormalization", ", scale and shift", [3, 4], (n, x) => n.Op("LayerNormalization", [x, Row(n, x, 0), Row(n, x, 1)])),
        Parameters("LayerNormalization", ", mean and deviation", [3, 4], (n, x) =>
        {
            var outputs = n.Ops("LayerNormalization", 3, [x, n.Weights(4)]);
            return n.Op("Concat", outputs, ("axis", 1L));
        }),
        Parameters("InstanceNormalization", ", scale and shift", [2, 3, 4], (n, x) => n.Op("InstanceNormalization", [x, Means(n, x), Means(n, x)])),
        Parameters("BatchNormalization", ", all", [2, 3, 4], (n, x) => n.Op("BatchNormalization", [x, Means(n, x), Means(n, x), Means(n, x), n.Op("Exp", [Means(n, x)])])),
        Parameters("PRelu", ", slope", [2, 3], (n, x) => n.Op("PRelu", [x, n.Op("Mul", [x, n.Scalar(0.3f)])])),
        Parameters("Pow", ", base and exponent", [2, 3], (n, x) => n.Op("Pow", [x, Row(n, x, 1)])) with { Data = RowData.Positive },
        Parameters("Pow", ", exponent", [2, 3], (n, x) => n.Op("Pow", [n.Positive(2, 3), x])),
    ];

    private static RuleCase Parameters(string op, string what, int[] row, Func<Net, string, string> body) => Case($"{op}, explained parameters{what}", op, row, body) with { Batch = null, IsPiecewiseLinear = false };

    private static string Row(Net n, string x, long i) => n.Op("Squeeze", [n.Op("Slice", [x, n.Ints(i), n.Ints(i + 1), n.Ints(0)]), n.Ints(0)]);

    /// <summary>The mean of each channel of [N, C, L].</summary>
    private static string Means(Net n, string x) => n.Op("ReduceMean", [x], ("axes", L(0, 2)), ("keepdims", 0L));
}
