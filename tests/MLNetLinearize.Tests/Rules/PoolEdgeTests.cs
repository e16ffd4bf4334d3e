using MLNetLinearize.Linearization;
using MLNetLinearize.Runtime;
using static MLNetLinearize.Tests.Rules.Net;

namespace MLNetLinearize.Tests.Rules;

/// <summary>Pools that look as if a faster way back were theirs, and are not; and rows that have no largest element.</summary>
public class PoolEdgeTests
{
    /// <summary>What a pool is read by does not matter where it is itself explained: below 0, what is taken for an element beyond the image would win.</summary>
    [Theory]
    [InlineData("Relu")]
    [InlineData("Sigmoid")]
    public void A_padded_pool_that_is_explained_takes_no_winner_beyond_the_image(string behind)
    {
        const int size = 5, across = 3, channels = 16;
        var net = new Net(17, 3);
        var conv = net.Op("Conv", [net.Input("x", "N", 3, size, size), net.Weights(channels, 3, 1, 1), net.Floats([.. Enumerable.Repeat(-1f, channels)], channels)]);
        var pool = net.Op("MaxPool", [conv], ("kernel_shape", L(3, 3)), ("strides", L(2, 2)), ("pads", L(1, 1, 1, 1)));
        var model = net.Build(net.Op(behind, [pool]));
        var row = Agreement.Row(3 * size * size, new Random(3));
        foreach (var targets in Enumerable.Range(0, channels * across * across).Where(c => c % 7 == 0).Select(c => Targets.Classes(c)).Append(Targets.All))
        {
            using var linearizer = new Linearizer(Compiler.Compile(model, new() { Targets = targets, ExplainedOutput = pool }));
            var map = linearizer.Explain(row);
            for (var k = 0; k < map.Targets.Count; k++)
            {
                Agreement.AssertExact(map, k, $"{targets}, target {map.Targets[k]}");
                Assert.Contains(map.Weights.Row(k), w => w != 0);
            }
        }
    }

    /// <summary>Relu gives nothing on where all of a window is 0; where Relu's output is itself explained, one of its elements wins all the same.</summary>
    [Fact]
    public void A_padded_pool_of_an_explained_tensor_has_a_winner_in_every_window()
    {
        const int size = 5, across = 3, channels = 16;
        var net = new Net(17, 3);
        var relu = net.Op("Relu", [net.Op("Conv", [net.Input("x", "N", 3, size, size), net.Weights(channels, 3, 1, 1), net.Floats([.. Enumerable.Repeat(-1f, channels)], channels)])]);
        var pool = net.Op("MaxPool", [relu], ("kernel_shape", L(3, 3)), ("strides", L(2, 2)), ("pads", L(1, 1, 1, 1)));
        var model = net.Build(net.Op("Flatten", [pool]));
        var row = Agreement.Row(3 * size * size, new Random(3));
        for (var c = 0; c < channels * across * across; c++)
        {
            using var session = new ExplanationSession(Compiler.Compile(model, new() { Targets = Targets.Classes(c), ExplainedInputs = [relu] }));
            var weights = session.Run(new Dictionary<string, Array> { ["x"] = row }, 1).Single(OutputNames.Weights, 0).ToArray();
            Assert.Equal(1, weights.Sum());
            Assert.Equal(1, weights.Max());
        }
    }

    [Theory]
    [InlineData("AveragePool")]
    [InlineData("LpPool")]
    public void One_dilated_window_gives_to_its_own_elements_only(string op)
    {
        const int size = 3, channels = 16;
        var net = new Net(22, 3);
        var conv = net.Op("Conv", [net.Input("x", "N", 2, size, size), net.Weights(channels, 2, 1, 1)]);
        var model = net.Build(net.Op("Flatten", [net.Op(op, [conv], ("kernel_shape", L(size, size)), ("dilations", L(2, 2)), ("pads", L(0, 0, 2, 2)))]));
        for (var c = 0; c < channels; c++)
        {
            using var linearizer = new Linearizer(Compiler.Compile(model, new() { Targets = Targets.Classes(c) }));
            var map = linearizer.Explain(Agreement.Row(2 * size * size, new Random(3)));
            Agreement.AssertExact(map, 0, $"output {c}");
            Assert.Equal(0, map.Weights[0, 1]);
        }
    }

    /// <summary>In blocks and outside of them, by indices and without: no kernel may refuse an index that comes of NaN, and with it all rows of a run.</summary>
    [Theory]
    [InlineData(16, 2, 2)]
    [InlineData(5, 2, 2)]
    [InlineData(16, 3, 2)]
    [InlineData(5, 3, 2)]
    [InlineData(5, 3, 1)]
    public void A_row_of_nan_leaves_the_others_as_they_are(int channels, int kernel, int stride)
    {
        const int size = 6;
        var random = new Random(1);
        float[] Image() => [.. Enumerable.Range(0, 3 * size * size).Select(_ => random.NextSingle())];
        var net = new Net(17, 3);
        var conv = net.Op("Relu", [net.Op("Conv", [net.Input("x", "N", 3, size, size), net.Weights(channels, 3, 1, 1)])]);
        var pool = net.Op("MaxPool", [conv], ("kernel_shape", L(kernel, kernel)), ("strides", L(stride, stride)));
        var model = net.Build(net.Op("Flatten", [net.Op("AveragePool", [pool], ("kernel_shape", L(2, 2)))]));
        float[] good = Image(), other = Image(), bad = [.. Enumerable.Repeat(float.NaN, good.Length)];
        foreach (var targets in new[] { Targets.Predicted, Targets.All })
        {
            using var linearizer = new Linearizer(Compiler.Compile(model, new() { Targets = targets }));
            var maps = linearizer.ExplainBatch([.. good, .. bad, .. other], 3);
            foreach (var (map, row) in new[] { (maps[0], good), (maps[2], other) })
            {
                Assert.Equal(linearizer.Explain(row).Weights, map.Weights);
                Agreement.AssertExact(map, 0, "beside a row of NaN");
            }
            Assert.All(maps[1].Scores, s => Assert.Equal(float.NaN, s));
            Assert.All(maps[1].Apply(maps[1].Input), s => Assert.Equal(float.NaN, s));
        }
    }
}
