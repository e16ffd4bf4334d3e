using static MLNetLinearize.Tests.Rules.Net;

namespace MLNetLinearize.Tests.Rules;

internal static partial class RuleCases
{
    private static IEnumerable<RuleCase> Convolution() =>
    [
        Conv("1-D", [3, 9], [4, 3, 3]),
        Conv("2-D", [2, 6, 5], [3, 2, 3, 2]),
        Conv("3-D", [2, 4, 3, 4], [3, 2, 2, 2, 3]),
        Conv("1×1", [4, 3, 3], [5, 4, 1, 1]),
        Conv("no bias", [2, 5, 5], [3, 2, 3, 3], bias: false),
        Conv("group 2", [4, 5, 5], [6, 2, 3, 3], ("group", 2L)),
        Conv("depthwise", [3, 5, 5], [3, 1, 3, 3], ("group", 3L), ("pads", L(1, 1, 1, 1))),
        Conv("depthwise with multiplier 2", [3, 4, 4], [6, 1, 3, 3], ("group", 3L)),
        Conv("group 2, stride 2", [4, 6, 6], [4, 2, 3, 3], ("group", 2L), ("strides", L(2, 2)), ("pads", L(1, 1, 1, 1))),
        Conv("depthwise, stride 2, pads", [3, 6, 5], [3, 1, 3, 3], ("group", 3L), ("strides", L(2, 2)), ("pads", L(1, 1, 1, 1))),
        Conv("dilation 2", [2, 7, 7], [3, 2, 3, 3], ("dilations", L(2, 2))),
        Conv("dilation 2 with pads and stride 2", [2, 7, 8], [3, 2, 3, 3], ("dilations", L(2, 2)), ("strides", L(2, 2)), ("pads", L(2, 2, 2, 2))),
        Conv("dilations differ", [2, 7, 6], [2, 2, 3, 3], ("dilations", L(1, 2))),
        Conv("stride 2 that divides", [2, 7, 7], [3, 2, 3, 3], ("strides", L(2, 2))),
        Conv("stride 2 with remainder", [2, 8, 6], [3, 2, 3, 3], ("strides", L(2, 2))),
        Conv("stride 3 with remainder", [2, 9, 8], [3, 2, 2, 2], ("strides", L(3, 3))),
        Conv("stride above kernel", [2, 8, 7], [3, 2, 1, 2], ("strides", L(3, 3))),
        Conv("strides differ", [2, 6, 8], [3, 2, 3, 3], ("strides", L(1, 2)), ("pads", L(1, 0, 1, 0))),
        Conv("same pads", [2, 5, 5], [3, 2, 3, 3], ("pads", L(1, 1, 1, 1))),
        Conv("asymmetric pads", [2, 5, 4], [3, 2, 3, 3], ("pads", L(0, 2, 1, 0))),
        Conv("asymmetric pads, stride 2", [2, 6, 5], [3, 2, 3, 2], ("pads", L(1, 0, 2, 1)), ("strides", L(2, 2))),
        Conv("pads beyond the kernel", [1, 4, 4], [2, 1, 2, 2], ("pads", L(2, 2, 2, 2))),
        Conv("SAME_UPPER", [2, 6, 5], [3, 2, 3, 2], ("auto_pad", "SAME_UPPER")),
        Conv("SAME_LOWER", [2, 6, 5], [3, 2, 2, 4], ("auto_pad", "SAME_LOWER")),
        Conv("SAME_UPPER, stride 2", [2, 7, 6], [3, 2, 3, 3], ("auto_pad", "SAME_UPPER"), ("strides", L(2, 2))),
        Conv("SAME_LOWER, stride 2", [2, 8, 7], [3, 2, 3, 3], ("auto_pad", "SAME_LOWER"), ("strides", L(2, 2))),
        Conv("VALID", [2, 6, 5], [3, 2, 3, 3], ("auto_pad", "VALID")),
        Conv("kernel_shape given", [2, 5, 5], [3, 2, 3, 3], ("kernel_shape", L(3, 3)), ("pads", L(1, 1, 1, 1))),
        Conv("kernel covers the image", [2, 4, 4], [5, 2, 4, 4]),
        Conv("1-D stride 2 with remainder, dilation 2", [2, 12], [3, 2, 3], ("strides", L(2)), ("dilations", L(2)), ("pads", L(1, 2))),
        Conv("3-D stride 2, pads, group 2", [2, 5, 4, 5], [2, 1, 3, 3, 3], ("strides", L(2, 2, 2)), ("pads", L(1, 1, 1, 1, 1, 1)), ("group", 2L)),
        .. AtOpsets(Conv("spelling", [2, 5, 5], [3, 2, 3, 3], ("pads", L(1, 1, 1, 1))), 7, 11, 22),
        new("Conv, kernel through Identity", "Conv", [2, 4, 4], (n, x) => n.Op("Conv", [x, n.Op("Identity", [n.Weights(3, 2, 2, 2)])])),
        new("Conv, kernel from a Constant node", "Conv", [1, 4, 4], (n, x) => n.Op("Conv", [x, n.Op("Constant", [], ("value", MLNetLinearize.Onnx.Tensors.Of("", (float[])[1, 2, -3, 4], 1, 1, 2, 2)))])),
    ];

    private static IEnumerable<RuleCase> TransposedConvolution() =>
    [
        Conv("1-D", [2, 5], [2, 3, 3], true, "ConvTranspose"),
        Conv("2-D", [2, 4, 3], [2, 3, 3, 2], true, "ConvTranspose"),
        Conv("3-D", [2, 2, 3, 2], [2, 2, 2, 2, 2], true, "ConvTranspose"),
        Conv("no bias", [2, 3, 3], [2, 3, 3, 3], false, "ConvTranspose"),
        Conv("stride 2, pads, output_padding", [2, 3, 4], [2, 3, 3, 3], true, "ConvTranspose", ("strides", L(2, 2)), ("pads", L(1, 1, 1, 1)), ("output_padding", L(1, 1))),
        Conv("group 2", [4, 3, 3], [4, 2, 3, 3], true, "ConvTranspose", ("group", 2L), ("strides", L(2, 2))),
        Conv("dilation 2", [2, 4, 3], [2, 2, 2, 2], true, "ConvTranspose", ("dilations", L(2, 2))),
        Conv("asymmetric pads", [2, 4, 4], [2, 2, 3, 3], true, "ConvTranspose", ("pads", L(0, 1, 2, 0)), ("strides", L(1, 2))),
        Conv("stride above kernel", [1, 3, 3], [1, 2, 2, 2], true, "ConvTranspose", ("strides", L(3, 3))),
        Conv("SAME_UPPER", [1, 3, 3], [1, 2, 3, 3], true, "ConvTranspose", ("auto_pad", "SAME_UPPER"), ("strides", L(2, 2))),
        Conv("SAME_LOWER", [1, 3, 3], [1, 2, 3, 3], true, "ConvTranspose", ("auto_pad", "SAME_LOWER"), ("strides", L(2, 2))),
        Conv("output_shape", [1, 3, 3], [1, 2, 3, 3], true, "ConvTranspose", ("output_shape", L(6, 7)), ("strides", L(2, 2))),
        .. AtOpsets(Conv("spelling", [2, 3, 3], [2, 2, 2, 2], true, "ConvTranspose", ("strides", L(2, 2))), 7, 11, 22),
    ];

    private static RuleCase Conv(string name, int[] row, long[] kernel, params (string, object)[] attributes) => Conv(name, row, kernel, true, "Conv", attributes);

    private static RuleCase Conv(string name, int[] row, long[] kernel, bool bias, string op = "Conv", params (string Name, object Value)[] attributes)
    {
        var groups = (long)(attributes.FirstOrDefault(a => a.Name == "group").Value ?? 1L);
        var maps = op == "Conv" ? kernel[0] : kernel[1] * groups;
        return new($"{op}, {name}", op, row, (n, x) => n.Op(op, bias ? [x, n.Weights(kernel), n.Weights(maps)] : [x, n.Weights(kernel)], attributes));
    }
}
