using static MLNetLinearize.Tests.Rules.Net;

namespace MLNetLinearize.Tests.Rules;

/// <summary>Operators of index tuples, sums of products, and normalization by the row's own statistics.</summary>
internal static partial class RuleCases
{
    private static IEnumerable<RuleCase> IndexTuples() =>
    [
        Case("GatherND, one row", "GatherND", [3, 4], (n, x) => n.Op("GatherND", [x, n.Ints([0, 2, 1, 0, 0, 2, 0, 0, -1], [3, 3])])) with { Batch = 1L },
        Case("GatherND, slices, one twice", "GatherND", [3, 4], (n, x) => n.Op("GatherND", [x, n.Ints([0, 2, 0, -1, 0, 2], [3, 2])])) with { Batch = 1L },
        Case("GatherND, without batch axis", "GatherND", [3, 4], (n, x) => n.Op("GatherND", [x, n.Ints([2, 0, 1, -1], [2, 2])])) with { Batch = null },
        Case("GatherND, batch_dims, indices for every row", "GatherND", [3, 4], (n, x) => n.Op("GatherND", [x, ForEveryRow(n, x, n.Ints([2, 1, 0, -1, 2, 1], [1, 3, 2]), 3, 2)], ("batch_dims", 1L))),
        Case("GatherND, batch_dims, slices", "GatherND", [3, 4], (n, x) => n.Op("GatherND", [x, ForEveryRow(n, x, n.Ints([2, 0], [1, 2, 1]), 2, 1)], ("batch_dims", 1L))),
        Case("ScatterND, none, data and updates", "ScatterND", [6], (n, x) => ScatterTuples(n, x, "none", true, true)) with { Batch = 1L },
        Case("ScatterND, add, data and updates", "ScatterND", [6], (n, x) => ScatterTuples(n, x, "add", true, true)) with { Batch = 1L },
        Case("ScatterND, none, constant data", "ScatterND", [6], (n, x) => ScatterTuples(n, x, "none", false, true)) with { Batch = 1L },
        Case("ScatterND, none, constant updates", "ScatterND", [6], (n, x) => ScatterTuples(n, x, "none", true, false)) with { Batch = 1L },
        Case("ScatterND, add, indices meet", "ScatterND", [6], (n, x) =>
        {
            var parts = n.Ops("Split", 2, [x, n.Ints(4, 2)], ("axis", 1L));
            return n.Op("ScatterND", [parts[0], n.Ints([0, 1, 0, 1], [1, 2, 2]), parts[1]], ("reduction", "add"));
        }) with { Batch = 1L },
        .. new[] { "mul", "max", "min" }.SelectMany(r => new[]
        {
            Reduced("ScatterND", r, "data and updates", (n, x) => ScatterTuples(n, x, r, true, true)),
            Reduced("ScatterND", r, "constant data", (n, x) => ScatterTuples(n, x, r, false, true)),
            Reduced("ScatterND", r, "constant updates", (n, x) => ScatterTuples(n, x, r, true, false)) with { IsPiecewiseLinear = true },
            Reduced("ScatterND", r, "slices meet", (n, x) => n.Op("ScatterND", [n.Op("Reshape", [x, n.Ints(3, 2)]), n.Ints([0, 2, 0], [3, 1]), n.Op("Reshape", [n.Op("Neg", [x]), n.Ints(3, 2)])], ("reduction", r))),
        }),
        Case("ScatterND, slices", "ScatterND", [3, 4], (n, x) => n.Op("ScatterND", [x, n.Ints([0, 2, 0, 0], [2, 2]), n.Op("Squeeze", [n.Op("Slice", [x, n.Ints(1), n.Ints(3), n.Ints(1)]), n.Ints(0)])])) with { Batch = 1L },
    ];

    private static IEnumerable<RuleCase> EinsteinSums() =>
    [
        Case("Einsum, matrix product", "Einsum", [3, 4], (n, x) => n.Op("Einsum", [x, n.Weights(4, 2)], ("equation", "bij,jk->bik"))),
        Case("Einsum, constant first, transposed", "Einsum", [3, 4], (n, x) => n.Op("Einsum", [n.Weights(2, 4), x], ("equation", "kj,bij->bki"))),
        Case("Einsum, ellipsis", "Einsum", [2, 3, 4], (n, x) => n.Op("Einsum", [x], ("equation", "...ij->...ji"))),
        Case("Einsum, two ellipses", "Einsum", [2, 3, 4], (n, x) => n.Op("Einsum", [x, n.Weights(1, 2, 4, 2)], ("equation", "...ij, ...jk -> ...ik"))),
        Case("Einsum, implicit result", "Einsum", [3, 4], (n, x) => n.Op("Einsum", [x, n.Weights(4, 2)], ("equation", "aij,jk"))),
        Case("Einsum, sum over an axis of one operand", "Einsum", [3, 4], (n, x) => n.Op("Einsum", [x], ("equation", "bij->bj"))),
        Case("Einsum, three operands", "Einsum", [3, 4], (n, x) => n.Op("Einsum", [n.Weights(2, 3), x, n.Weights(4, 2)], ("equation", "ki,bij,jl->bkl"))),
        Case("Einsum, two explained operands", "Einsum", [3, 4], (n, x) => n.Op("Einsum", [x, n.Op("MatMul", [x, n.Weights(4, 4)])], ("equation", "bij,bkj->bik"))) with { IsPiecewiseLinear = false },
        Case("Einsum, diagonal", "Einsum", [3, 3], (n, x) => n.Op("Einsum", [x, n.Weights(3, 2)], ("equation", "bii,ik->bik"))),
        Case("Einsum, trace", "Einsum", [2, 3, 3], (n, x) => n.Op("Einsum", [x], ("equation", "bcii->bc"))),
        Case("Einsum, attention", "Einsum", [3, 4], (n, x) => n.Op("Einsum", [n.Op("Softmax", [n.Op("Einsum", [x, x], ("equation", "bij,bkj->bik"))]), x], ("equation", "bik,bkj->bij"))) with { IsPiecewiseLinear = false },
    ];

    private static IEnumerable<RuleCase> OwnStatistics() =>
    [
        .. Smooth("ReduceProd", "", [3, 4], (n, x) => n.Op("ReduceProd", [x], ("axes", L(2)))),
        .. Smooth("ReduceProd", ", two axes, no keepdims", [2, 3, 2], (n, x) => n.Op("ReduceProd", [x], ("axes", L(1, 3)), ("keepdims", 0L))),
        .. Smooth("ReduceProd", ", one factor", [3, 1], (n, x) => n.Op("ReduceProd", [x], ("axes", L(2)))),
        .. Smooth("ReduceProd", ", eleven factors, two of them 0", [11], (n, x) => n.Op("ReduceProd", [n.Op("Mul", [x, n.Floats([2, 1, 0, 3, -1, 2, 1, 0, 1, 2, -2], 11)])], ("axes", L(1)))),
        .. Smooth("ReduceProd", ", a factor 0", [3, 4], (n, x) => n.Op("ReduceProd", [n.Op("Relu", [x])], ("axes", L(2)))),
        .. Smooth("LpPool", ", p 2", [2, 6, 4], (n, x) => n.Op("LpPool", [x], ("kernel_shape", L(3, 2)), ("strides", L(2, 2)), ("pads", L(1, 0, 1, 0)))),
        .. Smooth("LpPool", ", p 1", [2, 6], (n, x) => n.Op("LpPool", [x], ("kernel_shape", L(2)), ("p", 1L))),
        .. Smooth("LpPool", ", p 3, overlapping", [2, 6], (n, x) => n.Op("LpPool", [x], ("kernel_shape", L(3)), ("p", 3L))),
        .. Smooth("LpPool", ", windows of zeros", [2, 6], (n, x) => n.Op("LpPool", [n.Op("Relu", [x])], ("kernel_shape", L(2)), ("strides", L(2)))),
        .. Smooth("GlobalLpPool", "", [2, 3, 3], (n, x) => n.Op("GlobalLpPool", [x])),
        .. Smooth("LpNormalization", ", p 2", [3, 4], (n, x) => n.Op("LpNormalization", [x])),
        .. Smooth("LpNormalization", ", p 1, axis 1", [3, 4], (n, x) => n.Op("LpNormalization", [x], ("p", 1L), ("axis", 1L))),
        .. Smooth("MeanVarianceNormalization", "", [2, 3, 4], (n, x) => n.Op("MeanVarianceNormalization", [x], ("axes", L(2, 3)))),
        .. Smooth("MeanVarianceNormalization", ", default axes, no batch axis", [3, 2, 2, 2], (n, x) => n.Op("MeanVarianceNormalization", [x])).Select(c => c with { Batch = null }),
        .. Smooth("GroupNormalization", " 18, scale per group", [6, 2, 3], (n, x) => n.Op("GroupNormalization", [x, n.Weights(3), n.Weights(3)], ("num_groups", 3L)), 18),
        .. Smooth("GroupNormalization", " 21, scale per channel", [6, 2, 3], (n, x) => n.Op("GroupNormalization", [x, n.Weights(6), n.Weights(6)], ("num_groups", 2L)), 21),
        .. Smooth("RMSNormalization", "", [3, 4], (n, x) => n.Op("RMSNormalization", [x, n.Weights(4)]), 23),
        .. Smooth("RMSNormalization", ", two axes", [3, 4], (n, x) => n.Op("RMSNormalization", [x, n.Weights(3, 4)], ("axis", 1L)), 23),
        .. Smooth("LayerNormalization", ", more outputs, unread", [3, 4], (n, x) => n.Ops("LayerNormalization", 3, [x, n.Weights(4), n.Weights(4)])[0]),
        .. Smooth("Swish", "", [6], (n, x) => n.Op("Swish", [x]), 24),
        .. Smooth("Swish", ", alpha", [6], (n, x) => n.Op("Swish", [x], ("alpha", 1.7f)), 24),
        Case("Hardmax, inside", "Hardmax", [5], (n, x) => n.Op("Mul", [x, n.Op("Hardmax", [n.Op("Neg", [x])])])),
    ];

    private static IEnumerable<RuleCase> Smooth(string op, string what, int[] row, Func<Net, string, string> body, long opset = 17) =>
        [Case(op + what, op, row, body, opset) with { IsPiecewiseLinear = false }];

    /// <summary>A product of explained factors is smooth, an extremum piecewise linear.</summary>
    private static RuleCase Reduced(string op, string reduction, string name, Func<Net, string, string> body) =>
        Case($"{op}, {reduction}, {name}", op, [6], body, 18) with { Batch = 1L, IsPiecewiseLinear = reduction != "mul" };

    private static string ScatterTuples(Net n, string x, string reduction, bool data, bool updates)
    {
        var parts = n.Ops("Split", 2, [x, n.Ints(4, 2)], ("axis", 1L));
        return n.Op("ScatterND", [data ? parts[0] : n.Weights(1, 4), n.Ints([0, 2, 0, -4], [1, 2, 2]), updates ? parts[1] : n.Weights(1, 2)], ("reduction", reduction));
    }
}
