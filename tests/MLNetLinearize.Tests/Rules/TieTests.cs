using MathNet.Numerics.LinearAlgebra;
using static MLNetLinearize.Tests.Rules.Net;

namespace MLNetLinearize.Tests.Rules;

/// <summary>
/// Exact ties, which real images are full of: constant backgrounds, black borders, zero padding. The whole cotangent goes
/// to one winner: crediting every tie would break W·x + b = F, splitting one is no branch of the network.
/// </summary>
public class TieTests
{
    [Theory]
    [InlineData(false, 2)]
    [InlineData(true, 2)]
    [InlineData(false, 3)]
    [InlineData(true, 3)]
    public void Constant_image_through_max_pool_next_to_relu_credits_one_cell_of_each_window(bool reluFirst, int kernel)
    {
        var map = Explain([1, 6, 6], Enumerable.Repeat(0.7f, 36), (n, x) => reluFirst ? Pool(n, n.Op("Relu", [x]), kernel) : n.Op("Relu", [Pool(n, x, kernel)]));
        foreach (var row in map.Weights.EnumerateRows()) AssertOneWinner(row, 1);
        AssertConserved(map);
    }

    [Theory]
    [InlineData(false, 2)]
    [InlineData(true, 2)]
    [InlineData(false, 3)]
    [InlineData(true, 3)]
    public void All_zero_image_through_max_pool_next_to_relu_credits_nothing(bool reluFirst, int kernel)
    {
        // At zero Relu is closed, whichever side of the pooling it stands on.
        var map = Explain([1, 6, 6], new float[36], (n, x) => reluFirst ? Pool(n, n.Op("Relu", [x]), kernel) : n.Op("Relu", [Pool(n, x, kernel)]));
        Assert.All(map.Weights.Enumerate(), w => Assert.Equal(0, w));
        AssertConserved(map);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void Negative_patches_behind_relu_tie_at_zero_and_credit_nothing(int kernel)
    {
        var map = Explain([1, 6, 6], Enumerable.Range(0, 36).Select(i => i == 14 ? 2f : -1 - i), (n, x) => Pool(n, n.Op("Relu", [x]), kernel));
        foreach (var (row, c) in map.Weights.EnumerateRows().Select((row, c) => (row, c)))
            if (map.Scores[c] > 0) AssertOneWinner(row, 1, at: 14);
            else Assert.All(row, w => Assert.Equal(0, w));
        AssertConserved(map);
    }

    [Theory]
    [InlineData(2, 2, 0)]
    [InlineData(3, 2, 0)]
    [InlineData(3, 2, 1)]
    [InlineData(2, 2, 1)]
    public void Max_pool_credits_one_of_equal_cells(int kernel, int stride, int pad)
    {
        var map = Explain([2, 6, 6], Enumerable.Range(0, 72).Select(i => (float)(i / 12 % 2)), (n, x) => n.Op("MaxPool", [x], ("kernel_shape", L(kernel, kernel)), ("strides", L(stride, stride)), ("pads", L(pad, pad, pad, pad))));
        foreach (var row in map.Weights.EnumerateRows()) AssertOneWinner(row, 1);
        AssertConserved(map);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(6)]
    public void Max_pool_credits_the_first_of_equal_cells(int kernel)
    {
        const int size = 6;
        var random = new Random(kernel);
        float[] image = [.. Enumerable.Range(0, 2 * size * size).Select(_ => (float)random.Next(-2, 2))];
        var map = Explain([2, size, size], image, (n, x) => n.Op("MaxPool", [x], ("kernel_shape", L(kernel, kernel)), ("strides", L(kernel, kernel))));
        AssertFirstOfEqualCells(map, image, size, kernel, kernel);
        AssertConserved(map);
    }

    /// <summary>Enough channels for ONNX Runtime's blocked layout, where winners are found by other operators; differences down to the smallest float count.</summary>
    [Theory]
    [InlineData(2, 2, 1f)]
    [InlineData(2, 2, float.Epsilon)]
    [InlineData(3, 2, 1e-30f)]
    [InlineData(4, 4, 1f)]
    [InlineData(6, 3, 1e30f)] // more elements than are found in blocks
    public void Max_pool_of_many_channels_credits_the_first_of_equal_cells(int rows, int columns, float unit)
    {
        const int size = 12, channels = 16;
        var random = new Random(rows);
        float[] image = [.. Enumerable.Range(0, channels * size * size).Select(_ => random.Next(-2, 2) * unit)];
        using var linearizer = new Linearizer(ManyChannels(rows, columns, size, channels));
        Assert.Equal(rows * columns <= 16, linearizer.Graph.Model.Graph.Node.Any(n => n.OpType == "HardSigmoid"));
        var map = linearizer.Explain(image);
        AssertFirstOfEqualCells(map, image, size, rows, columns);
        AssertConserved(map);
    }

    /// <summary>Windows that overlap, leave cells out or reach beyond the image; there Relu must read the pool, or ONNX Runtime is asked for the winners.</summary>
    [Theory]
    [InlineData(3, 2, 0, 1, false, false, true)]
    [InlineData(3, 2, 0, 1, true, true, true)]
    [InlineData(3, 2, 1, 1, false, true, true)]
    [InlineData(3, 2, 1, 1, false, false, false)]
    [InlineData(3, 1, 1, 1, false, true, true)]
    [InlineData(2, 3, 0, 1, false, false, true)]
    [InlineData(2, 2, 1, 1, false, true, true)]
    [InlineData(2, 1, 1, 3, false, true, true)]
    [InlineData(3, 4, 0, 2, true, true, true)]
    [InlineData(2, 2, 0, 1, true, true, true)]
    [InlineData(1, 2, 0, 1, false, true, false)]
    public void Overlapping_pool_of_many_channels_credits_the_first_of_equal_cells(int kernel, int stride, int pad, int dilation, bool ceil, bool relu, bool inBlocks)
    {
        const int size = 11, channels = 16;
        var random = new Random(kernel + stride);
        float[] image = [.. Enumerable.Range(0, channels * size * size).Select(_ => random.Next(-2, 2))];
        using var linearizer = new Linearizer(ManyChannels(size, channels, relu, "Identity", ("kernel_shape", L(kernel, kernel)), ("strides", L(stride, stride)), ("pads", L(pad, pad, pad, pad)), ("dilations", L(dilation, dilation)), ("ceil_mode", ceil ? 1L : 0)));
        Assert.Equal(inBlocks, linearizer.Graph.Model.Graph.Node.Single(n => n.OpType == "MaxPool").Output.Count == 1);
        var map = linearizer.Explain(image);
        var across = (int)Math.Sqrt(map.Scores.Count / channels);
        for (var c = 0; c < map.Scores.Count; c++)
        {
            var (top, left) = (c / across % across * stride - pad, c % across * stride - pad);
            var cells = from i in Enumerable.Range(0, kernel)
                        from j in Enumerable.Range(0, kernel)
                        let y = top + i * dilation
                        let x = left + j * dilation
                        where y is >= 0 and < size && x is >= 0 and < size
                        select (c / across / across * size + y) * size + x;
            var winner = cells.MaxBy(i => image[i]);
            if (relu && image[winner] <= 0) Assert.All(map.Weights.Row(c), w => Assert.Equal(0, w));
            else AssertOneWinner(map.Weights.Row(c), 1, at: winner);
        }
        AssertConserved(map);
    }

    [Fact]
    public void A_row_whose_pool_sees_nan_leaves_the_others_as_they_are()
    {
        const int size = 4, channels = 16;
        var random = new Random(1);
        float[] Image() => [.. Enumerable.Range(0, channels * size * size).Select(_ => 1 + random.NextSingle())];
        float[] good = Image(), other = Image(), bad = [.. Image().Select((v, i) => i % 5 == 0 ? -v : v)]; // their logarithm is NaN
        using var linearizer = new Linearizer(ManyChannels(2, 2, size, channels, before: "Log"));
        var maps = linearizer.ExplainBatch([.. good, .. bad, .. other], 3);
        foreach (var (map, row) in new[] { (maps[0], good), (maps[2], other) })
            Assert.Equal(linearizer.Explain(row).Weights, map.Weights);
    }

    [Fact]
    public void Image_with_black_border_through_convolution_relu_and_max_pool_is_conserved()
    {
        var image = new float[64];
        for (var r = 3; r < 5; r++) for (var c = 3; c < 5; c++) image[r * 8 + c] = 1;
        var map = Explain([1, 8, 8], image, (n, x) =>
        {
            // Without a bias the border is exactly zero behind the convolution too.
            var y = n.Op("MaxPool", [n.Op("Relu", [n.Op("Conv", [x, n.Weights(4, 1, 3, 3)], ("pads", L(1, 1, 1, 1)))])], ("kernel_shape", L(2, 2)), ("strides", L(2, 2)));
            return n.Op("Gemm", [n.Op("Flatten", [y]), n.Weights(64, 3), n.Weights(3)]);
        });
        AssertConserved(map);
    }

    [Fact]
    public void Constant_image_through_convolution_relu_and_max_pool_is_conserved()
    {
        var map = Explain([1, 8, 8], Enumerable.Repeat(0.5f, 64), (n, x) =>
        {
            var y = n.Op("MaxPool", [n.Op("Relu", [n.Op("Conv", [x, n.Weights(4, 1, 3, 3), n.Weights(4)])])], ("kernel_shape", L(3, 3)), ("strides", L(2, 2)));
            return n.Op("Gemm", [n.Op("Flatten", [y]), n.Weights(16, 3), n.Weights(3)]);
        });
        AssertConserved(map);
    }

    [Fact]
    public void Global_max_pool_credits_one_of_equal_cells()
    {
        var map = Explain([2, 3, 3], Enumerable.Repeat(1.5f, 9).Concat([0, 4, 1, 4, 2, 4, 0, 0, 0]), (n, x) => n.Op("GlobalMaxPool", [x]));
        foreach (var row in map.Weights.EnumerateRows()) AssertOneWinner(row, 1);
        AssertConserved(map);
    }

    [Fact]
    public void Reduce_max_credits_one_of_equal_elements()
    {
        var map = Explain([2, 4], [3, 3, 3, 3, -1, 2, 2, -5], (n, x) => n.Op("ReduceMax", [x], ("axes", L(2)), ("keepdims", 0L)));
        foreach (var row in map.Weights.EnumerateRows()) AssertOneWinner(row, 1);
        AssertConserved(map);
    }

    [Theory]
    [InlineData("Max")]
    [InlineData("Min")]
    public void Equal_operands_credit_one_of_them(string op)
    {
        // Both operands are the same number, but of different slopes: 2·x and 4·x − 2 at x = 1.
        var map = Explain([2], [1, 1], (n, x) => n.Op(op, [n.Op("Mul", [x, n.Scalar(2)]), n.Op("Sub", [n.Op("Mul", [x, n.Scalar(4)]), n.Scalar(2)])]));
        for (var i = 0; i < 2; i++)
        {
            Assert.Contains(map.Weights[i, i], new[] { 2f, 4f });
            Assert.Equal(0, map.Weights[i, 1 - i]);
        }
        AssertConserved(map);
    }

    [Theory]
    [InlineData("Max")]
    [InlineData("Min")]
    public void Three_equal_operands_credit_one_of_them(string op)
    {
        var map = Explain([3], [1, -2, 0.5f], (n, x) => n.Op(op, [x, n.Op("Identity", [x]), n.Op("Mul", [x, n.Scalar(1)])]));
        for (var i = 0; i < 3; i++) AssertOneWinner(map.Weights.Row(i), 1, at: i);
        AssertConserved(map);
    }

    [Fact]
    public void Kinks_of_relu_leaky_relu_abs_and_clip_follow_one_branch()
    {
        var map = Explain([4], [0, 0, -1, 1], (n, x) => n.Op("Concat", [n.Op("Relu", [x]), n.Op("LeakyRelu", [x], ("alpha", 0.25f)), n.Op("Abs", [x]), n.Op("Clip", [x, n.Floats([-1]), n.Floats([1])])], ("axis", 1L)));
        Assert.Equal(0, map.Weights[0, 0]);
        Assert.Contains(map.Weights[4, 0], new[] { 0.25f, 1f });
        Assert.Contains(map.Weights[8, 0], new[] { -1f, 0f, 1f });
        Assert.Contains(map.Weights[14, 2], new[] { 0f, 1f });
        Assert.Contains(map.Weights[15, 3], new[] { 0f, 1f });
        AssertConserved(map);
    }

    [Fact]
    public void Equal_scores_explain_the_lowest_index()
    {
        var net = new Net(17, 5);
        var model = net.Build(net.Op("Gemm", [net.Input("x", "N", 2), net.Floats([1, 3, 3, 1, 3, 3], 2, 3)]));
        using var predicted = new Linearizer(LinearizationGraph.Compile(CaseRun.Stream(model), new() { Targets = Targets.Predicted }));
        Assert.Equal([1], predicted.Explain([1, 1]).Targets);
        using var top = new Linearizer(LinearizationGraph.Compile(CaseRun.Stream(model), new() { Targets = Targets.Top(3) }));
        Assert.Equal([1, 2, 0], top.Explain([1, 1]).Targets);
    }

    private static string Pool(Net n, string x, int kernel) => n.Op("MaxPool", [x], ("kernel_shape", L(kernel, kernel)), ("strides", L(2, 2)));

    /// <summary>Channels as they are, through a convolution and a pool.</summary>
    private static LinearizationGraph ManyChannels(int size, int channels, bool relu, string before, params (string, object)[] pool)
    {
        var net = new Net(17, 3);
        var same = net.Floats([.. Enumerable.Range(0, channels * channels).Select(i => i / channels == i % channels ? 1f : 0)], channels, channels, 1, 1);
        var pooled = net.Op("MaxPool", [net.Op("Conv", [net.Op(before, [net.Input("x", "N", channels, size, size)]), same])], pool);
        return LinearizationGraph.Compile(CaseRun.Stream(net.Build(relu ? net.Op("Relu", [pooled]) : pooled)), new() { Targets = Targets.All });
    }

    private static LinearizationGraph ManyChannels(int rows, int columns, int size, int channels, string before = "Identity") =>
        ManyChannels(size, channels, relu: false, before, ("kernel_shape", L(rows, columns)), ("strides", L(rows, columns)));

    private static LinearMap Explain(int[] row, IEnumerable<float> x, Func<Net, string, string> body)
    {
        var net = new Net(17, 3);
        var model = net.Build(body(net, net.Input("x", ["N", .. row.Cast<object>()])));
        using var linearizer = new Linearizer(LinearizationGraph.Compile(CaseRun.Stream(model), new() { Targets = Targets.All }));
        return linearizer.Explain([.. x]);
    }

    /// <summary>Each window of a pool that tiles square images credits the first of its largest cells alone.</summary>
    private static void AssertFirstOfEqualCells(LinearMap map, float[] image, int size, int rows, int columns)
    {
        var (down, across) = (size / rows, size / columns);
        for (var c = 0; c < map.Scores.Count; c++)
        {
            var corner = c / (down * across) * size * size + c / across % down * rows * size + c % across * columns;
            var cells = Enumerable.Range(0, rows * columns).Select(i => corner + i / columns * size + i % columns);
            AssertOneWinner(map.Weights.Row(c), 1, at: cells.MaxBy(i => image[i]));
        }
    }

    private static void AssertConserved(LinearMap map)
    {
        Agreement.AssertClose(map.Scores.Widened(), map.Apply(map.Input).Widened(), "W·x + b");
        Assert.All(map.Error, e => Assert.InRange(e, 0, 1e-5));
    }

    internal static void AssertOneWinner(Vector<float> row, float weight, int? at = null)
    {
        var credited = row.EnumerateIndexed(Zeros.AllowSkip).Where(e => e.Item2 != 0).ToList();
        var (index, value) = Assert.Single(credited);
        Assert.Equal(weight, value);
        if (at is { } expected) Assert.Equal(expected, index);
    }
}
