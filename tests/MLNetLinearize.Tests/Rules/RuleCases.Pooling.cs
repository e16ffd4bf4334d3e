using static MLNetLinearize.Tests.Rules.Net;

namespace MLNetLinearize.Tests.Rules;

internal static partial class RuleCases
{
    private static IEnumerable<RuleCase> Pooling() =>
    [
        Pool("MaxPool", "1-D", [2, 8], ("kernel_shape", L(2)), ("strides", L(2))),
        Pool("MaxPool", "2-D", [2, 6, 4], ("kernel_shape", L(2, 2)), ("strides", L(2, 2))),
        Pool("MaxPool", "3-D", [1, 4, 4, 4], ("kernel_shape", L(2, 2, 2)), ("strides", L(2, 2, 2))),
        Pool("MaxPool", "remainder", [2, 7, 5], ("kernel_shape", L(2, 2)), ("strides", L(2, 2))),
        Pool("MaxPool", "kernel 3 stride 3 with remainder", [1, 8, 7], ("kernel_shape", L(3, 3)), ("strides", L(3, 3))),
        Pool("MaxPool", "default stride 1", [2, 4, 4], ("kernel_shape", L(2, 2))),
        Pool("MaxPool", "overlapping", [2, 7, 7], ("kernel_shape", L(3, 3)), ("strides", L(2, 2))),
        Pool("MaxPool", "overlapping, padded", [2, 6, 6], ("kernel_shape", L(3, 3)), ("strides", L(2, 2)), ("pads", L(1, 1, 1, 1))),
        Pool("MaxPool", "padded, not overlapping", [2, 6, 6], ("kernel_shape", L(2, 2)), ("strides", L(2, 2)), ("pads", L(1, 1, 1, 1))),
        Pool("MaxPool", "asymmetric pads", [2, 6, 5], ("kernel_shape", L(2, 3)), ("strides", L(2, 2)), ("pads", L(0, 1, 1, 2))),
        Pool("MaxPool", "stride above kernel", [2, 7, 7], ("kernel_shape", L(2, 2)), ("strides", L(3, 3))),
        Pool("MaxPool", "dilated", [2, 7, 7], ("kernel_shape", L(3, 2)), ("strides", L(1, 2)), ("dilations", L(2, 2))),
        Pool("MaxPool", "dilated, padded", [1, 6, 6], ("kernel_shape", L(2, 2)), ("strides", L(2, 2)), ("dilations", L(2, 2)), ("pads", L(1, 1, 1, 1))),
        Pool("MaxPool", "ceil_mode", [2, 7, 6], ("kernel_shape", L(2, 2)), ("strides", L(2, 2)), ("ceil_mode", 1L)),
        Pool("MaxPool", "ceil_mode, overlapping", [2, 6, 6], ("kernel_shape", L(3, 3)), ("strides", L(2, 2)), ("ceil_mode", 1L)),
        Pool("MaxPool", "ceil_mode, padded", [1, 6, 6], ("kernel_shape", L(3, 3)), ("strides", L(2, 2)), ("ceil_mode", 1L), ("pads", L(1, 1, 1, 1))),
        Pool("MaxPool", "SAME_UPPER", [2, 5, 6], ("kernel_shape", L(2, 3)), ("strides", L(2, 2)), ("auto_pad", "SAME_UPPER")),
        Pool("MaxPool", "SAME_LOWER", [2, 5, 6], ("kernel_shape", L(2, 3)), ("strides", L(2, 2)), ("auto_pad", "SAME_LOWER")),
        Pool("MaxPool", "VALID", [2, 5, 6], ("kernel_shape", L(2, 3)), ("strides", L(2, 2)), ("auto_pad", "VALID")),
        Pool("MaxPool", "whole image", [3, 4, 3], ("kernel_shape", L(4, 3))),
        Pool("MaxPool", "1-D overlapping", [2, 9], ("kernel_shape", L(3)), ("strides", L(2)), ("pads", L(1, 1))),
        Pool("MaxPool", "3-D overlapping", [1, 4, 5, 4], ("kernel_shape", L(2, 3, 2)), ("strides", L(1, 2, 2))),
        .. AtOpsets(Pool("MaxPool", "spelling", [2, 6, 4], ("kernel_shape", L(2, 2)), ("strides", L(2, 2))), 7, 8, 10, 12, 22),
        .. AtOpsets(Pool("MaxPool", "overlapping spelling", [2, 5, 5], ("kernel_shape", L(3, 3)), ("strides", L(1, 1)), ("pads", L(1, 1, 1, 1))), 7, 11),
        Case("MaxPool, negative values under padding", "MaxPool", [1, 4, 4], (n, x) => n.Op("MaxPool", [n.Op("Sub", [x, n.Scalar(5)])], ("kernel_shape", L(3, 3)), ("strides", L(2, 2)), ("pads", L(1, 1, 1, 1)))),
        Case("MaxPool, Relu directly before", "MaxPool", [2, 6, 6], (n, x) => n.Op("MaxPool", [n.Op("Relu", [x])], ("kernel_shape", L(2, 2)), ("strides", L(2, 2)))),
        Case("MaxPool, Relu directly after", "MaxPool", [2, 6, 6], (n, x) => n.Op("Relu", [n.Op("MaxPool", [x], ("kernel_shape", L(2, 2)), ("strides", L(2, 2)))])),
        Case("MaxPool, overlapping, Relu directly before", "MaxPool", [2, 5, 5], (n, x) => n.Op("MaxPool", [n.Op("Relu", [x])], ("kernel_shape", L(3, 3)), ("strides", L(2, 2)))),
        Case("MaxPool, overlapping, Relu directly after", "MaxPool", [2, 5, 5], (n, x) => n.Op("Relu", [n.Op("MaxPool", [x], ("kernel_shape", L(3, 3)), ("strides", L(2, 2)))])),
        Case("MaxPool, padded, Relu directly before", "MaxPool", [1, 6, 6], (n, x) => n.Op("MaxPool", [n.Op("Relu", [x])], ("kernel_shape", L(2, 2)), ("strides", L(2, 2)), ("pads", L(1, 1, 1, 1)))),
        Case("MaxPool, Relu before it read elsewhere too", "MaxPool", [1, 4, 4], (n, x) =>
        {
            var relu = n.Op("Relu", [x]);
            return n.Op("Concat", [n.Op("Flatten", [n.Op("MaxPool", [relu], ("kernel_shape", L(2, 2)), ("strides", L(2, 2)))]), n.Op("Flatten", [relu])], ("axis", 1L));
        }),
        Case("MaxPool, LeakyRelu directly before", "MaxPool", [2, 4, 4], (n, x) => n.Op("MaxPool", [n.Op("LeakyRelu", [x])], ("kernel_shape", L(2, 2)), ("strides", L(2, 2)))),
        Case("MaxPool, twice", "MaxPool", [1, 8, 8], (n, x) => n.Op("MaxPool", [n.Op("MaxPool", [x], ("kernel_shape", L(2, 2)), ("strides", L(2, 2)))], ("kernel_shape", L(3, 3)))),
        Case("MaxPool, Relu, MaxPool", "MaxPool", [1, 8, 8], (n, x) => n.Op("MaxPool", [n.Op("Relu", [n.Op("MaxPool", [x], ("kernel_shape", L(2, 2)), ("strides", L(2, 2)))])], ("kernel_shape", L(2, 2)), ("strides", L(2, 2)))),

        Pool("AveragePool", "1-D", [2, 8], ("kernel_shape", L(3)), ("strides", L(2))),
        Pool("AveragePool", "2-D", [2, 6, 4], ("kernel_shape", L(2, 2)), ("strides", L(2, 2))),
        Pool("AveragePool", "3-D", [1, 4, 4, 4], ("kernel_shape", L(2, 2, 2)), ("strides", L(2, 2, 2))),
        Pool("AveragePool", "remainder", [2, 7, 5], ("kernel_shape", L(2, 2)), ("strides", L(2, 2))),
        Pool("AveragePool", "default stride 1", [2, 4, 4], ("kernel_shape", L(3, 2))),
        Pool("AveragePool", "overlapping, padded", [2, 6, 6], ("kernel_shape", L(3, 3)), ("strides", L(2, 2)), ("pads", L(1, 1, 1, 1))),
        Pool("AveragePool", "count_include_pad", [2, 6, 6], ("kernel_shape", L(3, 3)), ("strides", L(2, 2)), ("pads", L(1, 1, 1, 1)), ("count_include_pad", 1L)),
        Pool("AveragePool", "asymmetric pads", [2, 6, 5], ("kernel_shape", L(2, 3)), ("strides", L(2, 2)), ("pads", L(0, 1, 1, 2))),
        Pool("AveragePool", "asymmetric pads, count_include_pad", [2, 6, 5], ("kernel_shape", L(2, 3)), ("strides", L(2, 2)), ("pads", L(0, 1, 1, 2)), ("count_include_pad", 1L)),
        Pool("AveragePool", "stride above kernel", [2, 7, 7], ("kernel_shape", L(2, 2)), ("strides", L(3, 3))),
        Pool("AveragePool", "ceil_mode", [2, 7, 6], ("kernel_shape", L(2, 2)), ("strides", L(2, 2)), ("ceil_mode", 1L)),
        Pool("AveragePool", "ceil_mode, overlapping", [2, 6, 6], ("kernel_shape", L(3, 3)), ("strides", L(2, 2)), ("ceil_mode", 1L)),
        Pool("AveragePool", "SAME_UPPER", [2, 5, 6], ("kernel_shape", L(2, 3)), ("strides", L(2, 2)), ("auto_pad", "SAME_UPPER")),
        Pool("AveragePool", "SAME_LOWER", [2, 5, 6], ("kernel_shape", L(2, 3)), ("strides", L(2, 2)), ("auto_pad", "SAME_LOWER")),
        Pool("AveragePool", "VALID", [2, 5, 6], ("kernel_shape", L(2, 3)), ("strides", L(2, 2)), ("auto_pad", "VALID")),
        .. AtOpsets(Pool("AveragePool", "spelling", [2, 6, 4], ("kernel_shape", L(3, 3)), ("pads", L(1, 1, 1, 1))), 7, 10, 11, 22),
        Pool("AveragePool", "dilated", [2, 7, 7], ("kernel_shape", L(3, 2)), ("strides", L(1, 2)), ("dilations", L(2, 2))) with { Opset = 19 },
        .. new[] { "SAME_UPPER", "SAME_LOWER" }.SelectMany(side => new[] { "AveragePool", "MaxPool", "LpPool" }.SelectMany(op => new[]
        {
            Pool(op, $"dilated, {side}", [1, 6, 7], ("kernel_shape", L(2, 3)), ("dilations", L(2, 2)), ("auto_pad", side)),
            Pool(op, $"dilated, strides, {side}", [1, 7, 9], ("kernel_shape", L(3, 2)), ("strides", L(3, 2)), ("dilations", L(2, 2)), ("auto_pad", side)),
            Pool(op, $"dilated, stride above kernel, {side}", [2, 6, 8], ("kernel_shape", L(1, 3)), ("strides", L(3, 4)), ("dilations", L(2, 2)), ("auto_pad", side)),
        }.Concat(op == "MaxPool" ? [] : // ONNX Runtime refuses it
        [
            Pool(op, $"stride above kernel, {side}", [2, 6, 9], ("kernel_shape", L(1, 2)), ("strides", L(3, 3)), ("auto_pad", side)),
            Pool(op, $"stride far above kernel, {side}", [2, 8, 9], ("kernel_shape", L(1, 2)), ("strides", L(4, 5)), ("auto_pad", side)),
        ]).Select(c => c with { Opset = 22, IsPiecewiseLinear = op != "LpPool" }))),

        Pool("GlobalAveragePool", "1-D", [3, 5]),
        Pool("GlobalAveragePool", "2-D", [3, 4, 3]),
        Pool("GlobalAveragePool", "3-D", [2, 2, 3, 2]),
        .. AtOpsets(Pool("GlobalAveragePool", "spelling", [3, 4, 3]), 7, 22),
        Pool("GlobalMaxPool", "1-D", [3, 5]),
        Pool("GlobalMaxPool", "2-D", [3, 4, 3]),
        Pool("GlobalMaxPool", "3-D", [2, 2, 3, 2]),
        .. AtOpsets(Pool("GlobalMaxPool", "spelling", [3, 4, 3]), 7, 22),

        Case("MaxPool, column-major indices, unpooled", "MaxPool", [2, 4, 6], (n, x) =>
        {
            var pooled = n.Ops("MaxPool", 2, [x], ("kernel_shape", L(2, 3)), ("strides", L(2, 3)), ("storage_order", 1L));
            return n.Op("MaxUnpool", [n.Op("LeakyRelu", [pooled[0]]), pooled[1]], ("kernel_shape", L(2, 3)), ("strides", L(2, 3)));
        }),
        Case("MaxPool, column-major indices, overlapping", "MaxPool", [1, 3, 4, 3], (n, x) =>
        {
            var pooled = n.Ops("MaxPool", 2, [x], ("kernel_shape", L(2, 2, 2)), ("pads", L(1, 0, 0, 0, 1, 0)), ("storage_order", 1L));
            return n.Op("Mul", [pooled[0], n.Op("Cast", [pooled[1]], ("to", 1L))]);
        }) with { Batch = 1L },
        Pool("MaxPool", "column-major, indices not read", [2, 5, 4], ("kernel_shape", L(3, 2)), ("storage_order", 1L)),

        Case("MaxUnpool, indices of the same input", "MaxUnpool", [2, 4, 4], (n, x) =>
        {
            var pooled = n.Ops("MaxPool", 2, [x], ("kernel_shape", L(2, 2)), ("strides", L(2, 2)));
            return n.Op("MaxUnpool", [n.Op("LeakyRelu", [pooled[0]]), pooled[1]], ("kernel_shape", L(2, 2)), ("strides", L(2, 2)));
        }),
    ];

    private static RuleCase Case(string name, string op, int[] row, Func<Net, string, string> body, long opset = 17, RowData data = RowData.Distinct) => new(name, op, row, body, opset, data);

    private static RuleCase Pool(string op, string name, int[] row, params (string, object)[] attributes) => new($"{op}, {name}", op, row, (n, x) => n.Op(op, [x], attributes));
}
