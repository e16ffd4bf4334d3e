using MLNetLinearize.Tests.Rules;
using static MLNetLinearize.Tests.Rules.Net;

namespace MLNetLinearize.Tests.Oracle;

/// <summary>The oracle on cases small enough to work by hand.</summary>
public class DenseOracleTests
{
    [Fact]
    public void A_dense_layer_gives_its_weights_where_relu_is_open_and_zero_where_it_is_closed()
    {
        // z = [x1 + 2·x2 + 1, 3·x1 − x2] at (1, 4) is [10, −1].
        var map = Map([1, 4], [1, 2], (n, x) => n.Op("Relu", [n.Op("Gemm", [x, n.Floats([1, 3, 2, -1], 2, 2), n.Floats([1, 0], 2)])]));
        AssertMap(map, [10, 0], [[1, 2], [0, 0]], [1, 0]);
    }

    [Fact]
    public void Relu_at_zero_has_slope_zero() => AssertMap(Map([0, 1], [1, 2], (n, x) => n.Op("Relu", [x])), [0, 1], [[0, 0], [0, 1]], [0, 0]);

    [Fact]
    public void A_convolution_slides_its_kernel_over_the_padded_input()
    {
        var map = Map([1, 2, 3], [1, 1, 3], (n, x) => n.Op("Conv", [x, n.Floats([1, 10, 100], 1, 1, 3), n.Floats([0.5f], 1)], ("pads", L(1, 1))));
        AssertMap(map, [210.5, 321.5, 32.5], [[10, 100, 0], [1, 10, 100], [0, 1, 10]], [0.5, 0.5, 0.5]);
    }

    [Fact]
    public void A_grouped_convolution_with_stride_keeps_groups_apart()
    {
        // Two channels of four; kernel 2, stride 2: group 0 is [1, 2], group 1 is [3, 4].
        var map = Map([1, 2, 3, 4, 5, 6, 7, 8], [1, 2, 4], (n, x) => n.Op("Conv", [x, n.Floats([1, 2, 3, 4], 2, 1, 2)], ("group", 2L), ("strides", L(2))));
        AssertMap(map, [5, 11, 39, 53], [[1, 2, 0, 0, 0, 0, 0, 0], [0, 0, 1, 2, 0, 0, 0, 0], [0, 0, 0, 0, 3, 4, 0, 0], [0, 0, 0, 0, 0, 0, 3, 4]], [0, 0, 0, 0]);
    }

    [Fact]
    public void Conv_transpose_spreads_each_element_over_its_kernel()
    {
        var map = Map([1, 2], [1, 1, 2], (n, x) => n.Op("ConvTranspose", [x, n.Floats([1, 10, 100], 1, 1, 3)], ("strides", L(2))));
        AssertMap(map, [1, 10, 102, 20, 200], [[1, 0], [10, 0], [100, 1], [0, 10], [0, 100]], [0, 0, 0, 0, 0]);
    }

    [Fact]
    public void Max_pool_gives_all_to_the_first_of_equal_values()
    {
        var map = Map([5, 7, 7, 2], [1, 1, 4], (n, x) => n.Op("MaxPool", [x], ("kernel_shape", L(3)), ("strides", L(1))));
        AssertMap(map, [7, 7], [[0, 1, 0, 0], [0, 1, 0, 0]], [0, 0]);
    }

    [Fact]
    public void Average_pool_counts_padding_only_when_asked()
    {
        var apart = Map([3, 6], [1, 1, 2], (n, x) => n.Op("AveragePool", [x], ("kernel_shape", L(3)), ("pads", L(1, 1)), ("strides", L(1))));
        AssertMap(apart, [4.5, 4.5], [[0.5, 0.5], [0.5, 0.5]], [0, 0]);
        var counted = Map([3, 6], [1, 1, 2], (n, x) => n.Op("AveragePool", [x], ("kernel_shape", L(3)), ("pads", L(1, 1)), ("strides", L(1)), ("count_include_pad", 1L)));
        AssertMap(counted, [3, 3], [[1 / 3.0, 1 / 3.0], [1 / 3.0, 1 / 3.0]], [0, 0]);
    }

    [Fact]
    public void Batch_normalization_scales_and_shifts_each_channel()
    {
        // (x − 1) · 2 / √(3 + 1) + 5 = x + 4
        var map = Map([10], [1, 1, 1], (n, x) => n.Op("BatchNormalization", [x, n.Floats([2], 1), n.Floats([5], 1), n.Floats([1], 1), n.Floats([3], 1)], ("epsilon", 1f)));
        AssertMap(map, [14], [[1]], [4]);
    }

    [Fact]
    public void A_product_of_two_data_tensors_has_the_product_rule_and_a_negative_bias()
    {
        // y = x1·x2 at (3, 5): gradient (5, 3), bias 15 − 30.
        var map = Map([3, 5], [1, 2], (n, x) => n.Op("ReduceSum", [n.Op("Mul", [n.Op("Slice", [x, n.Ints(0), n.Ints(1), n.Ints(1)]), n.Op("Slice", [x, n.Ints(1), n.Ints(2), n.Ints(1)])]), n.Ints(1)]));
        AssertMap(map, [15], [[5, 3]], [-15]);
    }

    [Fact]
    public void A_tensor_used_twice_counts_twice() => AssertMap(Map([3], [1, 1], (n, x) => n.Op("Add", [x, n.Op("Mul", [x, n.Scalar(4)])])), [15], [[5]], [0]);

    [Fact]
    public void Clip_passes_its_bounds_to_the_bias() =>
        AssertMap(Map([-3, 0.5, 9], [1, 3], (n, x) => n.Op("Clip", [x, n.Scalar(-1), n.Scalar(6)])), [-1, 0.5, 6], [[0, 0, 0], [0, 1, 0], [0, 0, 0]], [-1, 0, 6]);

    [Fact]
    public void Padding_is_bias_and_negative_padding_crops() =>
        AssertMap(Map([1, 2, 3], [1, 3], (n, x) => n.Op("Pad", [x, n.Ints(0, 1, 0, -1), n.Scalar(7)])), [7, 1, 2], [[0, 0, 0], [1, 0, 0], [0, 1, 0]], [7, 0, 0]);

    [Fact]
    public void Slice_steps_backwards() =>
        AssertMap(Map([1, 2, 3, 4], [1, 4], (n, x) => n.Op("Slice", [x, n.Ints(-1), n.Ints(-1000), n.Ints(1), n.Ints(-2)])), [4, 2], [[0, 0, 0, 1], [0, 1, 0, 0]], [0, 0]);

    [Fact]
    public void Scatter_adds_where_indices_meet()
    {
        var map = Map([1, 2, 3], [1, 3], (n, x) => n.Op("ScatterElements", [n.Floats([10, 20], 1, 2), n.Ints([1, 1, 0], [1, 3]), x], ("axis", 1L), ("reduction", "add")), opset: 16);
        AssertMap(map, [13, 23], [[0, 0, 1], [1, 1, 0]], [10, 20]);
    }

    [Theory]
    [InlineData("Sigmoid")]
    [InlineData("Tanh")]
    [InlineData("Softplus")]
    [InlineData("Softsign")]
    [InlineData("Elu")]
    [InlineData("Selu")]
    [InlineData("HardSwish")]
    [InlineData("Erf")]
    [InlineData("Exp")]
    [InlineData("Abs")]
    [InlineData("Softmax")]
    [InlineData("LogSoftmax")]
    public void W_equals_central_differences_and_W_x_plus_b_equals_F(string op)
    {
        double[] x = [0.3, -0.7, 1.9, -2.2];
        var net = new Net(17, 1);
        var input = net.Input("x", "N", 4);
        var model = net.Build(net.Op("Gemm", [net.Op(op, [net.Op("Gemm", [input, net.Weights(4, 5), net.Weights(5)])]), net.Weights(5, 3)]));
        var map = DenseOracle.Linearize(model, "x", x, [1, 4]);
        for (var i = 0; i < x.Length; i++)
        {
            const double h = 1e-5;
            var (up, down) = (DenseOracle.Forward(model, "x", Moved(h), [1, 4]), DenseOracle.Forward(model, "x", Moved(-h), [1, 4]));
            for (var r = 0; r < 3; r++) Assert.Equal((up[r] - down[r]) / (2 * h), map.Weights[r, i], 8);
            double[] Moved(double by) => [.. x.Select((v, k) => k == i ? v + by : v)];
        }
        var affine = map.Weights * MathNet.Numerics.LinearAlgebra.Vector<double>.Build.Dense(x);
        for (var r = 0; r < 3; r++) Assert.Equal(map.Values[r], affine[r] + map.Bias[r], 12);
    }

    [Fact]
    public void Directions_give_the_same_columns_as_the_whole_matrix()
    {
        var net = new Net(17, 2);
        var model = net.Build(net.Op("Relu", [net.Op("Gemm", [net.Input("x", "N", 3), net.Weights(3, 4), net.Weights(4)])]));
        double[] x = [1, -2, 3], d = [0.5, 0.25, -1];
        var (whole, along) = (DenseOracle.Linearize(model, "x", x, [1, 3]), DenseOracle.Linearize(model, "x", x, [1, 3], [d]));
        var expected = whole.Weights * MathNet.Numerics.LinearAlgebra.Vector<double>.Build.Dense(d);
        for (var r = 0; r < 4; r++) Assert.Equal(expected[r], along.Weights[r, 0], 12);
        Assert.Equal(whole.Bias, along.Bias);
    }

    private static AffineMap Map(double[] x, long[] shape, Func<Net, string, string> body, long opset = 13)
    {
        var net = new Net(opset, 0);
        return DenseOracle.Linearize(net.Build(body(net, net.Input("x", [.. shape.Cast<object>()]))), "x", x, shape);
    }

    private static void AssertMap(AffineMap map, double[] values, double[][] weights, double[] bias)
    {
        Assert.Equal(values, map.Values.Select(v => Math.Round(v, 9)));
        for (var r = 0; r < weights.Length; r++) Assert.Equal(weights[r].Select(v => Math.Round(v, 9)), map.Weights.Row(r).Select(v => Math.Round(v, 9)));
        Assert.Equal(bias, map.Bias.Select(v => Math.Round(v, 9)));
    }
}
