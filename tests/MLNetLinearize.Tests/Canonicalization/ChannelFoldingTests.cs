using MLNetLinearize.Linearization;
using MLNetLinearize.Tests.Rules;

namespace MLNetLinearize.Tests.Canonicalization;

/// <summary>What disappears into the convolution or normalization before it; what they then compute, the rule cases check.</summary>
public class ChannelFoldingTests
{
    [Fact]
    public void A_normalization_behind_a_convolution_is_folded() => Assert.Equal(["Conv", "Relu"], Operators(null));

    [Fact]
    public void A_convolution_that_something_else_reads_is_left_alone() => Assert.Contains("BatchNormalization", Operators(null, isReadTwice: true));

    [Fact]
    public void A_convolution_that_the_user_names_is_left_alone() => Assert.Contains("BatchNormalization", Operators("Conv"));

    [Theory]
    [InlineData("Conv")]
    [InlineData("BatchNormalization")]
    public void Sums_and_products_for_each_channel_are_folded_in_turn(string into) =>
        Assert.Equal([into, "Relu"], Operators(into, (n, y) => n.Op("Sub", [n.Scalar(2), n.Op("Add", [n.Op("Div", [n.Op("Sub", [n.Op("Mul", [y, n.Weights(3, 1, 1)]), n.Weights(1, 3, 1, 1)]), n.Positive(3, 1, 1)]), n.Op("Unsqueeze", [n.Weights(3), n.Ints(1, 2)])])])));

    [Theory]
    [InlineData("Add", 5)] // for each column
    [InlineData("Mul", 3, 5, 1)] // for each row of each channel
    public void Numbers_that_differ_over_space_are_not(string op, params int[] dims) =>
        Assert.Contains(op, Operators("Conv", (n, y) => n.Op(op, [y, n.Weights([.. dims.Select(d => (long)d)])])));

    [Fact]
    public void A_quotient_by_the_channel_is_not() => Assert.Contains("Div", Operators("Conv", (n, y) => n.Op("Div", [n.Scalar(1), y])));

    private static IEnumerable<string> Operators(string into, Func<Net, string, string> behind)
    {
        var net = new Net(17, 5);
        var x = net.Input("x", "N", 3, 5, 5);
        var y = into == "Conv" ? net.Op("Conv", [x, net.Weights(3, 3, 1, 1)]) : net.Op("BatchNormalization", [x, net.Weights(3), net.Weights(3), net.Weights(3), net.Positive(3)]);
        return Compiler.Compile(net.Build(net.Op("Relu", [behind(net, y)])), new() { Targets = Targets.Classes(0) }).Report.Nodes.Select(n => n.Operator);
    }

    private static IEnumerable<string> Operators(string? explained, bool isReadTwice = false)
    {
        var net = new Net(17, 5);
        var conv = net.Op("Conv", [net.Input("x", "N", 2, 5, 5), net.Weights(3, 2, 3, 3)]);
        var y = net.Op("Relu", [net.Op("BatchNormalization", [conv, net.Weights(3), net.Weights(3), net.Weights(3), net.Positive(3)])]);
        if (isReadTwice) y = net.Op("Add", [y, conv]);
        var model = net.Build(y);
        var graph = Compiler.Compile(model, new() { Targets = Targets.Classes(0), ExplainedInputs = explained is null ? null : [conv] });
        return graph.Report.Nodes.Select(n => n.Operator);
    }
}
