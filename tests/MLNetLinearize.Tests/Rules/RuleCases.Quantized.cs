using static MLNetLinearize.Tests.Rules.Net;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Tests.Rules;

/// <summary>Rounding to a few bits and back, with values inside the range and beyond it, and weights that are stored so.</summary>
internal static partial class RuleCases
{
    private static IEnumerable<RuleCase> Quantized() =>
    [
        Rounded("unsigned", [6], (n, x) => Round(n, x, n.Scalar(0.01f), n.Bytes(120))),
        Rounded("without zero point", [6], (n, x) => n.Op("DequantizeLinear", [n.Op("QuantizeLinear", [x, n.Scalar(0.005f)]), n.Scalar(0.005f)])),
        Rounded("signed", [6], (n, x) => Round(n, x, n.Scalar(0.01f), n.SignedBytes(-7))),
        Rounded("per axis", [3, 4], (n, x) => Round(n, x, n.Floats([0.01f, 0.02f, 0.005f], 3), n.SignedBytes(3, -5, 0), ("axis", 1L))),
        Rounded("per last axis", [3, 4], (n, x) => Round(n, x, n.Floats([0.01f, 0.02f, 0.005f, 0.03f], 4), n.Bytes(100, 128, 0, 7), ("axis", -1L))),
        Rounded("transposed between", [3, 4], (n, x) => n.Op("DequantizeLinear", [n.Op("Transpose", [n.Op("QuantizeLinear", [x, n.Scalar(0.01f), n.Bytes(99)])], ("perm", L(0, 2, 1))), n.Scalar(0.01f), n.Bytes(99)])),
        Rounded("a dense layer", [6], (n, x) =>
        {
            var weights = n.Op("DequantizeLinear", [n.SignedBytes(12, -100, 31, 7, 127, -55), n.Scalar(0.01f), n.SignedBytes(0)]);
            return Round(n, n.Op("Relu", [n.Op("MatMul", [Round(n, x, n.Scalar(0.02f), n.Bytes(128)), n.Op("Reshape", [weights, n.Ints(6, 1)])])]), n.Scalar(0.03f), n.Bytes(0));
        }),
        Rounded("blocks", [3, 4], (n, x) => Round(n, x, n.Floats([0.01f, 0.02f, 0.03f, 0.015f, 0.02f, 0.01f], 1, 3, 2), n.Unsigned([100, 128, 0, 7, 5, 200], 1, 3, 2), ("axis", 2L), ("block_size", 2L))) with { Opset = 21, Batch = 1L },
        Rounded("dynamically", [6], (n, x) => Dynamic(n, x, (q, zero) => n.Op("Sub", [n.Op("Cast", [q], ("to", 1L)), n.Op("Cast", [zero], ("to", 1L))]))) with { Batch = 1L },
        Rounded("QLinearConv", [2, 4, 4], (n, x) =>
        {
            var (scale, zero, ofKernel) = (n.Scalar(0.02f), n.Bytes(120), n.SignedBytes(0));
            var kernel = n.Integers([.. Enumerable.Range(0, 24).Select(i => (sbyte)(i * 37 % 201 - 100))], 3, 2, 2, 2);
            var y = n.Op("QLinearConv", [n.Op("QuantizeLinear", [x, scale, zero]), scale, zero, kernel, n.Floats([0.01f, 0.02f, 0.015f], 3), n.SignedBytes(0, 0, 0), n.Scalar(0.05f), n.Bytes(100), n.Integers32([40, -100, 7], 3)], ("pads", L(1, 0, 0, 1)));
            return n.Op("DequantizeLinear", [y, n.Scalar(0.05f), n.Bytes(100)]);
        }),
        Rounded("QLinearMatMul", [3, 4], (n, x) =>
        {
            var (scale, zero) = (n.Scalar(0.02f), n.Bytes(120));
            var weights = n.Integers([.. Enumerable.Range(0, 8).Select(i => (sbyte)(i * 37 % 201 - 100))], 4, 2);
            return n.Op("DequantizeLinear", [n.Op("QLinearMatMul", [n.Op("QuantizeLinear", [x, scale, zero]), scale, zero, weights, n.Floats([0.01f, 0.02f], 2), n.SignedBytes(0, 0), n.Scalar(0.03f), n.Bytes(100)]), n.Scalar(0.03f), n.Bytes(100)]);
        }),
        Rounded("MatMulInteger, sums of integers", [6], (n, x) => Dynamic(n, x, (q, zero) =>
        {
            var product = n.Op("MatMulInteger", [q, n.Integers([12, -100, 31, 7, 127, -55, 3, 9, 80, -9, -1, 44], 6, 2), zero]);
            var sum = n.Op("Mul", [n.Op("Add", [n.Integers32([500, -1200], 2), product]), n.Integers32([3])]);
            var turned = n.Op("Reshape", [n.Op("Sub", [n.Op("Concat", [sum, product], ("axis", 1L)), n.Integers32([7])]), n.Ints(-1, 2, 2)]);
            var bent = n.Op("ReduceSum", [n.Op("Max", [turned, n.Op("Neg", [turned])]), n.Ints(1)], ("keepdims", 0L));
            return n.Op("Cast", [bent], ("to", 1L));
        })) with { Batch = 1L },
        Rounded("ConvInteger, bias of integers", [1, 4, 4], (n, x) => Dynamic(n, x, (q, zero) =>
            n.Op("Cast", [n.Op("Relu", [n.Op("Add", [n.Op("ConvInteger", [q, n.Integers([12, -100, 31, 7, 127, -55, 3, 9], 2, 1, 2, 2), zero]), n.Integers32([300, -700], 1, 2, 1, 1)])])], ("to", 1L)))) with { Batch = 1L },
        Rounded("MatMulInteger", [6], (n, x) => Dynamic(n, x, (q, zero) => n.Op("Cast", [n.Op("MatMulInteger", [q, n.Integers([12, -100, 31, 7, 127, -55, 3, 9, 80, -9, -1, 44], 6, 2), zero])], ("to", 1L)))) with { Batch = 1L },
        Rounded("ConvInteger", [2, 3, 3], (n, x) => Dynamic(n, x, (q, zero) => n.Op("Cast", [n.Op("ConvInteger", [q, n.Unsigned([.. Enumerable.Range(0, 16).Select(i => (byte)(i * 37 % 201))], 2, 2, 2, 2), zero, n.Bytes(100)])], ("to", 1L)))) with { Batch = 1L },
        .. NarrowTypes.SelectMany(type => new[]
        {
            Rounded($"to {type}", [6], (n, x) => Round(n, x, n.Scalar(Step(type)), n.Stored(type, Zeros(type, 1), []))) with { Opset = 25 },
            Rounded($"to {type}, named by an attribute", [6], (n, x) => n.Op("DequantizeLinear", [n.Op("QuantizeLinear", [x, n.Scalar(Step(type))], ("output_dtype", (long)type)), n.Scalar(Step(type))])) with { Opset = 25 },
            Rounded($"to {type}, per axis", [3, 4], (n, x) => Round(n, x, n.Floats([Step(type), 2 * Step(type), 0.5f * Step(type)], 3), n.Stored(type, Zeros(type, 3), 3), ("axis", 1L))) with { Opset = 25 },
            Rounded($"to {type}, blocks", [3, 4], (n, x) => Round(n, x, n.Floats([.. Enumerable.Range(1, 6).Select(i => i * 0.3f * Step(type))], 1, 3, 2), n.Stored(type, Zeros(type, 6), 1, 3, 2), ("axis", -1L), ("block_size", 3L))) with { Opset = 25, Batch = 1L },
            Rounded($"to {type}, transposed between", [3, 4], (n, x) => n.Op("DequantizeLinear", [n.Op("Transpose", [n.Op("QuantizeLinear", [x, n.Scalar(Step(type))], ("output_dtype", (long)type))], ("perm", L(0, 2, 1))), n.Scalar(Step(type))])) with { Opset = 25 },
        }),
        Between("pooled", [1, 4, 4], (n, q) => n.Op("MaxPool", [q], ("kernel_shape", L(2, 2)), ("pads", L(1, 0, 0, 1)))),
        Between("joined with stored integers", [2, 3], (n, q) => n.Op("Concat", [q, n.Unsigned([1, 250, 99], 1, 1, 3), q], ("axis", 1L))),
        Between("padded with the zero point", [2, 3], (n, q) => n.Op("Pad", [q, n.Ints(0, 1, 1, 0, 0, 1), n.Bytes(99)])),
        Between("clipped as integers", [6], (n, q) => n.Op("Clip", [q, n.Bytes(99), n.Bytes(180)])),
        Between("Relu as a maximum of integers", [6], (n, q) => n.Op("Max", [q, n.Bytes(99)])),
        Between("masked", [4], (n, q) => n.Op("Where", [n.Booleans([true, false, true, true], 4), q, n.Bytes(120)])),
        .. Floats8.Select(type => Rounded($"Cast to {type}", [6], (n, x) => n.Op("Mul", [n.Op("Cast", [n.Op("Cast", [n.Op("Mul", [x, n.Scalar(1 / Step(type))])], ("to", (long)type))], ("to", 1L)), n.Scalar(Step(type))])) with { Operator = "Cast", Opset = 25 }),
    ];

    /// <summary>Weights of a dense layer as quantizers store them: their map is that of the numbers they stand for.</summary>
    private static IEnumerable<RuleCase> QuantizedWeights() =>
    [
        .. NarrowTypes.SelectMany(type => new[]
        {
            Weighed($"{type}", type, (n, w) => n.Op("DequantizeLinear", [w, n.Scalar(Unit(type)), n.Stored(type, Zeros(type, 1), [])])),
            Weighed($"{type}, per column", type, (n, w) => n.Op("DequantizeLinear", [w, n.Floats([Unit(type), 2 * Unit(type), 0.5f * Unit(type)], 3)], ("axis", 1L))),
            Weighed($"{type}, blocks", type, (n, w) => n.Op("DequantizeLinear", [w, n.Floats([.. Enumerable.Range(1, 6).Select(i => i * 0.5f * Unit(type))], 2, 3), n.Stored(type, Zeros(type, 6), 2, 3)], ("axis", 0L), ("block_size", 3L))),
            Weighed($"{type}, transposed", type, (n, w) => n.Op("DequantizeLinear", [n.Op("Transpose", [n.Stored(type, Packed(type, 15), 3, 5)]), n.Scalar(Unit(type))])),
        }),
        .. NarrowTypes.Where(type => Bits(type) <= 8).Select(type => Weighed($"{type}, listed", type, (n, w) => n.Op("DequantizeLinear", [n.Listed(type, Packed(type, 15), 5, 3), n.Scalar(Unit(type))]))),
    ];

    private static RuleCase Weighed(string name, DataType type, Func<Net, string, string> weights) =>
        Case($"DequantizeLinear, weights, {name}", "DequantizeLinear", [5], (n, x) => n.Op("MatMul", [x, weights(n, n.Stored(type, Packed(type, 15), 5, 3))]), 25);

    private static DataType[] Floats8 => [DataType.Float8E4M3Fn, DataType.Float8E4M3Fnuz, DataType.Float8E5M2, DataType.Float8E5M2Fnuz];

    private static DataType[] NarrowTypes => [DataType.Int16, DataType.Uint16, DataType.Int4, DataType.Uint4, DataType.Int2, DataType.Uint2, .. Floats8];

    private static int Bits(DataType type) => type switch
    {
        DataType.Int16 or DataType.Uint16 => 16,
        DataType.Int4 or DataType.Uint4 => 4,
        DataType.Int2 or DataType.Uint2 => 2,
        _ => 8,
    };

    /// <summary>A scale by which rows between −2 and 2 partly saturate.</summary>
    private static float Step(DataType type) => type switch
    {
        DataType.Int16 or DataType.Uint16 => 4e-5f,
        DataType.Int4 or DataType.Uint4 => 0.2f,
        DataType.Int2 or DataType.Uint2 => 0.9f,
        DataType.Float8E4M3Fn => 0.003f,
        DataType.Float8E4M3Fnuz => 0.006f,
        _ => 2.5e-5f,
    };

    /// <summary>A scale by which weights are of the size of 1.</summary>
    private static float Unit(DataType type) => Bits(type) == 16 ? 4e-5f : 0.1f;

    /// <summary>Zero points of 1; floats have none but 0.</summary>
    private static byte[] Zeros(DataType type, int count) => [.. Enumerable.Range(0, (count * Bits(type) + 7) / 8).Select(i => Bits(type) switch
    {
        16 => (byte)(1 - i % 2),
        4 => (byte)0x11,
        2 => (byte)0x55,
        _ => (byte)0,
    })];

    /// <summary>Elements of all sizes, but for the codes of 8-bit floats that are no numbers.</summary>
    private static byte[] Packed(DataType type, int count) =>
        [.. Enumerable.Range(0, (count * Bits(type) + 7) / 8).Select(i => (byte)(i * 91 + 38)).Select(b => Bits(type) == 8 ? (byte)(b & 0xB7) : b)];

    /// <summary>Quantized by the row's own range; <paramref name="body"/> makes numbers of the integers and their zero point, which the scale then fits.</summary>
    private static string Dynamic(Net n, string x, Func<string, string, string> body)
    {
        var q = n.Ops("DynamicQuantizeLinear", 3, [x]);
        return n.Op("Mul", [body(q[0], q[2]), q[1]]);
    }

    /// <summary>An operator on the integers themselves, as quantizers leave it where it rounds nothing.</summary>
    private static RuleCase Between(string name, int[] row, Func<Net, string, string> body) =>
        Rounded(name, row, (n, x) => n.Op("DequantizeLinear", [body(n, n.Op("QuantizeLinear", [x, n.Scalar(0.014f), n.Bytes(99)])), n.Scalar(0.014f), n.Bytes(99)])) with { Batch = 1L };

    private static RuleCase Rounded(string name, int[] row, Func<Net, string, string> body) => Case($"QuantizeLinear, {name}", "QuantizeLinear", row, body) with { IsRounded = true };

    private static string Round(Net n, string x, string scale, string zero, params (string, object)[] attributes) =>
        n.Op("DequantizeLinear", [n.Op("QuantizeLinear", [x, scale, zero], attributes), scale, zero], attributes);
}
