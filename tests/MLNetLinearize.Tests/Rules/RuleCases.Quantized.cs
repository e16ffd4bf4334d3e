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
    ];

    private static RuleCase Rounded(string name, int[] row, Func<Net, string, string> body) => Case($"QuantizeLinear, {name}", "QuantizeLinear", row, body) with { IsRounded = true };

    private static string Round(Net n, string x, string scale, string zero, params (string, object)[] attributes) =>
        n.Op("DequantizeLinear", [n.Op("QuantizeLinear", [x, scale, zero], attributes), scale, zero], attributes);
}
