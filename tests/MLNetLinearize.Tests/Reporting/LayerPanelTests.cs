using MLNetLinearize.Reporting;

namespace MLNetLinearize.Tests.Reporting;

public class LayerPanelTests
{
    [Theory]
    [InlineData("digits-mlp.onnx", 64, "input 64, Relu 32, Relu 32, score 10")]
    [InlineData("digits-cnn.onnx", 64, "input 1 × 8 × 8, Relu 16 × 8 × 8, Relu 32 × 8 × 8, Relu 32 × 4 × 4, Relu 32, score 10")]
    [InlineData("fashion-cnn.onnx", 784, "input 1 × 28 × 28, Relu 16 × 28 × 28, Relu 40 × 14 × 14, Add 40 × 14 × 14, Relu 64 × 7 × 7, Relu 64 × 7 × 7, score 10")]
    public void A_stage_is_shown_once(string model, int inputs, string stages)
    {
        using var linearizer = new LayerLinearizer(Cli.Samples.Model(model));
        var row = linearizer.Explain([.. Enumerable.Range(0, inputs).Select(i => (i % 7) / 7f)]);
        var panels = LayerPanel.Stages(row, 0);
        Assert.Equal(stages, string.Join(", ", panels.Select(p => $"{p.Title} {p}")));
        // What is left out of the picture never changes the score.
        Assert.All(panels, p => Assert.Equal(row.ExplainedScores[0], p.Sum + p.Bias, 1e-4));
    }

    [Fact]
    public void A_map_sums_over_channels_and_a_vector_has_none()
    {
        var panel = new LayerPanel("x", [2, 2, 3], [1, 2, 3, 4, 5, 6, 10, 20, 30, 40, 50, -6], 165, 0);
        Assert.Equal((2, 3), panel.MapSize);
        Assert.Equal([11, 22, 33, 44, 55, 0], panel.Map());
        Assert.Null((panel with { Shape = [12] }).MapSize);
        Assert.Null((panel with { Shape = [12, 1, 1] }).MapSize);
    }
}
