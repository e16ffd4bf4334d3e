namespace MLNetLinearize.Tests.Rules;

/// <summary>Images too large for a matrix of all pixels by all samples, and so for the dense oracle.</summary>
public class LargeSamplingTests
{
    private const int Side = 50;

    /// <summary>Sampling is linear in the image: W is what the model itself makes of each unit image.</summary>
    [Theory]
    [InlineData("linear", "zeros")]
    [InlineData("cubic", "reflection")]
    [InlineData("nearest", "zeros")]
    [InlineData("nearest", "border")]
    public void Weights_are_the_samples_of_unit_images(string mode, string padding)
    {
        var net = new Net(20, 3);
        var random = new Random(4);
        var grid = net.Floats([.. Enumerable.Range(0, Side * Side * 2).Select(_ => 2.4f * random.NextSingle() - 1.2f)], 1, Side, Side, 2);
        var sampled = net.Op("GridSample", [net.Input("x", 1, 1, Side, Side), grid], ("mode", mode), ("padding_mode", padding));
        var model = net.Build(net.Op("ReduceSum", [net.Op("Mul", [sampled, net.Weights(1, 1, Side, Side)]), net.Ints(1, 2, 3)], ("keepdims", 0L)));
        using var linearizer = new Linearizer(LinearizationGraph.Compile(CaseRun.Stream(model)));
        using var original = new OriginalModel(model, model.Graph.Output[0].Name);
        var map = linearizer.Explain([.. Enumerable.Range(0, Side * Side).Select(_ => random.NextSingle())]);
        var largest = map.Weights.Enumerate().Max(Math.Abs);
        foreach (var pixel in Enumerable.Range(0, 60).Select(_ => random.Next(Side * Side)).Concat([0, Side * Side - 1]))
        {
            var unit = new float[Side * Side];
            unit[pixel] = 1;
            Assert.Equal(original.Run("x", unit, [1, 1, Side, Side])[0], map.Weights[0, pixel], 1e-5 * largest);
        }
        Assert.Equal(0, map.Bias[0]);
        Agreement.AssertExact(map, 0, mode);
    }
}
