using MLNetLinearize.Tests.Rules;

namespace MLNetLinearize.Tests.Canonicalization;

/// <summary>Spellings of before operator set 7, which ONNX Runtime no longer runs.</summary>
public class OpsetRaiseTests
{
    /// <summary>Channel c of [N, 2, 3] gets c's constant, which today's broadcasting would align with the last axis.</summary>
    [Fact]
    public void An_operand_aligned_at_an_axis_stays_there()
    {
        var net = new Net(6, 1);
        var model = net.Build(net.Op("Add", [net.Input("x", "N", 2, 3), net.Floats([10, 20], 2)], ("axis", 1L), ("broadcast", 1L)));
        using var linearizer = new Linearizer(LinearizationGraph.Compile(CaseRun.Stream(model), new() { Targets = Targets.All }));
        var maps = linearizer.ExplainBatch([1, 2, 3, 4, 5, 6, 0, 0, 0, 0, 0, 0], 2);
        Assert.Equal([11, 12, 13, 24, 25, 26], maps[0].Scores);
        Assert.Equal([10, 10, 10, 20, 20, 20], maps[1].Bias);
    }

    [Theory]
    [InlineData(new[] { 0.5f, 0.25f }, new[] { -0.5f, -0.5f, -0.5f, -0.25f, -0.25f, -0.25f })]
    [InlineData(new[] { 0.5f }, new[] { -0.5f, -0.5f, -0.5f, -0.5f, -0.5f, -0.5f })]
    public void Slopes_of_PRelu_run_along_the_channels(float[] slopes, float[] expected)
    {
        var net = new Net(6, 1);
        var model = net.Build(net.Op("PRelu", [net.Input("x", "N", 2, 3), net.Floats(slopes, slopes.Length)]));
        using var linearizer = new Linearizer(LinearizationGraph.Compile(CaseRun.Stream(model), new() { Targets = Targets.All }));
        Assert.Equal(expected, linearizer.Explain([-1, -1, -1, -1, -1, -1]).Scores);
    }

    [Fact]
    public void Stored_numbers_beyond_float32_are_refused_by_name()
    {
        var net = new Net(17, 1);
        var x = net.Input("x", "N", 1);
        var model = net.Build(net.Op("Add", [x, "huge"]));
        model.Graph.Initializer.Add(MLNetLinearize.Onnx.Tensors.Of("huge", [1e200], 1));
        var error = Assert.Throws<InvalidModelException>(() => LinearizationGraph.Compile(CaseRun.Stream(model)));
        Assert.Contains("'huge' holds 1E+200, beyond float32", error.Message, StringComparison.Ordinal);
    }
}
