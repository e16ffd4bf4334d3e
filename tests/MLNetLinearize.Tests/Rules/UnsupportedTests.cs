using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Tests.Rules;

/// <summary>What has no rule is refused before a row is read, all nodes in one error.</summary>
public class UnsupportedTests
{
    [Fact]
    public void Every_node_without_a_rule_is_named_with_reason_and_remedy()
    {
        var net = new Net(17, 1);
        var x = net.Input("x", "N", 4);
        var first = net.Op("Bernoulli", [x]);
        var second = net.Op("Bernoulli", [net.Op("Relu", [first])]);
        var error = Refused(net.Build(net.Op("RandomNormalLike", [second])));
        Assert.Equal(["Bernoulli1", "Bernoulli3", "RandomNormalLike4"], error.Nodes.Select(n => n.Name));
        Assert.Equal(["Bernoulli", "Bernoulli", "RandomNormalLike"], error.Nodes.Select(n => n.Operator));
        Assert.All(error.Nodes, n => Assert.Equal(17, n.Opset));
        Assert.All(error.Nodes, n => Assert.True(n.Reason.Length > 0 && n.Remedy.Length > 0));
        Assert.All(error.Nodes, n => Assert.Contains($"'{n.Name}'", error.Message, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("NonZero")]
    [InlineData("Unique")]
    [InlineData("Compress")]
    public void A_shape_that_depends_on_the_data_is_refused_by_operator(string op)
    {
        var net = new Net(17, 1);
        var x = net.Input("x", "N", 4);
        var chosen = net.Op("Cast", [net.Op(op, op == "Compress" ? [x, net.Op("Greater", [net.Op("Reshape", [x, net.Ints(-1)]), net.Scalar(0)])] : [net.Op("Relu", [x])])], ("to", 1L));
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

    [Fact]
    public void A_recurrent_cell_with_an_activation_that_no_specification_knows_is_refused()
    {
        var net = new Net(17, 1);
        string[] inputs = [net.Op("Unsqueeze", [net.Input("x", "N", 2), net.Ints(0)]), net.Weights(1, 3, 2), net.Weights(1, 3, 3)];
        var refused = Assert.Throws<InvalidModelException>(() => LinearizationGraph.Compile(CaseRun.Stream(net.Build(net.Op("RNN", inputs, ("hidden_size", 3L), ("activations", new[] { "Cubic" }))))));
        Assert.Contains("Cubic", refused.Message, StringComparison.OrdinalIgnoreCase);
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
    public void Frames_of_2048_samples_are_transformed_and_of_8192_refused()
    {
        Onnx.ModelProto Spectrum(long size)
        {
            var net = new Net(20, 1);
            return net.Build(net.Op("ReduceSum", [net.Op("DFT", [net.Input("x", "N", size, 1)], ("onesided", 1L)), net.Ints(1, 2)], ("keepdims", 0L)));
        }

        using var linearizer = new Linearizer(LinearizationGraph.Compile(CaseRun.Stream(Spectrum(2048))));
        // The sum of all bins of a unit impulse at sample n.
        var weights = linearizer.Explain(new float[2048]).Weights.Row(0);
        foreach (var n in new[] { 0, 1, 700, 2047 })
            Assert.Equal(Enumerable.Range(0, 1025).Sum(k => Math.Cos(2 * Math.PI * k * n / 2048) - Math.Sin(2 * Math.PI * k * n / 2048)), weights[n], 1e-3);
        Assert.Contains("too large", Assert.Single(Refused(Spectrum(8192)).Nodes).Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(5)]
    [InlineData(10)]
    public void A_half_spectrum_that_is_not_of_the_length_is_refused(long length)
    {
        var net = new Net(20, 1);
        var model = net.Build(net.Op("DFT", [net.Input("x", "N", 4, 2), net.Ints([length], []), net.Ints([1], [])], ("inverse", 1L), ("onesided", 1L)));
        Assert.Contains($"give it {length / 2 + 1},", Assert.Single(Refused(model).Nodes).Remedy, StringComparison.Ordinal);
    }

    [Fact]
    public void Training_mode_over_open_batches_is_refused()
    {
        var net = new Net(17, 1);
        var model = net.Build(net.Ops("BatchNormalization", 3, [net.Input("x", "N", 2, 3), net.Weights(2), net.Weights(2), net.Weights(2), net.Positive(2)], ("training_mode", 1L))[0]);
        Assert.Contains("training mode", Assert.Single(Refused(model).Nodes).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void Maxima_of_regions_over_as_many_points_as_pixels_are_refused()
    {
        var net = new Net(17, 1);
        var model = net.Build(net.Op("RoiAlign", [net.Input("x", 1, 2, 4, 4), net.Floats([0, 0, 2, 2], 1, 4), net.Ints(0)], ("mode", "max")));
        Assert.Contains("sampling_ratio", Assert.Single(Refused(model).Nodes).Remedy, StringComparison.Ordinal);
    }

    /// <summary>ONNX Runtime has no kernel for them; the reason told is its own.</summary>
    [Fact]
    public void Floats_of_4_bits_are_refused_with_ONNX_Runtimes_reason()
    {
        var net = new Net(23, 1);
        var x = net.Op("QuantizeLinear", [net.Input("x", "N", 4), net.Scalar(1)], ("output_dtype", (long)DataType.Float4E2M1));
        var refused = Assert.Throws<InvalidModelException>(() => LinearizationGraph.Compile(CaseRun.Stream(net.Build(net.Op("DequantizeLinear", [x, net.Scalar(1)])))));
        Assert.StartsWith("ONNX Runtime refuses the model: ", refused.Message, StringComparison.Ordinal);
        Assert.Contains("QuantizeLinear", refused.Message, StringComparison.Ordinal);
    }

    internal static UnsupportedOperatorException Refused(Onnx.ModelProto model) => Assert.Throws<UnsupportedOperatorException>(() => LinearizationGraph.Compile(CaseRun.Stream(model)));
}
