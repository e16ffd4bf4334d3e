using MLNetLinearize.Linearization;
using static MLNetLinearize.Tests.Rules.Net;

namespace MLNetLinearize.Tests.Rules;

/// <summary>
/// A cotangent is masked in blocks where ONNX Runtime has the network's own tensors in them, and nowhere else: entering them and
/// leaving them again takes longer than the mask. That both ways are right, the rule cases and random networks check.
/// </summary>
public class NetworkBlocksTests
{
    [Theory]
    [InlineData(32, 1, true)]
    [InlineData(32, 2, true)]
    [InlineData(32, 32, true)]
    [InlineData(32, 4, false)] // groups of half a block
    [InlineData(8, 1, false)]
    [InlineData(24, 24, false)]
    public void Of_a_convolution(int channels, int groups, bool expected) =>
        Assert.Equal(expected, IsMaskedInBlocks(channels, (n, x) => n.Op("Conv", [x, n.Weights(channels, channels / groups, 3, 3)], ("group", (long)groups))));

    [Theory]
    [InlineData("Add", "Conv", true)]
    [InlineData("Sum", "MaxPool", true)]
    [InlineData("Concat", "Conv", true)]
    [InlineData("Add", "Sigmoid", true)]
    [InlineData("Mul", "Tanh", true)]
    [InlineData("Add", "Elu", false)]
    [InlineData("Concat", "Elu", false)]
    public void Of_what_several_tensors_make(string op, string second, bool expected) => Assert.Equal(expected, IsMaskedInBlocks(16, (n, x) =>
    {
        var first = n.Op("Conv", [x, n.Weights(16, 16, 3, 3)]);
        var other = second switch
        {
            "Conv" => n.Op("Conv", [x, n.Weights(16, 16, 3, 3)]),
            "MaxPool" => n.Op("MaxPool", [x], ("kernel_shape", L(3, 3))),
            _ => n.Op(second, [first]),
        };
        return op == "Concat" ? n.Op(op, [first, other], ("axis", 1L)) : n.Op(op, [first, other]);
    }));

    [Theory]
    [InlineData("nearest", true)]
    [InlineData("linear", false)]
    public void Of_an_enlarged_image(string mode, bool expected) => Assert.Equal(expected, IsMaskedInBlocks(16, (n, x) =>
        n.Op("Resize", [n.Op("Conv", [x, n.Weights(16, 16, 3, 3)]), "", n.Floats([1, 1, 2, 2], 4)], ("mode", mode), ("coordinate_transformation_mode", "asymmetric"), ("nearest_mode", "floor"))));

    private static bool IsMaskedInBlocks(int channels, Func<Net, string, string> make)
    {
        var net = new Net(17, 3);
        var made = make(net, net.Input("x", "N", channels, 6, 6));
        var graph = Compiler.Compile(net.Build(net.Op("Relu", [made])), new() { Targets = Targets.Classes(0) });
        return graph.Model.Graph.Node.Any(n => n.OpType == "HardSigmoid");
    }
}
