using static MLNetLinearize.Tests.Rules.Net;

namespace MLNetLinearize.Tests.Rules;

internal static partial class RuleCases
{
    private static IEnumerable<RuleCase> Indexing() =>
    [
        .. AtOpsets(Case("Gather", "Gather", [5], (n, x) => n.Op("Gather", [x, n.Ints(3, 0, 4)], ("axis", 1L))), 7, 11, 13),
        Case("Gather, an index twice", "Gather", [5], (n, x) => n.Op("Gather", [x, n.Ints(3, 0, 3, 3)], ("axis", 1L))),
        Case("Gather, negative indices and axis", "Gather", [2, 4], (n, x) => n.Op("Gather", [x, n.Ints(-1, 1)], ("axis", -1L))),
        Case("Gather, scalar index", "Gather", [3, 4], (n, x) => n.Op("Gather", [x, n.Ints([2], [])], ("axis", 1L))),
        Case("Gather, by the row's own index", "Gather", [3, 4], (n, x) => n.Op("Gather", [x, n.Op("ArgMax", [n.Op("Slice", [x, n.Ints(1), n.Ints(2), n.Ints(1)])], ("axis", 2L), ("keepdims", 0L))], ("axis", 2L))) with { Batch = 1L },
        Case("Gather, by indices of the row, one twice", "Gather", [3, 4], (n, x) => n.Op("Gather", [x, n.Op("Neg", [n.Op("ArgMin", [n.Op("Concat", [x, x], ("axis", 0L))], ("axis", 1L), ("keepdims", 0L))])], ("axis", -1L))) with { Batch = null },
        Case("Gather, computed indices", "Gather", [3, 4], (n, x) => n.Op("Gather", [x, n.Op("ArgMax", [x], ("axis", 2L), ("keepdims", 0L))], ("axis", 2L))),
        Case("Gather, one computed index", "Gather", [4, 3], (n, x) => n.Op("Gather", [x, n.Op("ArgMax", [n.Op("ReduceMax", [x, n.Ints(0, 2)], ("keepdims", 0L))], ("axis", 0L), ("keepdims", 0L))], ("axis", 1L)), 18) with { Batch = 1L },
        Case("Gather, table of indices", "Gather", [4, 2], (n, x) => n.Op("Gather", [x, n.Ints([0, 3, 3, 1], [2, 2])], ("axis", 1L))),
        Case("GatherElements, fixed batch 1", "GatherElements", [4], (n, x) => n.Op("GatherElements", [x, n.Ints([3, 3, 0], [1, 3])], ("axis", 1L))) with { Batch = 1L },
        Case("GatherElements, indices for every row", "GatherElements", [2, 4], (n, x) => n.Op("GatherElements", [x, ForEveryRow(n, x, n.Ints([3, 3, 0, 1, 2, 1], [1, 2, 3]), 2, 3)], ("axis", 2L))),
        Case("GatherElements, negative indices", "GatherElements", [4], (n, x) => n.Op("GatherElements", [x, ForEveryRow(n, x, n.Ints([-1, 0, -2], [1, 3]), 3)], ("axis", -1L))),

        Scatter("none, data and updates", "none", (n, x, parts) => [parts[0], n.Ints([2, 0], [1, 2]), parts[1]]),
        Scatter("add, data and updates", "add", (n, x, parts) => [parts[0], n.Ints([2, 0], [1, 2]), parts[1]]),
        Scatter("add, indices meet", "add", (n, x, parts) => [parts[0], n.Ints([1, 1], [1, 2]), parts[1]]),
        Scatter("none, constant data", "none", (n, x, parts) => [n.Weights(1, 4), n.Ints([2, 0], [1, 2]), parts[1]]),
        Scatter("add, constant data", "add", (n, x, parts) => [n.Weights(1, 4), n.Ints([3, 3], [1, 2]), parts[1]]),
        Scatter("none, constant updates", "none", (n, x, parts) => [parts[0], n.Ints([2, 0], [1, 2]), n.Weights(1, 2)]),
        Scatter("add, constant updates", "add", (n, x, parts) => [parts[0], n.Ints([2, 2], [1, 2]), n.Weights(1, 2)]),
        .. new[] { "mul", "max", "min" }.SelectMany(r => new[]
        {
            ReducedElements(r, "data and updates", (n, parts) => [parts[0], n.Ints([2, 0], [1, 2]), parts[1]]),
            ReducedElements(r, "indices meet", (n, parts) => [parts[0], n.Ints([1, -3], [1, 2]), parts[1]]),
            ReducedElements(r, "constant data, indices meet", (n, parts) => [n.Weights(1, 4), n.Ints([3, 3], [1, 2]), parts[1]]),
            ReducedElements(r, "constant updates", (n, parts) => [parts[0], n.Ints([2, 2], [1, 2]), n.Weights(1, 2)]) with { IsPiecewiseLinear = true },
            ReducedElements(r, "zeros meet", (n, parts) => [parts[0], n.Ints([1, 1], [1, 2]), n.Op("Relu", [parts[1]])]),
            ReducedElements(r, "ties", (n, parts) => [n.Op("Relu", [parts[0]]), n.Ints([1, 1], [1, 2]), n.Op("Relu", [n.Op("Neg", [n.Op("Abs", [parts[1]])])])]),
        }),
        Case("ScatterElements, mul, indices for every row", "ScatterElements", [2, 6], (n, x) =>
        {
            var parts = n.Ops("Split", 2, [x, n.Ints(4, 2)], ("axis", 2L));
            return n.Op("ScatterElements", [parts[0], ForEveryRow(n, x, n.Ints([3, 1, 2, 2], [1, 2, 2]), 2, 2), parts[1]], ("axis", 2L), ("reduction", "mul"));
        }, 18) with { IsPiecewiseLinear = false },
        Case("ScatterElements, indices for every row", "ScatterElements", [6], (n, x) =>
        {
            var parts = n.Ops("Split", 2, [x, n.Ints(4, 2)], ("axis", 1L));
            return n.Op("ScatterElements", [parts[0], ForEveryRow(n, x, n.Ints([3, 1], [1, 2]), 2), parts[1]], ("axis", 1L), ("reduction", "add"));
        }),

        Case("Upsample 7, scales as attribute", "Upsample", [2, 3, 2], (n, x) => n.Op("Upsample", [x], ("scales", new float[] { 1, 1, 2, 2 })), opset: 7),
        Case("Upsample 9, scales as input", "Upsample", [2, 3, 2], (n, x) => n.Op("Upsample", [x, n.Floats([1, 1, 2, 3], 4)]), opset: 9),
        Case("Resize 10", "Resize", [2, 3, 2], (n, x) => n.Op("Resize", [x, n.Floats([1, 1, 2, 2], 4)]), opset: 10),
        Resize("Resize 11, asymmetric floor", 11, [2, 3, 2], [1, 1, 3, 2], ("coordinate_transformation_mode", "asymmetric"), ("nearest_mode", "floor")),
        Resize("Resize 13, asymmetric floor", 13, [2, 3, 2], [1, 1, 2, 2], ("coordinate_transformation_mode", "asymmetric"), ("nearest_mode", "floor")),
        Resize("Resize 18, asymmetric floor", 18, [2, 3, 2], [1, 1, 2, 2], ("coordinate_transformation_mode", "asymmetric"), ("nearest_mode", "floor")),
        Resize("Resize, half_pixel", 13, [2, 3, 2], [1, 1, 2, 3]),
        Resize("Resize, one axis", 13, [2, 4], [1, 1, 2], ("coordinate_transformation_mode", "asymmetric"), ("nearest_mode", "floor")),
        Resize("Resize, nearest, align_corners, not by whole factors", 13, [2, 3, 4], [1, 1, 2, 2.25f], ("coordinate_transformation_mode", "align_corners"), ("nearest_mode", "round_prefer_ceil")),
        Resize("Resize, nearest, smaller", 13, [2, 6, 5], [1, 1, 0.5f, 0.6f]),
        Resize("Resize, nearest, a factor that is not whole but reaches a whole size", 13, [2, 3, 2], [1, 1, 2.2f, 2], ("coordinate_transformation_mode", "asymmetric"), ("nearest_mode", "floor")),
        Resize("Resize, linear, half_pixel", 13, [2, 3, 4], [1, 1, 2, 1.6f], ("mode", "linear")),
        Resize("Resize, linear, asymmetric", 11, [2, 3, 4], [1, 1, 2, 2], ("mode", "linear"), ("coordinate_transformation_mode", "asymmetric")),
        Resize("Resize, linear, align_corners", 18, [2, 3, 4], [1, 1, 2, 3], ("mode", "linear"), ("coordinate_transformation_mode", "align_corners")),
        Resize("Resize, linear, pytorch_half_pixel, smaller", 13, [2, 5, 4], [1, 1, 0.6f, 0.5f], ("mode", "linear"), ("coordinate_transformation_mode", "pytorch_half_pixel")),
        Resize("Resize, cubic", 13, [2, 4, 5], [1, 1, 2, 1.7f], ("mode", "cubic")),
        Resize("Resize, cubic, a −0.5", 18, [1, 4, 5], [1, 1, 1.5f, 2], ("mode", "cubic"), ("cubic_coeff_a", -0.5f), ("coordinate_transformation_mode", "align_corners")),
        Case("Resize, linear, sizes", "Resize", [2, 3, 4], (n, x) => n.Op("Resize", [x, "", "", n.Ints(1, 2, 5, 7)], ("mode", "linear"))) with { Batch = 1L },
        Case("Resize 18, linear, sizes of axes", "Resize", [2, 3, 4], (n, x) => n.Op("Resize", [x, "", "", n.Ints(5, 7)], ("mode", "linear"), ("axes", L(2, 3))), opset: 18),
        Cropped("nearest", 13, [0, 0, 0.1f, 0.2f, 1, 1, 0.8f, 0.9f], n => n.Ints(1, 2, 3, 7), ("mode", "nearest")),
        Cropped("linear, beyond the image", 13, [0, 0, -0.2f, 0.1f, 1, 1, 0.8f, 1.3f], n => n.Ints(1, 2, 5, 6), ("mode", "linear"), ("extrapolation_value", 2.5f)),
        Cropped("cubic, two axes", 18, [0.1f, 0.2f, 0.8f, 1.2f], n => n.Ints(3, 4), ("mode", "cubic"), ("axes", L(2, 3))),
        Cropped("linear, turned over", 18, [0.9f, 0.2f, 0.1f, 0.8f], n => n.Ints(3, 1), ("mode", "linear"), ("axes", L(2, 3))),
        Case("Resize 18, not larger", "Resize", [2, 3, 5], (n, x) => n.Op("Resize", [x, "", "", n.Ints(5, 7)], ("mode", "linear"), ("axes", L(2, 3)), ("keep_aspect_ratio_policy", "not_larger")), opset: 18),
        Case("Resize 18, not smaller, cubic", "Resize", [2, 3, 5], (n, x) => n.Op("Resize", [x, "", "", n.Ints(5, 7)], ("mode", "cubic"), ("axes", L(3, 2)), ("keep_aspect_ratio_policy", "not_smaller")), opset: 18),
        Case("Resize 18, not larger, nearest", "Resize", [2, 3, 4], (n, x) => n.Op("Resize", [x, "", "", n.Ints(6, 9)], ("axes", L(2, 3)), ("keep_aspect_ratio_policy", "not_larger")), opset: 18),
        Case("Upsample 9, linear", "Upsample", [2, 3, 2], (n, x) => n.Op("Upsample", [x, n.Floats([1, 1, 2, 3], 4)], ("mode", "linear")), opset: 9),
        Case("GridSample, bilinear", "GridSample", [2, 3, 4], (n, x) => n.Op("GridSample", [x, ForEveryRow(n, x, Grid(n), 2, 3, 2)]), opset: 20),
        Case("GridSample, border, align_corners", "GridSample", [2, 3, 4], (n, x) => n.Op("GridSample", [x, ForEveryRow(n, x, Grid(n), 2, 3, 2)], ("align_corners", 1L), ("padding_mode", "border")), opset: 20),
        Case("GridSample, reflection", "GridSample", [2, 3, 4], (n, x) => n.Op("GridSample", [x, ForEveryRow(n, x, Grid(n), 2, 3, 2)], ("padding_mode", "reflection")), opset: 20),
        Case("GridSample, cubic, reflection, align_corners", "GridSample", [2, 3, 4], (n, x) => n.Op("GridSample", [x, ForEveryRow(n, x, Grid(n), 2, 3, 2)], ("mode", "cubic"), ("padding_mode", "reflection"), ("align_corners", 1L)), opset: 20),
        Case("GridSample, of a volume", "GridSample", [1, 2, 3, 2], (n, x) => n.Op("GridSample", [x, ForEveryRow(n, x, n.Floats([-0.9f, -0.3f, 0.1f, 0.2f, 1.3f, 0.4f, -0.2f, 0.77f, 0.6f, 0.35f, 0.2f, -0.8f], 1, 2, 2, 1, 3), 2, 2, 1, 3)]), opset: 20),
        Case("GridSample, nearest, one row", "GridSample", [2, 3, 4], (n, x) => n.Op("GridSample", [x, Grid(n)], ("mode", "nearest")), opset: 20) with { Batch = 1L },
        Case("Resize, between convolutions", "Resize", [1, 4, 4], (n, x) => n.Op("Conv", [n.Op("Resize", [n.Op("Relu", [n.Op("Conv", [x, n.Weights(2, 1, 2, 2)])]), "", n.Floats([1, 1, 2, 2], 4)], ("coordinate_transformation_mode", "asymmetric"), ("nearest_mode", "floor")), n.Weights(1, 2, 3, 3)])),
    ];

    private static IEnumerable<RuleCase> Reduction() =>
    [
        .. new[] { "ReduceSum", "ReduceMean", "ReduceMax", "ReduceMin" }.SelectMany(Reductions),
        Case("ReduceSum 11, axes as attribute", "ReduceSum", [3, 4], (n, x) => n.Op("ReduceSum", [x], ("axes", L(2))), opset: 11),
        Case("ReduceSum 13, axes as input", "ReduceSum", [3, 4], (n, x) => n.Op("ReduceSum", [x, n.Ints(2)]), opset: 13),
        Case("ReduceSum, noop_with_empty_axes", "ReduceSum", [3], (n, x) => n.Op("ReduceSum", [n.Op("Relu", [x])], ("noop_with_empty_axes", 1L))),
        Case("ReduceLogSum", "ReduceLogSum", [3, 4], (n, x) => n.Op("ReduceLogSum", [x], ("axes", L(2))), data: RowData.Positive) with { IsPiecewiseLinear = false },
        Case("CumSum", "CumSum", [2, 4], (n, x) => n.Op("CumSum", [x, n.Ints([2], [])])),
        Case("CumSum, exclusive", "CumSum", [2, 4], (n, x) => n.Op("CumSum", [x, n.Ints([1], [])], ("exclusive", 1L))),
        Case("CumSum, reverse, negative axis", "CumSum", [2, 4], (n, x) => n.Op("CumSum", [x, n.Ints([-1], [])], ("reverse", 1L))),
        Case("CumSum, exclusive and reverse", "CumSum", [5], (n, x) => n.Op("CumSum", [x, n.Ints([1], [])], ("exclusive", 1L), ("reverse", 1L))),
        Case("TopK, two largest", "TopK", [6], (n, x) => n.Ops("TopK", 2, [x, n.Ints(2)])[0]),
        Case("TopK, three smallest of an inner axis", "TopK", [5, 2], (n, x) => n.Ops("TopK", 2, [x, n.Ints(3)], ("axis", 1L), ("largest", 0L))[0]),
        Case("Trilu, upper", "Trilu", [3, 4], (n, x) => n.Op("Trilu", [x])),
        Case("Trilu, lower, shifted", "Trilu", [3, 4], (n, x) => n.Op("Trilu", [x, n.Ints([-1], [])], ("upper", 0L))),
        Case("ReduceL1", "ReduceL1", [3, 4], (n, x) => n.Op("ReduceL1", [x], ("axes", L(2)))),
        Case("ReduceSumSquare", "ReduceSumSquare", [3, 4], (n, x) => n.Op("ReduceSumSquare", [x], ("axes", L(2)))) with { IsPiecewiseLinear = false },
        Case("ReduceL2", "ReduceL2", [3, 4], (n, x) => n.Op("ReduceL2", [x], ("axes", L(2)))) with { IsPiecewiseLinear = false },
        Case("ReduceLogSumExp", "ReduceLogSumExp", [3, 4], (n, x) => n.Op("ReduceLogSumExp", [x], ("axes", L(2)))) with { IsPiecewiseLinear = false },
    ];

    private static IEnumerable<RuleCase> Reductions(string op)
    {
        var old = op == "ReduceSum" ? 11 : 17;
        yield return Case($"{op}, axes as attribute", op, [3, 4], (n, x) => n.Op(op, [x], ("axes", L(1))), old);
        yield return Case($"{op}, without keepdims", op, [3, 4], (n, x) => n.Op(op, [x], ("axes", L(-1)), ("keepdims", 0L)), old);
        yield return Case($"{op}, two axes", op, [3, 2, 4], (n, x) => n.Op(op, [x], ("axes", L(2, 3)), ("keepdims", 0L)), old);
        yield return Case($"{op}, axes apart", op, [3, 2, 4], (n, x) => n.Op(op, [x], ("axes", L(1, 3))), old);
        yield return Case($"{op} 18, axes as input", op, [3, 4], (n, x) => n.Op(op, [x, n.Ints(2)], ("keepdims", 0L)), 18);
        yield return Case($"{op} 18, axis −2", op, [3, 4], (n, x) => n.Op(op, [x, n.Ints(-2)]), 18);
        yield return Case($"{op}, all axes of one row", op, [3, 4], (n, x) => n.Op(op, [x], ("keepdims", 0L)), old) with { Batch = null };
        foreach (var one in AtOpsets(Case($"{op}, spelling", op, [3, 4], (n, x) => n.Op(op, [x], ("axes", L(2)))), op == "ReduceSum" ? [7, 11] : [7, 11, 13])) yield return one;
    }

    private static RuleCase Scatter(string name, string reduction, Func<Net, string, string[], string[]> operands) =>
        Case($"ScatterElements, {name}", "ScatterElements", [6], (n, x) => n.Op("ScatterElements", operands(n, x, n.Ops("Split", 2, [x, n.Ints(4, 2)], ("axis", 1L))), ("axis", 1L), ("reduction", reduction)))
            with
        { Batch = 1L };

    private static RuleCase ReducedElements(string reduction, string name, Func<Net, string[], string[]> operands) =>
        Reduced("ScatterElements", reduction, name, (n, x) => n.Op("ScatterElements", operands(n, n.Ops("Split", 2, [x, n.Ints(4, 2)], ("axis", 1L))), ("axis", 1L), ("reduction", reduction)));

    private static RuleCase Resize(string name, long opset, int[] row, float[] scales, params (string, object)[] attributes) =>
        // Opset 11 asks for a region of interest even where the mode ignores it.
        Case(name, "Resize", row, (n, x) => n.Op("Resize", [x, opset == 11 ? n.Floats([], 0) : "", n.Floats(scales, scales.Length)], attributes), opset);

    private static RuleCase Cropped(string name, long opset, float[] region, Func<Net, string> sizes, params (string, object)[] attributes) =>
        Case($"Resize {opset}, tf_crop_and_resize, {name}", "Resize", [2, 4, 5], (n, x) => n.Op("Resize", [x, n.Floats(region, region.Length), "", sizes(n)], [("coordinate_transformation_mode", "tf_crop_and_resize"), .. attributes]), opset) with { Batch = 1L };

    /// <summary>Six points (x, y), two of them outside.</summary>
    private static string Grid(Net n) => n.Floats([-0.9f, -0.3f, 0.1f, 0.2f, 1.3f, 0.4f, -0.2f, 0.77f, 0.6f, -1.2f, 0.35f, -0.8f], 1, 2, 3, 2);

    /// <summary>Indices of one row repeated for every row of the batch.</summary>
    private static string ForEveryRow(Net n, string x, string indices, params long[] row) =>
        n.Op("Expand", [indices, n.Op("Concat", [n.Op("Slice", [n.Op("Shape", [x]), n.Ints(0), n.Ints(1)]), n.Ints(row)], ("axis", 0L))]);
}
