using static MLNetLinearize.Tests.Rules.Net;

namespace MLNetLinearize.Tests.Rules;

internal static partial class RuleCases
{
    private static IEnumerable<RuleCase> Selection() =>
    [
        Case("Concat, two branches", "Concat", [2, 3], (n, x) => n.Op("Concat", [x, n.Op("Relu", [x])], ("axis", 1L))),
        Case("Concat, last axis", "Concat", [2, 3], (n, x) => n.Op("Concat", [x, n.Op("Neg", [x])], ("axis", -1L))),
        Case("Concat, with a constant", "Concat", [2, 3], (n, x) => n.Op("Concat", [n.Weights(1, 1, 3), x], ("axis", 1L))) with { Batch = 1L },
        Case("Concat, the same tensor twice", "Concat", [3], (n, x) => n.Op("Concat", [x, x], ("axis", 1L))),
        Case("Concat, one operand", "Concat", [3], (n, x) => n.Op("Concat", [x], ("axis", 1L))),
        Case("Concat, of unequal convolutions", "Concat", [2, 4, 4], (n, x) => n.Op("Concat", [n.Op("Conv", [x, n.Weights(1, 2, 1, 1)]), n.Op("Conv", [x, n.Weights(2, 2, 3, 3)], ("pads", L(1, 1, 1, 1)))], ("axis", 1L))),
        .. AtOpsets(Case("Concat, spelling", "Concat", [3], (n, x) => n.Op("Concat", [x, n.Op("Relu", [x])], ("axis", 1L))), 7, 11, 13),

        Split("Split 11, even", 11, 3, (n, x) => n.Ops("Split", 3, [x], ("axis", 1L))),
        Split("Split 11, sizes as attribute", 11, 2, (n, x) => n.Ops("Split", 2, [x], ("axis", 1L), ("split", L(2, 4)))),
        Split("Split 13, sizes as input", 13, 2, (n, x) => n.Ops("Split", 2, [x, n.Ints(4, 2)], ("axis", 1L))),
        Split("Split 13, even", 13, 2, (n, x) => n.Ops("Split", 2, [x], ("axis", 1L))),
        Split("Split 18, num_outputs", 18, 3, (n, x) => n.Ops("Split", 3, [x], ("axis", 1L), ("num_outputs", 3L))),
        Split("Split 18, num_outputs with remainder", 18, 4, (n, x) => n.Ops("Split", 4, [x], ("axis", 1L), ("num_outputs", 4L))),
        Split("Split 18, sizes, negative axis", 18, 2, (n, x) => n.Ops("Split", 2, [x, n.Ints(1, 5)], ("axis", -1L))),
        Case("Split, one part unread", "Split", [6], (n, x) => n.Ops("Split", 3, [x], ("axis", 1L))[1], opset: 13),

        Case("Slice 9, attributes", "Slice", [4, 5], (n, x) => n.Op("Slice", [x], ("starts", L(1, 0)), ("ends", L(3, 4)), ("axes", L(1, 2))), opset: 9),
        Case("Slice 9, without axes", "Slice", [4], (n, x) => n.Op("Slice", [x], ("starts", L(0, 1)), ("ends", L(1000, 3))), opset: 9),
        Case("Slice 9, from the end", "Slice", [5], (n, x) => n.Op("Slice", [x], ("starts", L(-3)), ("ends", L(int.MaxValue)), ("axes", L(1))), opset: 9),
        .. AtOpsets(Case("Slice, inputs", "Slice", [4, 5], (n, x) => n.Op("Slice", [x, n.Ints(1, 0), n.Ints(3, 4), n.Ints(1, 2)])), 10, 11, 13),
        Case("Slice, step 2", "Slice", [7], (n, x) => n.Op("Slice", [x, n.Ints(1), n.Ints(7), n.Ints(1), n.Ints(2)])),
        Case("Slice, step 3 with remainder", "Slice", [7], (n, x) => n.Op("Slice", [x, n.Ints(0), n.Ints(100), n.Ints(1), n.Ints(3)])),
        Case("Slice, reversed", "Slice", [5], (n, x) => n.Op("Slice", [x, n.Ints(-1), n.Ints(long.MinValue), n.Ints(1), n.Ints(-1)])),
        Case("Slice, step −2", "Slice", [6], (n, x) => n.Op("Slice", [x, n.Ints(4), n.Ints(0), n.Ints(1), n.Ints(-2)])),
        Case("Slice, negative axis and ends", "Slice", [3, 5], (n, x) => n.Op("Slice", [x, n.Ints(-4), n.Ints(-1), n.Ints(-1)])),
        Case("Slice, steps on two axes", "Slice", [4, 6], (n, x) => n.Op("Slice", [x, n.Ints(0, 5), n.Ints(4, -100), n.Ints(1, 2), n.Ints(2, -3)])),
        Case("Slice, two overlapping parts", "Slice", [6], (n, x) => n.Op("Add", [n.Op("Slice", [x, n.Ints(0), n.Ints(4), n.Ints(1)]), n.Op("Slice", [x, n.Ints(2), n.Ints(6), n.Ints(1)])])),

        Case("Pad 2, attributes", "Pad", [2, 3], (n, x) => n.Op("Pad", [x], ("pads", L(0, 1, 0, 0, 0, 2)), ("value", 1.5f)), opset: 10),
        Case("Pad 2, default value", "Pad", [3], (n, x) => n.Op("Pad", [x], ("pads", L(0, 1, 0, 1))), opset: 7),
        Case("Pad 11, value as input", "Pad", [2, 3], (n, x) => n.Op("Pad", [x, n.Ints(0, 0, 1, 0, 1, 0), n.Scalar(-2)]), opset: 11),
        Case("Pad 13, default value", "Pad", [2, 3], (n, x) => n.Op("Pad", [x, n.Ints(0, 0, 2, 0, 0, 1)]), opset: 13),
        Case("Pad 18, axes", "Pad", [2, 3], (n, x) => n.Op("Pad", [x, n.Ints(1, 2), n.Scalar(3), n.Ints(2)]), opset: 18),
        Case("Pad, negative on one side", "Pad", [5], (n, x) => n.Op("Pad", [x, n.Ints(0, -2, 0, 1), n.Scalar(4)])),
        Case("Pad, negative on both sides", "Pad", [6], (n, x) => n.Op("Pad", [x, n.Ints(0, -1, 0, -2)])),
        Case("Pad, before Conv", "Pad", [2, 4, 4], (n, x) => n.Op("Conv", [n.Op("Pad", [x, n.Ints(0, 0, 1, 1, 0, 0, 1, 1), n.Scalar(0.5f)]), n.Weights(2, 2, 3, 3)])),
        Case("Pad, by its value", "Pad", [5], (n, x) => n.Op("Pad", [x, n.Ints(0, 2, 0, -1), n.Op("ReduceMin", [x], ("keepdims", 0L))])) with { Batch = 1L },
        Case("Pad, by its value alone", "Pad", [5], (n, x) => n.Op("Pad", [n.Weights(2, 3), n.Ints(1, 0, 0, 2), n.Op("ReduceSum", [x], ("keepdims", 0L))])) with { Batch = 1L },
        Case("Pad, reflect", "Pad", [4, 4], (n, x) => n.Op("Pad", [x, n.Ints(0, 1, 2, 0, 1, 2)], ("mode", "reflect"))),
        Case("Pad, edge", "Pad", [3, 3], (n, x) => n.Op("Pad", [x, n.Ints(0, 2, 1, 0, 1, 2)], ("mode", "edge"))),
    ];

    /// <summary>The parts, each with its own activation, joined again in reverse order.</summary>
    private static RuleCase Split(string name, long opset, int parts, Func<Net, string, string[]> split) =>
        Case(name, "Split", [parts == 4 ? 7 : 6], (n, x) => n.Op("Concat", [.. split(n, x).Reverse().Select((p, i) => i == 0 ? n.Op("Relu", [p]) : p)], ("axis", 1L)), opset);
}
