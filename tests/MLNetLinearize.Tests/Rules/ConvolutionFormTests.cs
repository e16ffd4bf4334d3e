using MLNetLinearize.Linearization;
using MLNetLinearize.Onnx;
using static MLNetLinearize.Tests.Rules.Net;

namespace MLNetLinearize.Tests.Rules;

/// <summary>Which operator the transpose of a convolution is written in; that it is right, the rule cases check.</summary>
public class ConvolutionFormTests
{
    [Theory]
    [InlineData(8, 3, 1, 1, "Conv")] // the turned kernel
    [InlineData(8, 3, 2, 1, "Conv DepthToSpace")] // by residues of the stride
    [InlineData(3, 11, 4, 1, "Conv DepthToSpace")] // an image, from many taps
    [InlineData(3, 3, 1, 1, "ConvTranspose")] // an image, from few
    [InlineData(1, 5, 2, 1, "ConvTranspose")]
    [InlineData(8, 3, 2, 2, "ConvTranspose")] // groups
    public void The_way_back_is_the_faster_operator(int channels, int kernel, int stride, int group, string expected)
    {
        var net = new Net(17, 6);
        var x = net.Op("Add", [net.Input("x", "N", channels, 16, 16), net.Scalar(1)]);
        var y = net.Op("Conv", [x, net.Weights(8, channels / group, kernel, kernel)], ("strides", L(stride, stride)), ("pads", L(kernel / 2, kernel / 2, kernel / 2, kernel / 2)), ("group", (long)group));
        var graph = Compiler.Compile(net.Build(y), new() { Targets = Targets.Classes(0) });
        var added = graph.Model.Graph.Node.Where(n => n.Name.StartsWith(GraphNames.Prefix, StringComparison.Ordinal)).Select(n => n.OpType);
        Assert.Equal(expected.Split(' '), added.Where(op => op is "Conv" or "ConvTranspose" or "DepthToSpace"));
    }

    /// <summary>A convolution is linear in the image: W is what the model itself makes of each unit image.</summary>
    [Theory]
    [InlineData(20, 21, 22, 2)] // each residue by a convolution of its own; two images' residues are summed
    [InlineData(32, 21, 22, 2)] // the same in blocks, put side by side with channels inmost
    [InlineData(16, 40, 31, 3)]
    [InlineData(9, 40, 31, 3)] // all residues by one
    [InlineData(3, 56, 57, 1)] // of few channels
    public void Large_images_need_no_DepthToSpace(int channels, int height, int width, int stride)
    {
        var net = new Net(17, 6);
        var x = net.Input("x", "N", channels, height, width);
        string Conv(int kernel) => net.Op("Conv", [x, net.Weights(4, channels, kernel, kernel)], ("strides", L(stride, stride)), ("pads", L(kernel / 2, kernel / 2, kernel / 2, kernel / 2)));
        var y = net.Op("Flatten", [net.Op("Mul", [net.Op("Add", [Conv(3), Conv(1)]), net.Weights(1, 4, (height + stride - 1) / stride, (width + stride - 1) / stride)])]);
        var model = net.Build(net.Op("ReduceSum", [y, net.Ints(1)], ("keepdims", 1L)));
        using var linearizer = new Linearizer(Compiler.Compile(model, new()));
        Assert.DoesNotContain(linearizer.Graph.Model.Graph.Node, n => n.OpType == "DepthToSpace");
        var (random, length) = (new Random(5), channels * height * width);
        var maps = linearizer.ExplainBatch([.. Enumerable.Range(0, 2 * length).Select(_ => random.NextSingle())], 2);
        AssertUnitImages(model, [1, channels, height, width], [.. Enumerable.Range(0, 60).Select(_ => random.Next(length)), 0, length - 1], maps);
        Assert.All(maps, map => Agreement.AssertExact(map, 0, "a large image"));
    }

    /// <summary>A sum over space would have to leave ONNX Runtime's blocked layout, which costs more than the sum.</summary>
    [Theory]
    [InlineData(12, 1)]
    [InlineData(40, 1)]
    [InlineData(41, 2)] // behind an overlapping pool, whose residues are summed apart
    public void The_bias_is_summed_in_blocks(int size, int stride)
    {
        var net = new Net(17, 6);
        string Conv(string x, int from) => net.Op("Relu", [net.Op("Conv", [x, net.Weights(16, from, 3, 3), net.Weights(16)])]);
        var y = Conv(net.Input("x", "N", 3, size, size), 3);
        if (stride > 1) y = net.Op("MaxPool", [y], ("kernel_shape", L(3, 3)), ("strides", L(stride, stride)));
        var model = net.Build(net.Op("Flatten", [net.Op("GlobalAveragePool", [Conv(y, 16)])]));
        using var linearizer = new Linearizer(Compiler.Compile(model, new()));
        var graph = linearizer.Graph.Model.Graph;
        var doubles = graph.Node.Where(n => n.OpType == "Cast").SelectMany(n => n.Output).ToHashSet(); // the error column's sum of attribution
        var sums = graph.Node.Where(n => n.OpType == "ReduceSum" && !doubles.Contains(n.Input[0])).Select(n => graph.Initializer.First(t => t.Name == n.Input[1]).ToInt64());
        Assert.DoesNotContain(sums, axes => axes is [2, 3]);
        Assert.All(linearizer.ExplainBatch(Agreement.Row(2 * 3 * size * size, new Random(4)), 2), map => Agreement.AssertExact(map, 0, "a bias summed in blocks"));
    }

    /// <summary>What is added to a channel may be computed from the row, in steps that have no slope.</summary>
    [Theory]
    [InlineData("Floor", 1)]
    [InlineData("Floor", 3)]
    [InlineData("Sign", 3)]
    public void A_bias_of_each_row_is_that_rows(string step, int classes)
    {
        var net = new Net(17, 6);
        string Conv(string x, int from) => net.Op("Conv", [x, net.Weights(16, from, 3, 3), net.Weights(16)], ("pads", L(1, 1, 1, 1)));
        var first = net.Op("Relu", [Conv(net.Input("x", "N", 3, 8, 8), 3)]);
        var ofRow = net.Op(step, [net.Op("Mul", [net.Op("GlobalAveragePool", [first]), net.Scalar(9)])]);
        var added = net.Op("Relu", [net.Op("Add", [Conv(first, 16), ofRow])]);
        var model = net.Build(net.Op("Gemm", [net.Op("Flatten", [Conv(added, 16)]), net.Weights(16 * 64, classes), net.Weights(classes)]));
        using var linearizer = new Linearizer(Compiler.Compile(model, new() { Targets = Targets.All }));
        var maps = linearizer.ExplainBatch(Agreement.Row(4 * 3 * 64, new Random(4)), 4);
        Assert.False(linearizer.Graph.IsRowByRow);
        Assert.Equal(4, maps.Select(m => m.Bias[0]).Distinct().Count());
        foreach (var map in maps)
            for (var k = 0; k < classes; k++) Agreement.AssertExact(map, k, "a bias of each row");
    }

    /// <summary>The second convolution's windows reach beyond an image of odd size, where the first one's would still meet its input.</summary>
    [Theory]
    [InlineData(31, 2, 1)]
    [InlineData(32, 2, 1)]
    [InlineData(29, 2, 2)]
    [InlineData(33, 1, 1)]
    public void Two_strided_convolutions_without_anything_between(int size, int stride, int pad)
    {
        var net = new Net(17, 6);
        var x = net.Input("x", "N", 3, size, size);
        var inner = net.Op("Conv", [x, net.Weights(16, 3, 3, 3)], ("strides", L(stride, stride)));
        var outer = net.Op("Conv", [inner, net.Weights(16, 16, 3, 3)], ("strides", L(2, 2)), ("pads", L(pad, pad, pad, pad)));
        var model = net.Build(net.Op("ReduceSum", [net.Op("Flatten", [outer]), net.Ints(1)], ("keepdims", 1L)));
        using var linearizer = new Linearizer(Compiler.Compile(model, new()));
        AssertUnitImages(model, [1, 3, size, size], Enumerable.Range(0, size * size), [linearizer.Explain(new float[3 * size * size])]);
    }

    /// <summary>What a linear model itself makes of unit images is W.</summary>
    private static void AssertUnitImages(ModelProto model, long[] shape, IEnumerable<int> pixels, IReadOnlyList<LinearMap> maps)
    {
        using var original = new OriginalModel(model, model.Graph.Output[0].Name);
        var largest = maps[0].Weights.Enumerate().Max(Math.Abs);
        foreach (var pixel in pixels)
        {
            var unit = new float[maps[0].Weights.ColumnCount];
            unit[pixel] = 1;
            var expected = original.Run("x", unit, shape)[0];
            Assert.All(maps, map => Assert.Equal(expected, map.Weights[0, pixel], 1e-5 * largest));
        }
    }
}
