namespace MLNetLinearize.Tests.Rules;

/// <summary>What has no rule is refused before a row is read, all nodes in one error.</summary>
public class UnsupportedTests
{
    [Fact]
    public void Every_node_without_a_rule_is_named_with_reason_and_remedy()
    {
        var net = new Net(17, 1);
        var x = net.Input("x", "N", 4);
        var first = net.Op("RoiAlign", [x, x]);
        var second = net.Op("RoiAlign", [net.Op("Relu", [first]), x]);
        var error = Refused(net.Build(net.Op("MaxRoiPool", [second, x])));
        Assert.Equal(["RoiAlign1", "RoiAlign3", "MaxRoiPool4"], error.Nodes.Select(n => n.Name));
        Assert.Equal(["RoiAlign", "RoiAlign", "MaxRoiPool"], error.Nodes.Select(n => n.Operator));
        Assert.All(error.Nodes, n => Assert.Equal(17, n.Opset));
        Assert.All(error.Nodes, n => Assert.True(n.Reason.Length > 0 && n.Remedy.Length > 0));
        Assert.All(error.Nodes, n => Assert.Contains($"'{n.Name}'", error.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("NonZero")]
    [InlineData("Unique")]
    public void A_shape_that_depends_on_the_data_is_refused_by_operator(string op)
    {
        var net = new Net(17, 1);
        var x = net.Input("x", "N", 4);
        var chosen = net.Op("Cast", [net.Op(op, [net.Op("Relu", [x])])], ("to", 1L));
        var model = net.Build(net.Op("Add", [x, net.Op("ReduceSum", [chosen], ("keepdims", 0L))]));
        Assert.Contains(op, Refused(model).Nodes.Select(n => n.Operator));
    }

    [Fact]
    public void A_sequence_longer_than_the_limit_is_refused_and_the_limit_can_be_raised()
    {
        var net = new Net(17, 1);
        var y = net.Op("RNN", [net.Op("Unsqueeze", [net.Op("Transpose", [net.Input("x", 1, 5)]), net.Ints(2)]), net.Weights(1, 2, 1), net.Weights(1, 2, 2)], ("hidden_size", 2L));
        var model = net.Build(y);
        var node = Assert.Single(Assert.Throws<UnsupportedOperatorException>(() => LinearizationGraph.Compile(CaseRun.Stream(model), new() { MaxUnrolledSteps = 4 })).Nodes);
        Assert.Equal("RNN", node.Operator);
        Assert.Contains("runs over 5 steps", node.Reason, StringComparison.Ordinal);
        Assert.Contains("at most 4 are unrolled (MaxUnrolledSteps)", node.Reason, StringComparison.Ordinal);
        Assert.Equal(10, LinearizationGraph.Compile(CaseRun.Stream(model), new() { MaxUnrolledSteps = 5 }).OutputCount);
    }

    [Fact]
    public void The_limit_of_unrolling_governs_products_along_an_axis()
    {
        var net = new Net(26, 1);
        var model = net.Build(net.Op("CumProd", [net.Input("x", "N", 5), net.Ints([1], [])]));
        var node = Assert.Single(Assert.Throws<UnsupportedOperatorException>(() => LinearizationGraph.Compile(CaseRun.Stream(model), new() { MaxUnrolledSteps = 4 })).Nodes);
        Assert.Equal("CumProd", node.Operator);
        Assert.Contains("at most 4 are unrolled (MaxUnrolledSteps)", node.Reason, StringComparison.Ordinal);
        Assert.Equal(5, LinearizationGraph.Compile(CaseRun.Stream(model), new() { MaxUnrolledSteps = 5 }).OutputCount);
    }

    [Theory]
    [InlineData("sequence_lens", 4)]
    [InlineData("peepholes", 7)]
    public void A_recurrent_cell_that_cannot_be_unrolled_says_why(string reason, int input)
    {
        var net = new Net(17, 1);
        string[] inputs = [net.Op("Unsqueeze", [net.Input("x", "N", 2), net.Ints(0)]), net.Weights(1, 12, 2), net.Weights(1, 12, 3), "", "", "", "", ""];
        inputs[input] = net.Weights(1, 9);
        var refused = Assert.Single(Refused(net.Build(net.Op("LSTM", inputs, ("hidden_size", 3L)))).Nodes);
        Assert.Equal("LSTM", refused.Operator);
        Assert.Contains(reason, refused.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void An_operator_of_another_domain_is_refused_with_its_domain()
    {
        var net = new Net(17, 1);
        var model = net.Build(net.Op("Secret", [net.Input("x", "N", 4)]));
        model.Graph.Node[0].Domain = "com.example";
        model.OpsetImport.Add(new Onnx.OperatorSetIdProto { Domain = "com.example", Version = 1 });
        Assert.Contains("com.example", Assert.Single(Refused(model).Nodes).Operator, StringComparison.Ordinal);
    }

    [Fact]
    public void An_average_over_dilated_windows_padded_low_is_refused()
    {
        var net = new Net(22, 1);
        var model = net.Build(net.Op("AveragePool", [net.Input("x", "N", 1, 6)], ("kernel_shape", Net.L(2)), ("dilations", Net.L(2)), ("auto_pad", "SAME_LOWER")));
        Assert.Contains("'pads'", Assert.Single(Refused(model).Nodes).Remedy, StringComparison.Ordinal);
    }

    private static UnsupportedOperatorException Refused(Onnx.ModelProto model) => Assert.Throws<UnsupportedOperatorException>(() => LinearizationGraph.Compile(CaseRun.Stream(model)));
}
