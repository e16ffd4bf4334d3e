using static MLNetLinearize.Tests.Rules.Net;

namespace MLNetLinearize.Tests.Rules;

internal static partial class RuleCases
{
    private static IEnumerable<RuleCase> Shape() =>
    [
        .. AtOpsets(Case("Flatten", "Flatten", [2, 3, 2], (n, x) => Dense(n, n.Op("Flatten", [x]), 12)), 7, 9, 11, 13, 21),
        Case("Flatten, negative axis", "Flatten", [2, 3], (n, x) => n.Op("Flatten", [n.Op("Relu", [x])], ("axis", -2L))),
        .. AtOpsets(Case("Reshape", "Reshape", [2, 6], (n, x) => Dense(n, n.Op("Reshape", [x, n.Ints(-1, 12)]), 12)), 7, 13, 14, 21),
        Case("Reshape, zero copies the batch axis", "Reshape", [2, 6], (n, x) => n.Op("Reshape", [n.Op("Relu", [x]), n.Ints(0, 3, -1)])),
        Case("Reshape, to another rank and back", "Reshape", [2, 6], (n, x) => n.Op("Reshape", [n.Op("MaxPool", [n.Op("Reshape", [x, n.Ints(-1, 1, 3, 4)])], ("kernel_shape", L(2, 2))), n.Ints(0, -1)])),
        Case("Reshape, shape from Shape", "Reshape", [2, 6], (n, x) => n.Op("Reshape", [x, n.Op("Concat", [n.Op("Unsqueeze", [n.Op("Gather", [n.Op("Shape", [x]), n.Ints([0], [])]), n.Ints(0)]), n.Ints(-1)], ("axis", 0L))])),
        Case("Reshape, shape from a Constant node", "Reshape", [2, 6], (n, x) => n.Op("Reshape", [x, n.Op("Constant", [], ("value", MLNetLinearize.Onnx.Tensors.Of("", (long[])[-1, 4, 3], 3)))])),
        Case("Reshape, shape from Constant value_ints", "Reshape", [2, 6], (n, x) => n.Op("Reshape", [x, n.Op("Constant", [], ("value_ints", L(-1, 4, 3)))])),
        Case("Reshape, fixed batch 1", "Reshape", [2, 6], (n, x) => Dense(n, n.Op("Reshape", [x, n.Ints(1, 12)]), 12)) with { Batch = 1L },
        Case("Flatten, fixed batch 1", "Flatten", [2, 6], (n, x) => n.Op("Relu", [n.Op("Flatten", [x])])) with { Batch = 1L },

        .. AtOpsets(Case("Transpose", "Transpose", [2, 3, 4], (n, x) => n.Op("Transpose", [x], ("perm", L(0, 2, 3, 1)))), 7, 13, 21),
        Case("Transpose, round trip about Conv", "Transpose", [4, 4, 2], (n, x) => n.Op("Transpose", [n.Op("Conv", [n.Op("Transpose", [x], ("perm", L(0, 3, 1, 2))), n.Weights(3, 2, 2, 2)])], ("perm", L(0, 2, 3, 1)))),
        Case("Transpose, batch axis away and back", "Transpose", [3, 2], (n, x) => n.Op("Transpose", [n.Op("Relu", [n.Op("Transpose", [x], ("perm", L(1, 2, 0)))])], ("perm", L(2, 1, 0)))),
        Case("Transpose, default order", "Transpose", [3], (n, x) => n.Op("Transpose", [n.Op("Transpose", [x])])),

        Case("Squeeze 11, axes as attribute", "Squeeze", [3, 1, 2], (n, x) => n.Op("Squeeze", [n.Op("Relu", [x])], ("axes", L(2))), opset: 11),
        Case("Squeeze 11, negative axis", "Squeeze", [3, 1], (n, x) => n.Op("Squeeze", [x], ("axes", L(-1))), opset: 11),
        Case("Squeeze 13, axes as input", "Squeeze", [1, 3, 1], (n, x) => n.Op("Squeeze", [x, n.Ints(1, 3)]), opset: 13),
        Case("Squeeze 13, negative axis", "Squeeze", [3, 1], (n, x) => n.Op("Squeeze", [x, n.Ints(-1)]), opset: 13),
        Case("Unsqueeze 11, axes as attribute", "Unsqueeze", [3], (n, x) => n.Op("Unsqueeze", [x], ("axes", L(1, 3))), opset: 11),
        Case("Unsqueeze 13, axes as input", "Unsqueeze", [3], (n, x) => n.Op("Unsqueeze", [x, n.Ints(1, -1)]), opset: 13),
        Case("Squeeze and Unsqueeze around Conv", "Unsqueeze", [5], (n, x) => n.Op("Squeeze", [n.Op("Conv", [n.Op("Unsqueeze", [x, n.Ints(1)]), n.Weights(1, 1, 3)]), n.Ints(1)])),
        .. AtOpsets(Case("Squeeze, spelling", "Squeeze", [3, 1], (n, x) => n.Op("Squeeze", [x, n.Ints(2)])), 13, 21),

        .. AtOpsets(Case("Expand", "Expand", [1, 3], (n, x) => n.Op("Expand", [x, n.Ints(1, 4, 3)])), 8, 13),
        Case("Expand, shape of lower rank", "Expand", [2, 1], (n, x) => n.Op("Expand", [x, n.Ints(2, 3)])),
        Case("Expand, shape of higher rank", "Expand", [3], (n, x) => n.Op("Transpose", [n.Op("Expand", [x, n.Ints(2, 1, 3)])], ("perm", L(1, 0, 2)))),
        .. AtOpsets(Case("Tile", "Tile", [2, 3], (n, x) => n.Op("Tile", [x, n.Ints(1, 2, 3)])), 7, 13),
        Case("Tile, once", "Tile", [2, 3], (n, x) => n.Op("Tile", [n.Op("Relu", [x]), n.Ints(1, 1, 1)])),
        Case("ConstantOfShape, added", "ConstantOfShape", [3], (n, x) => n.Op("Add", [x, n.Op("ConstantOfShape", [n.Op("Shape", [x])], ("value", MLNetLinearize.Onnx.Tensors.Of("", (float[])[2.5f], 1)))])),
        Case("ConstantOfShape, default zero", "ConstantOfShape", [3], (n, x) => n.Op("Concat", [x, n.Op("ConstantOfShape", [n.Op("Shape", [x])])], ("axis", 1L))),
        Case("Constant, value_float", "Constant", [3], (n, x) => n.Op("Mul", [x, n.Op("Constant", [], ("value_float", 2.5f))])),
        Case("Constant, value_floats", "Constant", [3], (n, x) => n.Op("Add", [x, n.Op("Constant", [], ("value_floats", new float[] { 1, 2, 3 }))])),
        Case("Shape, start and end", "Shape", [2, 6], (n, x) => n.Op("Reshape", [x, n.Op("Concat", [n.Op("Shape", [x], ("start", 0L), ("end", 1L)), n.Ints(3, 4)], ("axis", 0L))])),
        Case("DepthToSpace, DCR", "DepthToSpace", [8, 2, 2], (n, x) => n.Op("DepthToSpace", [x], ("blocksize", 2L))),
        Case("DepthToSpace, CRD", "DepthToSpace", [8, 2, 2], (n, x) => n.Op("DepthToSpace", [x], ("blocksize", 2L), ("mode", "CRD"))),
        Case("SpaceToDepth", "SpaceToDepth", [2, 4, 4], (n, x) => n.Op("SpaceToDepth", [x], ("blocksize", 2L))),
    ];
}
