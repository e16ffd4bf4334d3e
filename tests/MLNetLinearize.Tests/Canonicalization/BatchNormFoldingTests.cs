using MLNetLinearize.Linearization;
using MLNetLinearize.Tests.Rules;

namespace MLNetLinearize.Tests.Canonicalization;

/// <summary>Which normalizations disappear into the convolution before them; what they then compute, the rule cases check.</summary>
public class BatchNormFoldingTests
{
    [Fact]
    public void A_normalization_behind_a_convolution_is_folded() => Assert.Equal(["Conv", "Relu"], Operators(null));

    [Fact]
    public void A_convolution_that_something_else_reads_is_left_alone() => Assert.Contains("BatchNormalization", Operators(null, isReadTwice: true));

    [Fact]
    public void A_convolution_that_the_user_names_is_left_alone() => Assert.Contains("BatchNormalization", Operators("Conv"));

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
