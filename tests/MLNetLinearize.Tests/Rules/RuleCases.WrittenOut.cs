using static MLNetLinearize.Tests.Rules.Net;

namespace MLNetLinearize.Tests.Rules;

/// <summary>Operators that are written out in others before the rules.</summary>
internal static partial class RuleCases
{
    private static IEnumerable<RuleCase> Attentions() =>
    [
        Attention("by heads", [2, 3, 4], (n, x) => n.Op("Attention", Projected(n, x, 4))),
        Attention("flat, two heads", [3, 4], (n, x) => n.Op("Attention", Projected(n, x, 4), ("q_num_heads", 2L), ("kv_num_heads", 2L))),
        Attention("causal", [3, 4], (n, x) => n.Op("Attention", Projected(n, x, 4), ("q_num_heads", 2L), ("kv_num_heads", 2L), ("is_causal", 1L))),
        Attention("scale", [1, 3, 4], (n, x) => n.Op("Attention", Projected(n, x, 4), ("scale", 0.2f))),
        Attention("softcap", [1, 3, 4], (n, x) => n.Op("Attention", Projected(n, x, 4), ("softcap", 1.5f))),
        Attention("mask of numbers", [1, 3, 4], (n, x) => n.Op("Attention", [.. Projected(n, x, 4), n.Weights(3, 3)])),
        Attention("mask of booleans", [1, 3, 4], (n, x) => n.Op("Attention", [.. Projected(n, x, 4), n.Booleans([true, false, true, true, true, false, false, true, true], 3, 3)])),
        Attention("groups of heads share keys", [3, 8], (n, x) => n.Op("Attention", [x, n.Op("MatMul", [x, n.Weights(8, 4)]), n.Op("MatMul", [x, n.Weights(8, 4)])], ("q_num_heads", 4L), ("kv_num_heads", 2L))),
        Attention("past keys and values", [2, 2, 4], (n, x) =>
        {
            var past = n.Op("Mul", [x, n.Scalar(0.5f)]);
            return n.Ops("Attention", 3, [.. Projected(n, x, 4), "", past, past])[0];
        }),
        Attention("present keys", [2, 2, 4], (n, x) => n.Ops("Attention", 3, [.. Projected(n, x, 4), "", x, x])[1]) with { IsPiecewiseLinear = true },
        Attention("scores", [1, 3, 4], (n, x) => n.Ops("Attention", 4, Projected(n, x, 4), ("qk_matmul_output_mode", 0L))[3]),
        Attention("weights", [1, 3, 4], (n, x) => n.Op("Neg", [n.Ops("Attention", 4, Projected(n, x, 4), ("qk_matmul_output_mode", 3L))[3]])),
        Rotary("by heads", [2, 3, 4], (n, x) => n.Op("RotaryEmbedding", [x, n.Weights(5, 2), n.Weights(5, 2), Positions(n, x)])),
        Rotary("flat", [3, 8], (n, x) => n.Op("RotaryEmbedding", [x, n.Weights(5, 2), n.Weights(5, 2), Positions(n, x)], ("num_heads", 2L))),
        Rotary("interleaved", [2, 3, 4], (n, x) => n.Op("RotaryEmbedding", [x, n.Weights(5, 2), n.Weights(5, 2), Positions(n, x)], ("interleaved", 1L))),
        Rotary("half of the size", [2, 3, 8], (n, x) => n.Op("RotaryEmbedding", [x, n.Weights(5, 2), n.Weights(5, 2), Positions(n, x)], ("rotary_embedding_dim", 4L))),
        Rotary("without positions", [2, 3, 4], (n, x) => n.Op("RotaryEmbedding", [x, n.Weights(1, 3, 2), n.Weights(1, 3, 2)])) with { Batch = 1L },
    ];

    private static IEnumerable<RuleCase> OtherSpellings() =>
    [
        .. new[] { "none", "sum", "mean" }.SelectMany(r => new[]
        {
            Lost("NegativeLogLikelihoodLoss", r, r, [4, 2], n => [n.Ints([3, 1], [1, 2])]) with { IsPiecewiseLinear = true },
            Lost("SoftmaxCrossEntropyLoss", r, r, [4, 2], n => [n.Ints([3, 1], [1, 2]), n.Positive(4)]),
        }),
        Lost("NegativeLogLikelihoodLoss", "a label ignored", "mean", [3, 2, 2], n => [n.Ints([2, 0, 0, 1], [1, 2, 2]), n.Positive(3)], ("ignore_index", 0L)) with { IsPiecewiseLinear = true },
        Lost("SoftmaxCrossEntropyLoss", "a label that is no class ignored", "mean", [3, 2], n => [n.Ints([-1, 1], [1, 2])], ("ignore_index", -1L)),
        Case("SoftmaxCrossEntropyLoss, probabilities", "SoftmaxCrossEntropyLoss", [4], (n, x) => n.Op("Neg", [n.Ops("SoftmaxCrossEntropyLoss", 2, [x, n.Ints(2)])[1]])) with { Batch = 1L, IsPiecewiseLinear = false },
        Case("OneHot, computed values", "OneHot", [4], (n, x) => n.Op("OneHot", [n.Ints(2, 0, 5), n.Ints([3], []), n.Op("Reshape", [n.Op("Slice", [x, n.Ints(1), n.Ints(3), n.Ints(1)]), n.Ints(2)])], ("axis", 0L))) with { Batch = 1L },
        Case("CastLike", "CastLike", [4], (n, x) => n.Op("CastLike", [n.Op("Neg", [x]), n.Scalar(1)]), 19),
        Case("CenterCropPad", "CenterCropPad", [5, 4, 3], (n, x) => n.Op("CenterCropPad", [x, n.Ints(2, 7)], ("axes", L(1, -2))), 18),
        Case("CenterCropPad, odd", "CenterCropPad", [4, 4], (n, x) => n.Op("CenterCropPad", [x, n.Ints(1, 3, 7)]), 18) with { Batch = 1L },
        Case("Col2Im", "Col2Im", [8, 6], (n, x) => n.Op("Col2Im", [x, n.Ints(3, 4), n.Ints(2, 2)]), 18),
        Case("Col2Im, strides, pads, dilations", "Col2Im", [8, 4], (n, x) => n.Op("Col2Im", [x, n.Ints(6, 5), n.Ints(2, 2)], ("strides", L(3, 2)), ("pads", L(1, 0, 0, 1)), ("dilations", L(2, 3))), 18),
        Case("AffineGrid", "AffineGrid", [2, 3], (n, x) => n.Op("AffineGrid", [x, n.Ints(1, 1, 3, 4)]), 20) with { Batch = 1L },
        Case("AffineGrid, corners, 3-D", "AffineGrid", [3, 4], (n, x) => n.Op("AffineGrid", [x, n.Ints(1, 1, 2, 3, 2)], ("align_corners", 1L)), 20) with { Batch = 1L },
        Case("DFT", "DFT", [6, 2], (n, x) => n.Op("DFT", [x, "", n.Ints([1], [])]), 20),
        Case("DFT, real, one side, padded", "DFT", [5, 3, 1], (n, x) => n.Op("DFT", [x, n.Ints([8], []), n.Ints([1], [])], ("onesided", 1L)), 20),
        Case("DFT 17, inverse, cut", "DFT", [6, 2], (n, x) => n.Op("DFT", [x, n.Ints([4], [])], ("axis", 1L), ("inverse", 1L))),
        Case("DFT 17, inverse of half a spectrum", "DFT", [5, 2], (n, x) => n.Op("DFT", [x], ("axis", 1L), ("inverse", 1L), ("onesided", 1L))),
        Case("DFT, inverse of half a spectrum, odd", "DFT", [4, 3, 2], (n, x) => n.Op("DFT", [x, n.Ints([7], []), n.Ints([1], [])], ("inverse", 1L), ("onesided", 1L)), 20),
        Case("DFT, inverse of half a spectrum, padded", "DFT", [3, 2], (n, x) => n.Op("DFT", [x, n.Ints([9], [])], ("inverse", 1L), ("onesided", 1L)), 20),
        Case("STFT", "STFT", [12, 1], (n, x) => n.Op("STFT", [x, n.Ints([3], []), n.Weights(6)])),
        Case("STFT, no axis of parts", "STFT", [12], (n, x) => n.Op("STFT", [x, n.Ints([3], []), n.Weights(6)])),
        Case("STFT, complex, one side", "STFT", [8, 2], (n, x) => n.Op("STFT", [x, n.Ints([2], []), "", n.Ints([4], [])], ("onesided", 1L))),
        Case("STFT, no window, both sides", "STFT", [10, 1], (n, x) => n.Op("STFT", [x, n.Ints([4], []), "", n.Ints([5], [])], ("onesided", 0L))),
        Cached("at one position", 1L, [4, 3], n => n.Ints(1)),
        Cached("at none", 1L, [4, 3], n => ""),
        Cached("around the end", 1L, [4, 3], n => n.Ints(3), ("mode", "circular")),
        Cached("at a position beyond the end", 1L, [4, 3], n => n.Ints(9), ("mode", "circular")),
        Cached("a position for each row", null, [3, 4, 2], n => n.Ints(2, 0, 1)),
        Cached("a position for each row, around the end", null, [3, 2, 4, 2], n => n.Ints(3, 0, 6), ("mode", "circular"), ("axis", 2L)),
        Case("TensorScatter, computed positions", "TensorScatter", [4, 3], (n, x) =>
        {
            // The largest of four numbers decides: no function of what is explained that has a slope.
            var positions = n.Op("ArgMax", [n.Op("Slice", [n.Op("Reshape", [x, n.Ints(-1, 12)]), n.Ints(0), n.Ints(4), n.Ints(1)])], ("axis", 1L), ("keepdims", 0L));
            return n.Op("TensorScatter", [x, n.Op("Slice", [n.Op("Neg", [x]), n.Ints(0), n.Ints(2), n.Ints(1)]), positions], ("mode", "circular"));
        }, 24),
        Case("Compress", "Compress", [3, 4], (n, x) => n.Op("Compress", [x, n.Booleans([true, false, true], 3)], ("axis", -1L))),
        Case("Compress, elements", "Compress", [5], (n, x) => n.Op("Compress", [x, n.Booleans([false, true, true, false, true], 5)])) with { Batch = 1L },
        Case("CumProd", "CumProd", [4, 2], (n, x) => n.Op("CumProd", [x, n.Ints([1], [])]), 26) with { IsPiecewiseLinear = false },
        Case("CumProd, exclusive, reverse", "CumProd", [4, 2], (n, x) => n.Op("CumProd", [x, n.Ints([1], [])], ("exclusive", 1L), ("reverse", 1L)), 26) with { IsPiecewiseLinear = false },
        Case("Det", "Det", [3, 3], (n, x) => n.Op("Det", [x])) with { IsPiecewiseLinear = false },
        Case("Det, of two matrices", "Det", [2, 2, 2], (n, x) => n.Op("Det", [x])) with { IsPiecewiseLinear = false },
        Case("Mod", "Mod", [6], (n, x) => n.Op("Mod", [x, n.Scalar(0.7f)], ("fmod", 1L))),
        Case("Mod, computed divisor", "Mod", [6], (n, x) => n.Op("Mod", [n.Scalar(5), n.Op("Add", [n.Op("Abs", [x]), n.Scalar(1)])], ("fmod", 1L))),
        Case("Mod, both", "Mod", [6], (n, x) => n.Op("Mod", [n.Op("Mul", [x, n.Scalar(3)]), n.Op("Add", [n.Op("Abs", [x]), n.Scalar(1)])], ("fmod", 1L))),
        Case("Shrink", "Shrink", [8], (n, x) => n.Op("Shrink", [x], ("bias", 0.3f), ("lambd", 0.8f))),
        Case("ReverseSequence", "ReverseSequence", [4, 3], (n, x) => n.Op("ReverseSequence", [x, n.Ints(3)], ("time_axis", 1L), ("batch_axis", 0L))) with { Batch = 1L },
        Case("ReverseSequence, times first", "ReverseSequence", [3, 2], (n, x) => n.Op("ReverseSequence", [x, n.Ints(3, 2)])) with { Batch = null },
    ];

    /// <summary>Half of the row, negated, is written into the row.</summary>
    private static RuleCase Cached(string name, object? batch, int[] row, Func<Net, string> positions, params (string, object)[] attributes) =>
        Case($"TensorScatter, {name}", "TensorScatter", row, (n, x) => n.Op("TensorScatter", [x, n.Op("Slice", [n.Op("Neg", [x]), n.Ints(0), n.Ints(2), n.Ints(-2)]), positions(n)], attributes), 24) with { Batch = batch };

    private static RuleCase Lost(string op, string name, string reduction, int[] row, Func<Net, string[]> labels, params (string, object)[] attributes) =>
        Case($"{op}, {name}", op, row, (n, x) => n.Op(op, [x, .. labels(n)], [("reduction", reduction), .. attributes])) with { Batch = 1L, IsPiecewiseLinear = false };

    private static IEnumerable<RuleCase> ComputedPlaces() =>
    [
        .. new[] { "linear", "cubic" }.SelectMany(mode => new[] { "zeros", "border", "reflection" }.SelectMany(padding => new[] { 0L, 1 }.Select(aligned => Case($"GridSample, computed grid, {mode}, {padding}, align_corners {aligned}", "GridSample", [2, 3, 4], (n, x) =>
        {
            var places = n.Op("Reshape", [n.Op("Mul", [n.Op("Slice", [x, n.Ints(0), n.Ints(1), n.Ints(1)]), n.Scalar(0.6f)]), n.Ints(-1, 2, 3, 2)]);
            return n.Op("GridSample", [x, places], ("mode", mode), ("padding_mode", padding), ("align_corners", aligned));
        }, opset: 20) with { IsPiecewiseLinear = false }))),
        Case("GridSample, computed grid, of a volume", "GridSample", [1, 2, 3, 2], (n, x) => n.Op("GridSample", [x, n.Op("Reshape", [n.Op("Mul", [x, n.Scalar(0.6f)]), n.Ints(-1, 2, 2, 1, 3)])], ("padding_mode", "border")), opset: 20) with { IsPiecewiseLinear = false },
        .. new[] { "avg", "max" }.SelectMany(mode => new[]
        {
            Aligned(mode, "two points a cell", 16, ("sampling_ratio", 2L)),
            Aligned(mode, "scaled", 16, ("sampling_ratio", 1L), ("spatial_scale", 0.7f)),
            Aligned(mode, "of version 10", 10, ("sampling_ratio", 2L)),
            Aligned(mode, "whole pixels", 16, ("sampling_ratio", 3L), ("coordinate_transformation_mode", "output_half_pixel")),
        }),
        Aligned("avg", "as many points as pixels", 16),
        Pooled("MaxRoiPool, one region", 1, [0, 0, 0, 4, 3]),
        Pooled("MaxRoiPool, regions overlap and leave the image", 1, [0, 0, 0, 2, 2, 0, 1, 1, 4, 3, 0, 3, 2, 6, 5]),
        Pooled("MaxRoiPool, two images, scaled", 0.6f, [1, 0, 0, 4, 3, 0, 2, 2, 7, 5]) with { Batch = null, RowShape = [2, 2, 4, 5] },
        Case("RoiAlign, avg, two images, one region mostly outside", "RoiAlign", [2, 2, 4, 5], (n, x) =>
            n.Op("RoiAlign", [x, n.Floats([0.3f, 0.2f, 4.1f, 3.4f, 3.2f, 2.7f, 14.9f, 12.8f, 2.1f, 1.6f, 6.5f, 4.7f], 3, 4), n.Ints(1, 0, 1)], ("output_height", 2L), ("output_width", 3L))) with { Batch = null },
        Case("GridSample, computed grid, nearest", "GridSample", [2, 3, 4], (n, x) => n.Op("GridSample", [x, n.Op("Reshape", [n.Op("Slice", [x, n.Ints(0), n.Ints(1), n.Ints(1)]), n.Ints(-1, 2, 3, 2)])], ("mode", "nearest")), 20),
        Deformed("plain", (n, x) => [x, n.Weights(2, 2, 2, 2), Moves(n, x, 8, 3, 4)]),
        Deformed("bias and mask, strides, pads", (n, x) => [x, n.Weights(2, 2, 2, 2), Moves(n, x, 8, 3, 3), n.Weights(2), Moves(n, x, 4, 3, 3)], ("strides", L(2, 2)), ("pads", L(1, 0, 1, 1))),
        Deformed("two groups of offsets, two of channels, dilated", (n, x) => [x, n.Weights(2, 1, 2, 2), Moves(n, x, 16, 2, 4)], ("offset_group", 2L), ("group", 2L), ("dilations", L(2, 1))),
    ];

    /// <summary>Three regions, left, top, right, bottom, one of which leaves the image.</summary>
    private static RuleCase Aligned(string mode, string name, long opset, params (string, object)[] attributes) =>
        Case($"RoiAlign, {mode}, {name}", "RoiAlign", [2, 4, 5], (n, x) => n.Op("RoiAlign", [x, n.Floats([0.3f, 0.2f, 4.1f, 3.4f, 1.2f, 0.7f, 2.9f, 2.8f, 2.1f, 1.6f, 6.5f, 4.7f], 3, 4), n.Ints(0, 0, 0)], [("mode", mode), ("output_height", 2L), ("output_width", 3L), .. attributes]), opset) with { Batch = 1L };

    private static RuleCase Pooled(string name, float scale, float[] regions) =>
        Case(name, "MaxRoiPool", [2, 4, 5], (n, x) => n.Op("MaxRoiPool", [x, n.Floats(regions, regions.Length / 5, 5)], ("pooled_shape", L(2, 2)), ("spatial_scale", scale))) with { Batch = 1L };

    private static RuleCase Deformed(string name, Func<Net, string, string[]> operands, params (string, object)[] attributes) =>
        Case($"DeformConv, {name}", "DeformConv", [2, 4, 5], (n, x) => n.Op("DeformConv", operands(n, x), attributes), 19) with { IsPiecewiseLinear = false };

    /// <summary>Offsets that depend on the row, up to about a pixel.</summary>
    private static string Moves(Net n, string x, long channels, long height, long width) =>
        n.Op("Reshape", [n.Op("MatMul", [n.Op("Flatten", [n.Op("Mul", [x, n.Scalar(0.7f)])]), n.Weights(40, channels * height * width)]), n.Ints(-1, channels, height, width)]);

    private static RuleCase Attention(string name, int[] row, Func<Net, string, string> body) => Case($"Attention, {name}", "Attention", row, body, 23) with { IsPiecewiseLinear = false };

    private static RuleCase Rotary(string name, int[] row, Func<Net, string, string> body) => Case($"RotaryEmbedding, {name}", "RotaryEmbedding", row, body, 23);

    private static string[] Projected(Net n, string x, int size) => [x, n.Op("MatMul", [x, n.Weights(size, size)]), n.Op("MatMul", [x, n.Weights(size, size)])];

    /// <summary>Positions 2, 0, 3 for every row.</summary>
    private static string Positions(Net n, string x) => ForEveryRow(n, x, n.Ints([2, 0, 3], [1, 3]), 3);
}
