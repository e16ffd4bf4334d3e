using static MLNetLinearize.Tests.Rules.Net;

namespace MLNetLinearize.Tests.Rules;

/// <summary>Rounding to 8 bits and back, with values inside the range and beyond it.</summary>
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
        Rounded("MatMulInteger", [6], (n, x) => Dynamic(n, x, (q, zero) => n.Op("Cast", [n.Op("MatMulInteger", [q, n.Integers([12, -100, 31, 7, 127, -55, 3, 9, 80, -9, -1, 44], 6, 2), zero])], ("to", 1L)))) with { Batch = 1L },
        Rounded("ConvInteger", [2, 3, 3], (n, x) => Dynamic(n, x, (q, zero) => n.Op("Cast", [n.Op("ConvInteger", [q, n.Unsigned([.. Enumerable.Range(0, 16).Select(i => (byte)(i * 37 % 201))], 2, 2, 2, 2), zero, n.Bytes(100)])], ("to", 1L)))) with { Batch = 1L },
    ];

    /// <summary>Quantized by the row's own range; <paramref name="body"/> makes numbers of the integers and their zero point, which the scale then fits.</summary>
    private static string Dynamic(Net n, string x, Func<string, string, string> body)
    {
        var q = n.Ops("DynamicQuantizeLinear", 3, [x]);
        return n.Op("Mul", [body(q[0], q[2]), q[1]]);
    }

    private static RuleCase Rounded(string name, int[] row, Func<Net, string, string> body) => Case($"QuantizeLinear, {name}", "QuantizeLinear", row, body) with { IsRounded = true };

    private static string Round(Net n, string x, string scale, string zero, params (string, object)[] attributes) =>
        n.Op("DequantizeLinear", [n.Op("QuantizeLinear", [x, scale, zero], attributes), scale, zero], attributes);
}
