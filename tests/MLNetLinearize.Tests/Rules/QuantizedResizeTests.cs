using static MLNetLinearize.Tests.Rules.Agreement;

namespace MLNetLinearize.Tests.Rules;

/// <summary>Interpolating between integers gives integers again: what is cut off is an offset like that of rounding.</summary>
public class QuantizedResizeTests
{
    [Fact]
    public void An_image_of_integers_that_is_enlarged_is_explained_as_the_image_of_numbers()
    {
        float[] row = [.. Enumerable.Range(0, 9).Select(i => MathF.Sin(i * 3) * 0.9f)];
        var (quantized, score) = Explain((n, x) => n.Op("DequantizeLinear", [Enlarged(n, n.Op("QuantizeLinear", [x, n.Scalar(0.01f), n.Bytes(100)])), n.Scalar(0.01f), n.Bytes(100)]), row);
        var (plain, _) = Explain(Enlarged, row);
        AssertClose(score.Widened(), quantized.Scores.Widened(), "score");
        AssertClose(plain.Weights.Enumerate().Widened(), quantized.Weights.Enumerate().Widened(), "W");
        Assert.All(quantized.Error, e => Assert.InRange(e, 0, 1e-5));
    }

    private static string Enlarged(Net n, string x) => n.Op("Resize", [x, "", n.Floats([1, 1, 2, 2], 4)], ("mode", "linear"));

    private static (LinearMap Map, float[] Score) Explain(Func<Net, string, string> body, float[] row)
    {
        var net = new Net(19, 1);
        var model = net.Build(body(net, net.Input("x", "N", 1, 3, 3)));
        using var original = new OriginalModel(model, model.Graph.Output[0].Name);
        using var linearizer = new Linearizer(LinearizationGraph.Compile(CaseRun.Stream(model), new() { Targets = Targets.All }));
        return (linearizer.Explain(row), original.Run("x", row, [1, 1, 3, 3]));
    }
}
