namespace MLNetLinearize.Tests.Rules;

internal static partial class RuleCases
{
    private static IEnumerable<RuleCase> Dense() =>
    [
        Gemm("plain", [6, 4], [4]),
        Gemm("no C", [6, 4], null),
        Gemm("transB", [4, 6], [4], ("transB", 1L)),
        Gemm("alpha and beta", [6, 4], [4], ("alpha", 0.5f), ("beta", -2f)),
        Gemm("transB, alpha and beta", [4, 6], [4], ("transB", 1L), ("alpha", 3f), ("beta", 0.25f)),
        Gemm("C of one row", [6, 4], [1, 4]),
        Gemm("C of one element", [6, 4], [1]),
        Gemm("C scalar", [6, 4], []),
        .. AtOpsets(Gemm("spelling", [6, 4], [4]), 7, 9, 11, 13, 21),
        Case("Gemm, transA", "Gemm", [5], (n, x) => n.Op("Transpose", [n.Op("Gemm", [n.Op("Transpose", [x], ("perm", Net.L(1, 0))), n.Weights(5, 3)], ("transA", 1L))], ("perm", Net.L(0, 1)))),
        Case("Gemm, data on the right", "Gemm", [5], (n, x) => n.Op("Transpose", [n.Op("Gemm", [n.Weights(3, 5), x, n.Weights(3, 1)], ("transB", 1L), ("alpha", 2f))])),
        Case("Gemm, data as C", "Gemm", [4], (n, x) => n.Op("Gemm", [n.Op("Gemm", [x, n.Weights(4, 3)]), n.Weights(3, 4), x], ("beta", 0.5f), ("alpha", -1f))),
        Case("Gemm, data as C only", "Gemm", [4], (n, x) => n.Op("Gemm", [n.Op("Expand", [n.Floats([1, 2], 1, 2), n.Op("Concat", [n.Op("Slice", [n.Op("Shape", [x]), n.Ints(0), n.Ints(1)]), n.Ints(2)], ("axis", 0L))]), n.Weights(2, 4), x])),

        Case("MatMul, constant right", "MatMul", [5], (n, x) => n.Op("MatMul", [x, n.Weights(5, 3)])),
        Case("MatMul, constant right vector", "MatMul", [5], (n, x) => n.Op("MatMul", [x, n.Weights(5)])),
        Case("MatMul, constant left", "MatMul", [4, 3], (n, x) => n.Op("MatMul", [n.Weights(2, 4), x])),
        Case("MatMul, constant left of batch 1", "MatMul", [4, 3], (n, x) => n.Op("MatMul", [n.Weights(1, 2, 4), x])),
        Case("MatMul, constant left vector", "MatMul", [4, 3], (n, x) => n.Op("MatMul", [n.Weights(4), x])),
        Case("MatMul, 3-D data, constant right", "MatMul", [3, 4], (n, x) => n.Op("MatMul", [x, n.Weights(4, 2)])),
        Case("MatMul, 3-D data, constant right of batch 1", "MatMul", [3, 4], (n, x) => n.Op("MatMul", [x, n.Weights(1, 4, 2)])),
        Case("MatMul, 4-D data, constant right per head", "MatMul", [2, 3, 4], (n, x) => n.Op("MatMul", [x, n.Weights(2, 4, 2)])),
        Case("MatMul, 4-D data, constant left per head", "MatMul", [2, 4, 3], (n, x) => n.Op("MatMul", [n.Weights(2, 2, 4), x])),
        Case("MatMul, constant brings a new batch axis", "MatMul", [1, 3, 4], (n, x) => n.Op("MatMul", [x, n.Weights(5, 4, 2)])),
        Case("MatMul, two data operands", "MatMul", [3, 4], (n, x) => n.Op("MatMul", [x, n.Op("MatMul", [n.Op("Transpose", [x], ("perm", Net.L(0, 2, 1))), n.Weights(3, 2)])])) with { IsPiecewiseLinear = false },
        Case("MatMul, data with its own transpose", "MatMul", [2, 3], (n, x) => n.Op("MatMul", [x, n.Op("Transpose", [x], ("perm", Net.L(0, 2, 1)))])) with { IsPiecewiseLinear = false },
        Case("MatMul, one vector without batch axis", "MatMul", [4], (n, x) => n.Op("MatMul", [n.Weights(3, 4), x])) with { Batch = null },
        .. AtOpsets(Case("MatMul, spelling", "MatMul", [5], (n, x) => n.Op("Add", [n.Op("MatMul", [x, n.Weights(5, 3)]), n.Weights(3)])), 7, 9, 13, 21),
        Case("MatMul, initializer shared by two nodes", "MatMul", [4], (n, x) =>
        {
            var w = n.Weights(4, 4);
            return n.Op("MatMul", [n.Op("Relu", [n.Op("MatMul", [x, w])]), w]);
        }),
        Case("Gemm, initializer shared with and without transposition", "Gemm", [4], (n, x) =>
        {
            var w = n.Weights(4, 4);
            return n.Op("Gemm", [n.Op("Relu", [n.Op("Gemm", [x, w])]), w], ("transB", 1L));
        }),
    ];

    private static RuleCase Gemm(string name, long[] b, long[]? c, params (string, object)[] attributes) =>
        new($"Gemm, {name}", "Gemm", [6], (n, x) => n.Op("Gemm", c is null ? [x, n.Weights(b)] : [x, n.Weights(b), n.Weights(c)], attributes));
}
