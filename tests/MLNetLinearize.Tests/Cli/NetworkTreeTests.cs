using System.Text.Json.Nodes;
using MLNetLinearize.Cli;
using MLNetLinearize.Cli.Output;
using MLNetLinearize.Onnx;
using MLNetLinearize.Tests.Rules;

namespace MLNetLinearize.Tests.Cli;

public class NetworkTreeTests
{
    [Fact]
    public void Blocks_and_what_repeats_are_told_once()
    {
        using var folder = new TemporaryFolder();
        var file = folder.File("repeated.onnx");
        OnnxFile.Write(Repeated(), file);
        var run = CliRun.Of("inspect", file);
        Assert.Equal((0, ""), (run.Code, run.Error));
        Golden.Equal("inspect-repeated.txt", run.Stable);
    }

    [Fact]
    public void The_parts_hold_every_node_and_all_of_the_cost()
    {
        // The dense network's layers are alike but for their cost, and so no repetition.
        foreach (var graph in new[] { LinearizationGraph.Compile(CaseRun.Stream(Repeated())), LinearizationGraph.Compile(Samples.Model("digits-mlp.onnx")), LinearizationGraph.Compile(Samples.Model("fashion-cnn.onnx")) })
        {
            Assert.Equal(graph.Report.Nodes.Where(n => n.Rule != "constant").Sum(n => n.MultiplyAdds), NetworkPart.Of(graph).Sum(p => p.MultiplyAdds));
            Assert.Equal(graph.Report.Nodes.Count(n => n.Rule != "constant"), NetworkPart.Of(graph).Sum(p => p.Times * p.Nodes.Count));
        }
        var parts = NetworkPart.Of(LinearizationGraph.Compile(CaseRun.Stream(Repeated())));
        Assert.Equal([1, 3, 1], parts.Select(p => p.Times));
        Assert.Equal("smooth", parts[2].Rule);
    }

    [Theory]
    [InlineData(1, "Sign")]
    [InlineData(2, "Sign", "Relu")]
    [InlineData(0, "Identity")]
    public void A_network_that_nothing_passes_through_is_told_too(int constants, params string[] operators)
    {
        using var folder = new TemporaryFolder();
        var net = new Net(17, 1);
        var file = folder.File("constant.onnx");
        OnnxFile.Write(net.Build(operators.Aggregate(net.Input("x", "N", 3), (x, op) => net.Op(op, [x]))), file);
        var run = CliRun.Of("inspect", file);
        Assert.Equal((0, ""), (run.Code, run.Error));
        if (constants > 0) Assert.Contains($"── {constants} node{(constants == 1 ? "" : "s")} of shapes, masks and constants, which no contribution passes through\n", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Pieces_end_where_the_library_finds_layers()
    {
        using var linearizer = new LayerLinearizer(Samples.Model("fashion-cnn.onnx"));
        var graph = LinearizationGraph.Compile(Samples.Model("fashion-cnn.onnx"));
        // Explanations by layer show a convolution and the BatchNormalization behind it apart, the tree the one node they become.
        string[] folded = ["/1/Conv_output_0", "/5/Conv_output_0", "/10/Conv_output_0"];
        Assert.Equal(linearizer.Layers.Skip(1).Select(l => l.Tensor).Except(folded), NetworkPart.Pieces(graph).Select(p => p.Nodes[^1].Outputs[0]));
    }

    [Fact]
    public void Tensors_that_may_be_named_are_listed()
    {
        var run = CliRun.Of("inspect", Samples.Model("digits-mlp.onnx"), "--tensors");
        Assert.Equal((0, ""), (run.Code, run.Error));
        Golden.Equal("inspect-tensors.txt", run.Stable);
    }

    [Fact]
    public void Programs_get_the_tensors_too()
    {
        var graph = LinearizationGraph.Compile(Samples.Model("digits-mlp.onnx"));
        var json = JsonNode.Parse(CliRun.Of("inspect", Samples.Model("digits-mlp.onnx"), "--tensors", "--json").Out)!;
        var tensors = json["tensors"]!.AsArray();
        Assert.Equal([graph.ExplainedInputs[0].Name, .. graph.Report.Nodes.Where(n => n.Rule != "constant").Select(n => n.Outputs[0])], tensors.Select(t => (string)t!["tensor"]!));
        Assert.Equal(64, (int)tensors[0]!["rowShape"]![0]!);
        Assert.True((bool)tensors[0]!["everyLayer"]!);
        Assert.Equal(json["nodes"]![0]!["name"]!.ToString(), tensors[1]!["madeBy"]!.ToString());
        Assert.Null(JsonNode.Parse(CliRun.Of("inspect", Samples.Model("digits-mlp.onnx"), "--json").Out)!["tensors"]);
    }

    [Fact]
    public void Nodes_refused_for_one_reason_are_told_together()
    {
        using var output = new StringWriter();
        var nodes = Enumerable.Range(0, 7).Select(i => new UnsupportedNode($"loop{i}", "Loop", 17, "it repeats", "unroll it")).Append(new("pick", "NonZero", 17, "its shape is open", "go round it"));
        RefusalTree.Write(Terminal.Create(output, plain: true), new UnsupportedOperatorException([.. nodes]));
        Assert.Equal("""

            in the way
            ├── Loop (opset 17): 'loop0', 'loop1', 'loop2', 'loop3', 'loop4' and 2 more
            │   ├── why: it repeats
            │   └── remedy: unroll it
            └── NonZero (opset 17): 'pick'
                ├── why: its shape is open
                └── remedy: go round it

            """.ReplaceLineEndings("\n"), output.ToString().ReplaceLineEndings("\n"));
    }

    /// <summary>A dense layer, three equal residual blocks named as exporters do, and a sigmoid.</summary>
    private static ModelProto Repeated()
    {
        var net = new Net(17, 5);
        var x = net.Op("Gemm", [net.Input("x", "N", 4), net.Weights(4, 6), net.Weights(6)]);
        for (var i = 0; i < 3; i++)
            x = net.Op("Add", [x, net.Op("Gemm", [net.Op("Relu", [net.Op("Gemm", [x, net.Weights(6, 6), net.Weights(6)])]), net.Weights(6, 6), net.Weights(6)])]);
        var model = net.Build(net.Op("Tanh", [x]), "N", 6);
        for (var i = 0; i < 12; i++) model.Graph.Node[1 + i].Name = $"/blocks/{i / 4}/{(i % 4) switch { 0 => "in", 1 => "act", 2 => "out", _ => "sum" }}";
        return model;
    }
}
