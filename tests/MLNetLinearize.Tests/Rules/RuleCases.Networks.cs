using static MLNetLinearize.Tests.Rules.Net;

namespace MLNetLinearize.Tests.Rules;

/// <summary>Networks of several layers, where rules meet.</summary>
internal static partial class RuleCases
{
    private static IEnumerable<RuleCase> Networks() =>
    [
        Case("Network, three dense layers", "Network", [6], (n, x) => Layer(n, n.Op("Relu", [Layer(n, n.Op("Relu", [Layer(n, x, 6, 16)]), 16, 12)]), 12, 4)),
        Case("Network, dense layers as MatMul and Add", "Network", [6], (n, x) => n.Op("Add", [n.Op("MatMul", [n.Op("Relu", [n.Op("Add", [n.Op("MatMul", [x, n.Weights(6, 10)]), n.Weights(10)])]), n.Weights(10, 4)]), n.Weights(4)])),
        Case("Network, matrix on the left of a vector", "Network", [5], (n, x) => n.Op("Add", [n.Op("MatMul", [n.Weights(3, 8), n.Op("Relu", [n.Op("Add", [n.Op("MatMul", [n.Weights(8, 5), x]), n.Weights(8)])])]), n.Weights(3)])) with { Batch = null },
        Case("Network, LeNet", "Network", [1, 12, 12], LeNet),
        Case("Network, LeNet with fixed batch 1", "Network", [1, 12, 12], LeNet) with { Batch = 1L },
        Case("Network, image and Softmax", "Network", [2, 6, 6], (n, x) => n.Op("Softmax", [n.Explain(Layer(n, n.Op("Flatten", [n.Op("MaxPool", [n.Op("Relu", [Convolve(n, x, 2, 4, 3, 1)])], ("kernel_shape", L(2, 2)), ("strides", L(2, 2)))]), 36, 3))])),
        Case("Network, residual blocks with batch normalization", "Network", [3, 6, 6], (n, x) =>
        {
            var y = n.Op("Relu", [BatchNorm(n, Convolve(n, x, 3, 3, 3, 1))]);
            y = Block(n, Block(n, y));
            return Layer(n, n.Op("Flatten", [n.Op("GlobalAveragePool", [y])]), 3, 4);
        }),
        Case("Network, residual block that halves the image", "Network", [2, 6, 6], (n, x) =>
        {
            var main = Convolve(n, n.Op("Relu", [n.Op("Conv", [x, n.Weights(4, 2, 3, 3), n.Weights(4)], ("pads", L(1, 1, 1, 1)), ("strides", L(2, 2)))]), 4, 4, 3, 1);
            return n.Op("Relu", [n.Op("Add", [main, n.Op("Conv", [x, n.Weights(4, 2, 1, 1)], ("strides", L(2, 2)))])]);
        }),
        Case("Network, fire module", "Network", [4, 5, 5], (n, x) =>
        {
            var squeezed = n.Op("Relu", [Convolve(n, x, 4, 2, 1, 0)]);
            var joined = n.Op("Concat", [n.Op("Relu", [Convolve(n, squeezed, 2, 3, 1, 0)]), n.Op("Relu", [Convolve(n, squeezed, 2, 3, 3, 1)])], ("axis", 1L));
            return n.Op("GlobalAveragePool", [n.Op("MaxPool", [joined], ("kernel_shape", L(3, 3)), ("strides", L(2, 2)))]);
        }),
        Case("Network, dense block", "Network", [2, 4, 4], (n, x) =>
        {
            var first = n.Op("Concat", [x, n.Op("Relu", [Convolve(n, x, 2, 2, 3, 1)])], ("axis", 1L));
            var second = n.Op("Concat", [first, n.Op("Relu", [Convolve(n, first, 4, 2, 3, 1)])], ("axis", 1L));
            return n.Op("AveragePool", [second], ("kernel_shape", L(2, 2)), ("strides", L(2, 2)));
        }),
        Case("Network, channels scaled and shifted behind convolution and normalization", "Network", [2, 4, 4], (n, x) =>
        {
            string Scaled(string y) => n.Op("Sub", [n.Weights(3, 1, 1), n.Op("Div", [n.Op("Add", [n.Op("Mul", [y, n.Weights(3, 1, 1)]), n.Weights(1, 3, 1, 1)]), n.Scalar(0.7f)])]);
            var first = n.Op("Relu", [Scaled(n.Op("Conv", [x, n.Weights(3, 2, 3, 3)], ("pads", L(1, 1, 1, 1))))]);
            return n.Op("AveragePool", [n.Op("Relu", [Scaled(BatchNorm(n, first))])], ("kernel_shape", L(4, 4)));
        }),
        Case("Network, inverted residual with Relu6", "Network", [2, 5, 5], (n, x) =>
        {
            var wide = n.Op("Clip", [Convolve(n, x, 2, 6, 1, 0), n.Floats([0]), n.Floats([1])]);
            var depth = n.Op("Clip", [n.Op("Conv", [wide, n.Weights(6, 1, 3, 3), n.Weights(6)], ("group", 6L), ("pads", L(1, 1, 1, 1))), n.Floats([0]), n.Floats([1])]);
            return n.Op("Add", [x, Convolve(n, depth, 6, 2, 1, 0)]);
        }),
        Case("Network, channel shuffle", "Network", [4, 3, 3], (n, x) =>
            n.Op("Conv", [n.Op("Reshape", [n.Op("Transpose", [n.Op("Reshape", [n.Op("Relu", [x]), n.Ints(0, 2, 2, 3, 3)])], ("perm", L(0, 2, 1, 3, 4))), n.Ints(0, 4, 3, 3)]), n.Weights(4, 2, 3, 3)], ("group", 2L))),
        Case("Network, Maxout", "Network", [5], (n, x) => Layer(n, n.Op("Max", [Layer(n, x, 5, 6), Layer(n, x, 5, 6), Layer(n, x, 5, 6)]), 6, 3)),
        Case("Network, LeakyRelu autoencoder", "Network", [8], (n, x) => Layer(n, n.Op("LeakyRelu", [Layer(n, n.Op("LeakyRelu", [Layer(n, x, 8, 3)], ("alpha", 0.1f)), 3, 6)], ("alpha", 0.1f)), 6, 8)),
        Case("Network, encoder and decoder with ConvTranspose", "Network", [1, 6, 6], (n, x) =>
            n.Op("ConvTranspose", [n.Op("Relu", [n.Op("Conv", [x, n.Weights(3, 1, 2, 2), n.Weights(3)], ("strides", L(2, 2)))]), n.Weights(3, 1, 2, 2), n.Weights(1)], ("strides", L(2, 2)))),
        Case("Network, standardised input", "Network", [5], (n, x) => Layer(n, n.Op("Relu", [Layer(n, n.Op("Div", [n.Op("Sub", [x, n.Weights(5)]), n.Positive(5)]), 5, 7)]), 7, 2)),
        Case("Network, 1-D convolutions over a sequence", "Network", [3, 12], (n, x) =>
        {
            var y = n.Op("Relu", [n.Op("Conv", [x, n.Weights(4, 3, 3), n.Weights(4)], ("pads", L(1, 1)))]);
            y = n.Op("MaxPool", [y], ("kernel_shape", L(2)), ("strides", L(2)));
            return n.Op("ReduceMax", [n.Op("Relu", [n.Op("Conv", [y, n.Weights(3, 4, 3), n.Weights(3)], ("dilations", L(2)))])], ("axes", L(2)), ("keepdims", 0L));
        }),
        Case("Network, self-attention", "Network", [3, 4], (n, x) =>
        {
            var scores = n.Op("MatMul", [n.Op("MatMul", [x, n.Weights(4, 4)]), n.Op("Transpose", [n.Op("MatMul", [x, n.Weights(4, 4)])], ("perm", L(0, 2, 1)))]);
            return n.Op("MatMul", [n.Op("Softmax", [n.Op("Mul", [scores, n.Scalar(0.5f)])], ("axis", -1L)), n.Op("MatMul", [x, n.Weights(4, 4)])]);
        }) with { IsPiecewiseLinear = false },
        Case("Network, squeeze and excitation", "Network", [4, 3, 3], (n, x) =>
            n.Op("Mul", [x, n.Op("Sigmoid", [Convolve(n, n.Op("Relu", [Convolve(n, n.Op("GlobalAveragePool", [x]), 4, 2, 1, 0)]), 2, 4, 1, 0)])])) with { IsPiecewiseLinear = false },
        Case("Network, tanh layers", "Network", [5], (n, x) => Layer(n, n.Op("Tanh", [Layer(n, n.Op("Tanh", [Layer(n, x, 5, 6)]), 6, 6)]), 6, 3)) with { IsPiecewiseLinear = false },
    ];

    private static string Layer(Net n, string x, long from, long to) => n.Op("Gemm", [x, n.Weights(to, from), n.Weights(to)], ("transB", 1L));

    private static string Convolve(Net n, string x, long from, long to, long kernel, long pad) =>
        n.Op("Conv", [x, n.Weights(to, from, kernel, kernel), n.Weights(to)], ("pads", L(pad, pad, pad, pad)));

    private static string Block(Net n, string x) => n.Op("Relu", [n.Op("Add", [x, BatchNorm(n, Convolve(n, n.Op("Relu", [BatchNorm(n, Convolve(n, x, 3, 3, 3, 1))]), 3, 3, 3, 1))])]);

    private static string LeNet(Net n, string x)
    {
        var first = n.Op("MaxPool", [n.Op("Relu", [Convolve(n, x, 1, 4, 3, 1)])], ("kernel_shape", L(2, 2)), ("strides", L(2, 2)));
        var second = n.Op("MaxPool", [n.Op("Relu", [Convolve(n, first, 4, 6, 3, 0)])], ("kernel_shape", L(2, 2)), ("strides", L(2, 2)));
        return Layer(n, n.Op("Relu", [Layer(n, n.Op("Flatten", [second]), 24, 10)]), 10, 4);
    }
}
