using MLNetLinearize.Linearization;
using static MLNetLinearize.Tests.Rules.Net;

namespace MLNetLinearize.Tests.Rules;

/// <summary>Which operator the transpose of a convolution is written in; that it is right, the rule cases check.</summary>
public class ConvolutionFormTests
{
    [Theory]
    [InlineData(8, 1, 1, "Conv")] // the turned kernel
    [InlineData(8, 2, 1, "Conv DepthToSpace")] // by residues of the stride
    [InlineData(1, 1, 1, "Conv DepthToSpace")] // by blocks of the image
    [InlineData(3, 1, 1, "Conv DepthToSpace")]
    [InlineData(8, 2, 2, "ConvTranspose")] // groups
    public void The_way_back_is_a_convolution_wherever_it_can_be(int channels, int stride, int group, string expected)
    {
        var net = new Net(17, 6);
        var x = net.Op("Add", [net.Input("x", "N", channels, 9, 9), net.Scalar(1)]);
        var y = net.Op("Conv", [x, net.Weights(8, channels / group, 3, 3)], ("strides", L(stride, stride)), ("pads", L(1, 1, 1, 1)), ("group", (long)group));
        var graph = Compiler.Compile(net.Build(y), new() { Targets = Targets.Classes(0) });
        var added = graph.Model.Graph.Node.Where(n => n.Name.StartsWith(GraphNames.Prefix, StringComparison.Ordinal)).Select(n => n.OpType);
        Assert.Equal(expected.Split(' '), added.Where(op => op is "Conv" or "ConvTranspose" or "DepthToSpace"));
    }
}
