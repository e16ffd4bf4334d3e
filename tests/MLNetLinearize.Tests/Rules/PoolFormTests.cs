using MLNetLinearize.Linearization;
using static MLNetLinearize.Tests.Rules.Net;

namespace MLNetLinearize.Tests.Rules;

/// <summary>Which operators the transposes of pools, and of what stands between them, are written in; that they are right, the rule cases check.</summary>
public class PoolFormTests
{
    /// <summary>Behind Relu a 0 that lies beyond the image ties with those within, which Relu gives nothing on.</summary>
    [Theory]
    [InlineData(3, 1, 16)]
    [InlineData(3, 2, 16)]
    [InlineData(2, 2, 16)]
    [InlineData(3, 1, 5)]
    [InlineData(3, 2, 5)]
    public void A_padded_pool_behind_Relu_finds_its_winners_in_blocks(int kernel, int stride, int channels)
    {
        const int size = 7;
        var random = new Random(kernel + stride);
        float[] image = [.. Enumerable.Range(0, channels * size * size).Select(_ => random.Next(-3, 2))];
        var net = new Net(17, 3);
        var same = net.Floats([.. Enumerable.Range(0, channels * channels).Select(i => i / channels == i % channels ? 1f : 0)], channels, channels, 1, 1);
        var relu = net.Op("Relu", [net.Op("Conv", [net.Input("x", "N", channels, size, size), same])]);
        // Relu is read twice, and so stays before the pool.
        var pool = net.Op("MaxPool", [net.Op("Concat", [relu, relu], ("axis", 1L))], ("kernel_shape", L(kernel, kernel)), ("strides", L(stride, stride)), ("pads", L(1, 1, 1, 1)));
        var model = net.Build(pool);
        var across = (size + 2 - kernel) / stride + 1;
        var some = Enumerable.Range(0, 12).Select(_ => random.Next(2 * channels * across * across)).Distinct().ToArray();
        foreach (var (targets, inBlocks) in some.Select(c => (Targets.Classes(c), true)).Append((Targets.All, stride == 1)))
        {
            using var linearizer = new Linearizer(Compiler.Compile(model, new() { Targets = targets }));
            Assert.Equal(inBlocks, !linearizer.Graph.Model.Graph.Node.Any(n => n.OpType == "ScatterElements" || n.OpType == "MaxPool" && n.Output.Count > 1));
            var map = linearizer.Explain(image);
            for (var k = 0; k < map.Targets.Count; k++)
            {
                var c = (int)map.Targets[k];
                var (channel, top, left) = (c / across / across % channels, c / across % across * stride - 1, c % across * stride - 1);
                var cells = from y in Enumerable.Range(top, kernel)
                            from x in Enumerable.Range(left, kernel)
                            where y is >= 0 and < size && x is >= 0 and < size
                            select (channel * size + y) * size + x;
                var winner = cells.MaxBy(i => image[i]);
                if (image[winner] <= 0) Assert.All(map.Weights.Row(k), w => Assert.Equal(0, w));
                else TieTests.AssertOneWinner(map.Weights.Row(k), 1, at: winner);
                Agreement.AssertExact(map, k, $"output {c}");
            }
        }
    }

    /// <summary>
    /// ONNX Runtime multiplies in blocks only what it knows to have as many rows, which a −1 in a Reshape hides: behind one, every
    /// layer further back would leave the blocks and enter them again.
    /// </summary>
    [Theory]
    [InlineData(6, 1, 0, "Conv")] // all of space
    [InlineData(3, 1, 1, "Conv")]
    [InlineData(3, 2, 1, "ConvTranspose")]
    [InlineData(2, 2, 0, "ConvTranspose")]
    public void The_mean_of_a_window_goes_back_with_its_rows_apart(int kernel, int stride, int pad, string expected)
    {
        var back = WayBack((n, x) => n.Op("AveragePool", [x], ("kernel_shape", L(kernel, kernel)), ("strides", L(stride, stride)), ("pads", L(pad, pad, pad, pad)), ("count_include_pad", 1L)));
        Assert.Equal([expected, "Conv"], back.Where(op => op is "Conv" or "ConvTranspose"));
        Assert.DoesNotContain("Reshape", back.SkipWhile(op => op != expected));
    }

    [Fact]
    public void So_does_what_neighbouring_channels_normalize() =>
        Assert.Equal(["Conv", "Conv", "Conv"], WayBack((n, x) => n.Op("LRN", [x], ("size", 5L))).Where(op => op == "Conv"));

    [Fact]
    public void A_normalization_that_no_convolution_takes_in_goes_back_as_one() =>
        Assert.Equal(["Conv", "Conv"], WayBack((n, x) => n.Op("BatchNormalization", [n.Op("Concat", [x, x], ("axis", 1L)), n.Weights(32), n.Weights(32), n.Weights(32), n.Positive(32)])).Where(op => op == "Conv"));

    /// <summary>The operators that lead back from one behind a convolution, through that.</summary>
    private static List<string> WayBack(Func<Net, string, string> behind)
    {
        var net = new Net(17, 3);
        var conv = net.Op("Conv", [net.Input("x", "N", 16, 6, 6), net.Weights(16, 16, 1, 1)]);
        var graph = Compiler.Compile(net.Build(behind(net, conv)), new() { Targets = Targets.Classes(0) });
        var added = graph.Model.Graph.Node.Where(n => n.Name.StartsWith(GraphNames.Prefix, StringComparison.Ordinal)).Select(n => n.OpType).ToList();
        return added[..(added.LastIndexOf("Conv") + 1)];
    }
}
