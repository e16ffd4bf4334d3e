using MLNetLinearize.Linearization;
using MLNetLinearize.Onnx;
using static MLNetLinearize.Tests.Rules.Net;

namespace MLNetLinearize.Tests.Rules;

/// <summary>What the way back computes of the forward network as well is not computed by both.</summary>
public class RestatedTests
{
    [Theory]
    [InlineData(1, Nonlinearity.Tangent, false)]
    [InlineData(0.75f, Nonlinearity.Tangent, false)]
    [InlineData(0.75f, Nonlinearity.Tangent, true)]
    [InlineData(0.75f, Nonlinearity.Frozen, false)]
    [InlineData(0.6f, Nonlinearity.Frozen, true)]
    [InlineData(0.5f, Nonlinearity.Tangent, true)]
    [InlineData(0.75f, Nonlinearity.Tangent, true, 40)] // so many that a loop goes over them
    public void A_normalization_over_channels_is_made_once_and_gives_the_network_s_own_scores(float beta, Nonlinearity nonlinearity, bool all, int classes = 3)
    {
        var (model, output) = Network(beta, classes);
        var graph = Compiler.Compile(model, new() { Targets = all ? Targets.All : Targets.Predicted, Nonlinearity = nonlinearity });
        AssertOnce(graph.Model.Graph);
        using var linearizer = new Linearizer(graph);
        using var original = new OriginalModel(model, output);
        var random = new Random(4);
        for (var i = 0; i < 5; i++)
        {
            float[] row = [.. Agreement.Row(Elements, random).Select(v => 4 * v)];
            var map = linearizer.Explain(row);
            Agreement.AssertClose(original.Run(OriginalInput, row, [1, Channels, Size, Size]).Widened(), map.Scores.Widened(), "scores");
            for (var k = 0; k < map.Targets.Count; k++) Agreement.AssertExact(map, k, $"row {i}, target {k}");
        }
    }

    [Fact]
    public void So_it_is_where_layers_are_explained()
    {
        var (model, _) = Network(0.75f);
        using var layers = new LayerLinearizer(CaseRun.Stream(model));
        AssertOnce(LayerCompiler.Compile(model, new()).Graph.Model.Graph);
        foreach (var layer in layers.Explain(Agreement.Row(Elements, new Random(5))).Layers) Assert.InRange(layer.Error[0], 0, 1e-5f);
    }

    /// <summary>Nobody goes back through it: its own kernel is what scores.</summary>
    [Fact]
    public void A_normalization_of_no_explained_input_stays()
    {
        var net = new Net(17, 6);
        var (x, beside) = (net.Input("x", "N", Channels, Size, Size), net.Input("beside", "N", Channels, Size, Size));
        var model = net.Build(net.Op("Add", [x, net.Op("LRN", [beside], ("size", 3L))]));
        var graph = Compiler.Compile(model, new() { Targets = Targets.Classes(0), ExplainedInputs = ["x"] });
        Assert.Contains(graph.Model.Graph.Node, n => n.OpType == "LRN");
    }

    private const string OriginalInput = "x";
    private const int Channels = 16, Size = 5, Elements = Channels * Size * Size;

    /// <summary>Convolution, Relu, normalization over channels, overlapping pool, and what reads it.</summary>
    private static (ModelProto Model, string Output) Network(float beta, int classes = 3)
    {
        var net = new Net(17, 3);
        var relu = net.Op("Relu", [net.Op("Conv", [net.Input(OriginalInput, "N", Channels, Size, Size), net.Weights(Channels, Channels, 3, 3), net.Weights(Channels)], ("pads", L(1, 1, 1, 1)))]);
        var normalized = net.Op("LRN", [relu], ("size", 5L), ("alpha", 0.7f), ("beta", beta), ("bias", 2f));
        var pool = net.Op("MaxPool", [normalized], ("kernel_shape", L(3, 3)), ("strides", L(2, 2)));
        var output = net.Op("Flatten", [net.Op("Conv", [pool, net.Weights(classes, Channels, 2, 2)])]);
        return (net.Build(output), output);
    }

    /// <summary>That no node normalizes, and that all read what was made before.</summary>
    private static void AssertOnce(GraphProto graph)
    {
        Assert.DoesNotContain(graph.Node, n => n.OpType == "LRN");
        var made = graph.Initializer.Select(t => t.Name).Concat(graph.Input.Select(i => i.Name)).ToHashSet();
        foreach (var node in graph.Node)
        {
            Assert.All(Graph.Reads(node), read => Assert.Contains(read, made));
            made.UnionWith(node.Output);
        }
    }
}
