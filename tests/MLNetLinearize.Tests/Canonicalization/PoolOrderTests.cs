using MLNetLinearize.Linearization;
using MLNetLinearize.Tests.Rules;
using static MLNetLinearize.Tests.Rules.Net;

namespace MLNetLinearize.Tests.Canonicalization;

/// <summary>Which pools change places with the Relu before them; that the result is the same, the rule and tie cases check.</summary>
public class PoolOrderTests
{
    [Fact]
    public void A_pool_goes_before_the_Relu_that_it_alone_reads() => Assert.Equal(["MaxPool", "Relu", "Reshape"], Operators());

    [Fact]
    public void A_Relu_that_something_else_reads_stays() => Assert.Equal("Relu", Operators(isReadTwice: true).First());

    [Fact]
    public void A_Relu_that_the_user_names_stays_in_front()
    {
        var net = Build(out var relu);
        var graph = Compiler.Compile(net, new() { Targets = Targets.Classes(0), ExplainedInputs = [relu] });
        Assert.Equal(["Relu", "MaxPool", "Reshape"], graph.Report.Nodes.Select(n => n.Operator));
    }

    [Fact]
    public void A_pool_whose_indices_are_read_stays_behind() => Assert.Equal("Relu", Operators(unpools: true).First());

    private static IEnumerable<string> Operators(bool isReadTwice = false, bool unpools = false) =>
        Compiler.Compile(Build(out _, isReadTwice, unpools), new() { Targets = Targets.Classes(0) }).Report.Nodes.Select(n => n.Operator);

    private static MLNetLinearize.Onnx.ModelProto Build(out string relu, bool isReadTwice = false, bool unpools = false)
    {
        var net = new Net(17, 5);
        relu = net.Op("Relu", [net.Input("x", "N", 2, 4, 4)]);
        (string, object)[] size = [("kernel_shape", L(2, 2)), ("strides", L(2, 2))];
        string y;
        if (unpools)
        {
            y = net.Op("MaxUnpool", net.Ops("MaxPool", 2, [relu], size), size);
        }
        else
        {
            y = net.Op("MaxPool", [relu], size);
        }
        y = net.Op("Flatten", [y]);
        if (isReadTwice) y = net.Op("Concat", [y, net.Op("Flatten", [relu])], ("axis", 1L));
        return net.Build(y);
    }
}
