using static MLNetLinearize.Tests.Rules.Net;

namespace MLNetLinearize.Tests.Rules;

internal static partial class RuleCases
{
    private static IEnumerable<RuleCase> Arithmetic() =>
    [
        .. new[] { "Add", "Sub", "Mul", "Div" }.SelectMany(Broadcasts),
        .. new[] { "Add", "Sub", "Mul", "Div" }.SelectMany(op => AtOpsets(Case($"{op}, spelling", op, [2, 3], (n, x) => n.Op(op, [x, n.Positive(2, 3)])), 7, 13, 14)),
        Case("Add, the same tensor twice", "Add", [4], (n, x) => n.Op("Add", [x, x])),
        Case("Sub, the same tensor twice", "Sub", [4], (n, x) => n.Op("Add", [n.Op("Sub", [x, x]), n.Op("Mul", [x, n.Scalar(3)])])),
        Case("Mul, the same tensor twice", "Mul", [4], (n, x) => n.Op("Mul", [x, x])) with { IsPiecewiseLinear = false },
        Case("Div, the same tensor twice", "Div", [4], (n, x) => n.Op("Div", [x, n.Op("Add", [x, n.Scalar(5)])])) with { IsPiecewiseLinear = false },
        Case("Div, constant over data", "Div", [4], (n, x) => n.Op("Div", [n.Weights(4), x]), data: RowData.Positive) with { IsPiecewiseLinear = false },
        Case("Add, residual", "Add", [2, 4, 4], (n, x) => n.Op("Relu", [n.Op("Add", [x, n.Op("Conv", [n.Op("Relu", [x]), n.Weights(2, 2, 3, 3)], ("pads", L(1, 1, 1, 1)))])])),
        Case("Mul, two data operands that broadcast", "Mul", [3, 4], (n, x) => n.Op("Mul", [x, n.Op("ReduceMean", [x], ("axes", L(2)))])) with { IsPiecewiseLinear = false },
        Case("Add, two data operands that broadcast", "Add", [3, 4], (n, x) => n.Op("Add", [n.Op("ReduceMean", [x], ("axes", L(1)), ("keepdims", 1L)), x])),
        Case("Sub, data minus its mean", "Sub", [3, 4], (n, x) => n.Op("Sub", [x, n.Op("ReduceMean", [x], ("axes", L(2)))])),
        Case("Div, two data operands that broadcast", "Div", [3, 4], (n, x) => n.Op("Div", [x, n.Op("ReduceSum", [x, n.Ints(2)])]), data: RowData.Positive) with { IsPiecewiseLinear = false },
        Case("Add, both operands constant", "Add", [3], (n, x) => n.Op("Mul", [x, n.Op("Add", [n.Weights(3), n.Weights(3)])])),
        Case("Neg", "Neg", [5], (n, x) => n.Op("Neg", [x])),
        Case("Abs", "Abs", [6], (n, x) => n.Op("Abs", [x])),
        .. AtOpsets(Case("Abs, spelling", "Abs", [6], (n, x) => n.Op("Neg", [n.Op("Abs", [x])])), 7, 13),

        Case("Sum, one operand", "Sum", [4], (n, x) => n.Op("Sum", [x])),
        Case("Sum, three operands that broadcast", "Sum", [2, 3], (n, x) => n.Op("Sum", [x, n.Weights(3), n.Op("Relu", [x])])),
        Case("Sum, one tensor three times", "Sum", [4], (n, x) => n.Op("Sum", [x, x, x])),
        .. AtOpsets(Case("Sum, spelling", "Sum", [4], (n, x) => n.Op("Sum", [x, n.Op("Relu", [x])])), 7, 8, 13),
        Case("Mean, three operands", "Mean", [2, 3], (n, x) => n.Op("Mean", [x, n.Weights(2, 1), n.Op("Relu", [x])])),
        .. AtOpsets(Case("Mean, spelling", "Mean", [4], (n, x) => n.Op("Mean", [x, n.Op("Relu", [x])])), 7, 8, 13),

        .. new[] { "Max", "Min" }.SelectMany(Extrema),
    ];

    private static IEnumerable<RuleCase> Broadcasts(string op)
    {
        RuleCase Of(string name, int[] row, Func<Net, string, string[]> operands, bool divisor = false) =>
            Case($"{op}, {name}", op, row, (n, x) => n.Op(op, operands(n, x)), data: divisor && op == "Div" ? RowData.Positive : RowData.Distinct) with { IsPiecewiseLinear = !(divisor && op == "Div") };

        yield return Of("constant of the same shape", [2, 3], (n, x) => [x, n.Positive(1, 2, 3)]);
        yield return Of("constant on the left", [2, 3], (n, x) => [n.Weights(2, 3), x], divisor: true);
        yield return Of("scalar", [2, 3], (n, x) => [x, n.Scalar(1.5f)]);
        yield return Of("scalar on the left", [2, 3], (n, x) => [n.Scalar(1.5f), x], divisor: true);
        yield return Of("one per channel", [3, 2, 2], (n, x) => [x, n.Positive(3, 1, 1)]);
        yield return Of("last axis", [2, 3], (n, x) => [x, n.Positive(3)]);
        yield return Of("data stretches", [1, 3], (n, x) => [x, n.Positive(4, 1)]);
        yield return Of("data stretches on both sides", [3, 1], (n, x) => [x, n.Positive(1, 4)]);
        // The batch axis becomes the second; it comes back to the front behind the operator.
        yield return Case($"{op}, constant of higher rank", op, [3], (n, x) => n.Op("Transpose", [n.Op(op, [x, n.Positive(4, 1, 3)])], ("perm", L(1, 0, 2))));
        yield return Case($"{op}, constant of higher rank on the left", op, [3], (n, x) => n.Op("Transpose", [n.Op(op, [n.Weights(2, 1, 3), x])], ("perm", L(1, 0, 2))), data: op == "Div" ? RowData.Positive : RowData.Distinct) with { IsPiecewiseLinear = op != "Div" };
    }

    private static IEnumerable<RuleCase> Extrema(string op) =>
    [
        Case($"{op}, constant", op, [6], (n, x) => n.Op(op, [x, n.Weights(6)])),
        Case($"{op}, constant on the left", op, [6], (n, x) => n.Op(op, [n.Weights(6), x])),
        Case($"{op}, scalar", op, [6], (n, x) => n.Op(op, [x, n.Scalar(0.3f)])),
        Case($"{op}, one operand", op, [4], (n, x) => n.Op(op, [x])),
        Case($"{op}, two data operands", op, [6], (n, x) => n.Op(op, [n.Op("Gemm", [x, n.Weights(6, 4)]), n.Op("Gemm", [x, n.Weights(6, 4)])])),
        Case($"{op}, four operands", op, [6], (n, x) => n.Op(op, [n.Op("Gemm", [x, n.Weights(6, 4)]), n.Weights(4), n.Op("Gemm", [x, n.Weights(6, 4)]), n.Op("Gemm", [x, n.Weights(6, 4)])])),
        Case($"{op}, data stretches", op, [1, 4], (n, x) => n.Op(op, [x, n.Weights(3, 1)])),
        Case($"{op}, two data operands that broadcast", op, [3, 4], (n, x) => n.Op(op, [x, n.Op("ReduceMean", [x], ("axes", L(2)))])),
        .. AtOpsets(Case($"{op}, spelling", op, [6], (n, x) => n.Op(op, [x, n.Op("Mul", [x, n.Scalar(-2)])])), 8, 12, 13),
    ];
}
