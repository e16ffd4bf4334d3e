using MLNetLinearize.Onnx;
using static MLNetLinearize.Tests.Rules.Agreement;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Tests.Rules;

/// <summary>Regions that come with the image, as an input of their own: the image is explained, they are parameters of the row.</summary>
public class RegionInputTests
{
    private static readonly float[] Image = [.. Enumerable.Range(0, 40).Select(i => MathF.Sin(i * 7) * 2)];

    public static TheoryData<string, string, object> Cases => new()
    {
        { "MaxRoiPool", "", "R" },
        { "RoiAlign", "avg", "R" },
        { "RoiAlign", "max", "R" },
        { "MaxRoiPool", "", 3L },
        { "RoiAlign", "avg", 3L },
    };

    [Theory]
    [MemberData(nameof(Cases))]
    public void Regions_of_an_input_are_those_of_the_same_numbers_stored(string op, string mode, object count)
    {
        float[] regions = op == "MaxRoiPool" ? [0, 0, 0, 2, 2, 0, 1, 1, 4, 3, 0, 3, 2, 4, 3] : [0.3f, 0.2f, 4.1f, 3.4f, 1.2f, 0.7f, 2.9f, 2.8f, 2.1f, 1.6f, 6.5f, 4.7f];
        long width = regions.Length / 3;
        using var stored = new Linearizer(LinearizationGraph.Compile(CaseRun.Stream(Build(op, mode, net => (net.Floats(regions, 3, width), net.Ints(0, 0, 0)))), new() { Targets = Targets.All }));
        var expected = stored.Explain(Image);

        var given = Build(op, mode, net =>
        {
            net.Input("regions", count, width);
            return ("regions", op == "RoiAlign" ? net.Input("images", DataType.Int64, count) : "");
        });
        Dictionary<string, IReadOnlyList<int>> shapes = [];
        if (count is string) shapes["regions"] = [3, (int)width];
        if (count is string && op == "RoiAlign") shapes["images"] = [3];
        using var linearizer = new Linearizer(LinearizationGraph.Compile(CaseRun.Stream(given), new() { Targets = Targets.All, ExplainedInputs = ["image"], InputShapes = shapes }));
        var row = new Dictionary<string, Array> { ["image"] = Image, ["regions"] = regions };
        if (op == "RoiAlign") row["images"] = new long[3];
        var map = linearizer.Explain(row);
        AssertClose(expected.Scores.Widened(), map.Scores.Widened(), "score");
        AssertClose(expected.Weights.Enumerate().Widened(), map.Weights.Enumerate().Widened(), "W");
        AssertClose(expected.Bias.Widened(), map.Bias.Widened(), "b");
        Assert.All(map.Error, e => Assert.InRange(e, 0, 1e-5));
    }

    /// <summary>As many regions of as large images as detectors pool: the weights of one image, which are linear, give the scores of another.</summary>
    [Fact]
    public void Many_regions_of_a_large_image_are_explained()
    {
        var (net, random) = (new Net(17, 1), new Random(3));
        float[] Drawn(int count, float scale) => [.. Enumerable.Range(0, count).Select(_ => scale * random.NextSingle())];
        float[] regions = [.. Enumerable.Range(0, 200).SelectMany(_ => Drawn(2, 40) is var corner ? corner.Concat(corner.Zip(Drawn(2, 30), (from, size) => from + 5 + size)) : [])];
        var pooled = net.Op("RoiAlign", [net.Input("image", 1, 1, 60, 60), net.Floats(regions, 200, 4), net.Ints(new long[200])], ("output_height", 14L), ("output_width", 14L));
        var model = net.Build(pooled);
        using var linearizer = new Linearizer(LinearizationGraph.Compile(CaseRun.Stream(model), new() { Targets = Targets.Classes(0, 777, 20_000, 39_199) }));
        var map = linearizer.Explain(Drawn(3600, 2));
        var other = Drawn(3600, 3);
        using var original = new OriginalModel(model, pooled);
        var scores = original.Run("image", other, [1, 1, 60, 60]);
        AssertClose(map.Targets.Select(k => (double)scores[k]), Enumerable.Range(0, 4).Select(k => map.Weights.Row(k).Zip(other, (w, x) => (double)w * x).Sum()), "F of another image");
        Assert.All(map.Bias, b => Assert.Equal(0, b));
    }

    [Fact]
    public void Inputs_that_are_missing_or_of_another_type_or_length_are_told_by_name()
    {
        var net = new Net(17, 1);
        var model = net.Build(net.Op("Mul", [net.Input("a", "N", 2), net.Input("b", "N", 2)]));
        using var linearizer = new Linearizer(LinearizationGraph.Compile(CaseRun.Stream(model), new() { ExplainedInputs = ["a"] }));
        var map = linearizer.Explain(new Dictionary<string, Array> { ["a"] = new[] { 1f, 2f }, ["b"] = new[] { 3f, 4f } });
        Assert.Equal([0f, 4f], map.Weights.Row(0));
        Assert.Contains("'b' takes 2 values of Single ([2]); got none", Assert.Throws<ArgumentException>(() => linearizer.Explain(new Dictionary<string, Array> { ["a"] = new float[2] })).Message, StringComparison.Ordinal);
        Assert.Contains("got 2 of Double", Assert.Throws<ArgumentException>(() => linearizer.Explain(new Dictionary<string, Array> { ["a"] = new float[2], ["b"] = new double[2] })).Message, StringComparison.Ordinal);
        Assert.Contains("got 3 of Single", Assert.Throws<ArgumentException>(() => linearizer.Explain(new Dictionary<string, Array> { ["a"] = new float[2], ["b"] = new float[3] })).Message, StringComparison.Ordinal);
        Assert.Contains("[a, b]", Assert.Throws<InvalidOperationException>(() => linearizer.Explain(new float[2])).Message, StringComparison.Ordinal);
    }

    private static ModelProto Build(string op, string mode, Func<Net, (string Regions, string Images)> parameters)
    {
        var net = new Net(17, 1);
        var image = net.Input("image", 1, 2, 4, 5);
        var (regions, images) = parameters(net);
        var pooled = op == "MaxRoiPool"
            ? net.Op(op, [image, regions], ("pooled_shape", Net.L(2, 2)))
            : net.Op(op, [image, regions, images], ("mode", mode), ("output_height", 2L), ("output_width", 2L), ("sampling_ratio", 2L));
        return net.Build(pooled);
    }
}
