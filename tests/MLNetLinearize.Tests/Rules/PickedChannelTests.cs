using MLNetLinearize.Linearization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Runtime;
using static MLNetLinearize.Tests.Rules.Net;

namespace MLNetLinearize.Tests.Rules;

/// <summary>
/// Networks that end in a convolution and a pool over all of space: of the target that a row chose, one channel goes back through
/// them. It must be what all targets together give, which go another way.
/// </summary>
public class PickedChannelTests
{
    private const int Channels = 16, Classes = 7, Size = 5, Rows = 6;

    [Theory]
    [InlineData("Relu", "Flatten", 1)]
    [InlineData("Relu", "Squeeze", 1)]
    [InlineData("Relu", "Reshape", 1)]
    [InlineData("Relu", "", 1)]
    [InlineData("", "Flatten", 1)]
    [InlineData("", "", 1)]
    [InlineData("Relu Relu", "Flatten", 1)]
    [InlineData("Relu, also behind the pool", "Flatten", 1)]
    [InlineData("LeakyRelu", "Flatten", 1)]
    [InlineData("Relu", "Flatten", 3)]
    [InlineData("Relu", "Flatten", 1, 2)]
    [InlineData("Relu", "Flatten", 1, 2, 2)] // as many places, but other ones
    public void The_chosen_target_is_the_same_as_among_all(string activation, string flatten, int kernel, int stride = 1, int pad = 0)
    {
        var model = Network(activation, flatten, kernel, stride, pad);
        using var all = new Linearizer(Compiler.Compile(model, new() { Targets = Targets.All }));
        using var chosen = new Linearizer(Compiler.Compile(model, new() { Targets = Targets.Predicted }));
        // Channels of different brightness, or all rows would choose alike.
        var random = new Random(8);
        float[] rows = [.. Agreement.Row(Rows * Channels, random).SelectMany(mean => Agreement.Row(Size * Size, random).Select(v => 3 * mean + v))];
        var (every, one) = (all.ExplainBatch(rows, Rows), chosen.ExplainBatch(rows, Rows));
        Assert.True(one.Select(m => m.Targets[0]).Distinct().Count() > 1, "all rows chose the same");
        for (var r = 0; r < Rows; r++)
        {
            var c = (int)one[r].Targets[0];
            Agreement.AssertClose(every[r].Weights.Row(c).Widened(), one[r].Weights.Row(0).Widened(), $"W of row {r}");
            Agreement.AssertClose([every[r].Bias[c]], [one[r].Bias[0]], $"b of row {r}");
            Agreement.AssertExact(one[r], 0, $"row {r}");
        }
    }

    /// <summary>A label that names no output poisons its own row alone.</summary>
    [Fact]
    public void So_is_the_target_of_a_label()
    {
        var model = Network("Relu", "Flatten", 1);
        using var all = new ExplanationSession(Compiler.Compile(model, new() { Targets = Targets.All }));
        using var labelled = new ExplanationSession(Compiler.Compile(model, new() { Targets = Targets.FromColumn("Label") }));
        long[] labels = [6, 0, 99, 3, 3, 1];
        var x = Agreement.Row(Rows * Channels * Size * Size, new Random(9));
        var every = all.Run(new Dictionary<string, Array> { ["x"] = x }, Rows);
        var one = labelled.Run(new Dictionary<string, Array> { ["x"] = x, [OutputNames.Label] = labels }, Rows);
        const int length = Channels * Size * Size;
        for (var r = 0; r < Rows; r++)
        {
            if (labels[r] >= Classes) Assert.True(Array.TrueForAll(one.Single(OutputNames.Weights, r).ToArray(), float.IsNaN));
            else Agreement.AssertClose(every.Single(OutputNames.Weights, r).Slice((int)labels[r] * length, length).ToArray().Widened(), one.Single(OutputNames.Weights, r).ToArray().Widened(), $"W of row {r}");
        }
    }

    /// <summary>None but the chosen one is computed.</summary>
    [Theory]
    [InlineData("Relu", 1, 1)]
    [InlineData("", 1, 1)]
    [InlineData("LeakyRelu", 1, 2)]
    [InlineData("Relu", 3, 2)]
    public void Only_the_chosen_channel_goes_back_through_a_kernel_of_one_place(string activation, int kernel, int convolutions)
    {
        var graph = Compiler.Compile(Network(activation, "Flatten", kernel), new() { Targets = Targets.Predicted });
        var back = ExplanationSession.Only(graph.Model, [OutputNames.Attribution, OutputNames.Bias]).Graph.Node.Where(n => n.Name.StartsWith(GraphNames.Prefix, StringComparison.Ordinal)).ToList();
        Assert.Equal(convolutions, back.Count(n => n.OpType == "Conv" && n.Int("group", 1) == 1));
        Assert.Equal(convolutions == 2, back.Any(n => n.OpType == "OneHot"));
    }

    private static ModelProto Network(string activation, string flatten, int kernel, int stride = 1, int pad = 0)
    {
        var net = new Net(17, 12);
        var hidden = net.Op("Relu", [net.Op("Conv", [net.Input("x", "N", Channels, Size, Size), net.Weights(Channels, Channels, 1, 1), net.Weights(Channels)])]);
        var y = net.Op("Conv", [hidden, net.Weights(Classes, Channels, kernel, kernel), net.Weights(Classes)], ("strides", L(stride, stride)), ("pads", L(pad, pad, pad, pad)));
        foreach (var op in activation.Split(',')[0].Split(' ', StringSplitOptions.RemoveEmptyEntries)) y = net.Op(op, [y]);
        y = net.Op("GlobalAveragePool", [y]);
        if (activation.Contains("behind", StringComparison.Ordinal)) y = net.Op("Relu", [y]);
        y = flatten switch
        {
            "Flatten" => net.Op("Flatten", [y]),
            "Squeeze" => net.Op("Squeeze", [y, net.Ints(2, 3)]),
            "Reshape" => net.Op("Reshape", [y, net.Ints(0, Classes)]),
            _ => y,
        };
        return net.Build(y);
    }
}
