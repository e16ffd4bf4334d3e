using MLNetLinearize.Reporting;
using MLNetLinearize.Transforms;
using SkiaSharp;

namespace MLNetLinearize.Tests.Reporting;

public class MapTests
{
    [Fact]
    public void The_strongest_contributions_come_first()
    {
        var top = TopFeatures.Strongest([0.5f, -3, 0, 2, float.NaN, -2, 1], 4);
        Assert.Equal([new(1, -3), new(3, 2), new(5, -2), new(6, 1)], top);
        Assert.Empty(TopFeatures.Strongest([1f, 2], 0));
        Assert.Equal([new(1, 2), new(0, 1)], TopFeatures.Strongest([1f, 2, 0], 5));
    }

    [Fact]
    public void Short_positions_leave_out_axes_that_say_nothing()
    {
        Assert.Equal(["[0,0,0]", "[0,0,1]", "[0,0,2]", "[0,1,0]", "[0,1,1]", "[0,1,2]"], FeatureNames.Positions(Input([1, 2, 3])));
        Assert.Equal(["[0,0]", "[0,1]", "[0,2]", "[1,0]", "[1,1]", "[1,2]"], FeatureNames.ShortPositions(Input([1, 2, 3])));
        Assert.Equal(["[0,0,0]", "[0,0,1]", "[1,0,0]", "[1,0,1]"], FeatureNames.ShortPositions(Input([2, 1, 2])));
        Assert.Equal(["[0]", "[1]"], FeatureNames.Positions(Input([2])));
        Assert.Equal(["[0]"], FeatureNames.ShortPositions(Input([1, 1])));
    }

    [Fact]
    public void Positions_are_spelled_as_the_slot_names_of_the_columns()
    {
        var graph = LinearizationGraph.Compile(Cli.Samples.Model("digits-cnn.onnx"));
        var input = graph.ExplainedInputs.Single();
        Assert.Equal(SlotNames.For(graph, input, null)!.Values, FeatureNames.Positions(input));
    }

    private static GraphInput Input(int[] rowShape) => new("x", typeof(float), rowShape, true, true);

    [Fact]
    public void More_contributions_than_there_are_can_be_asked_for() => Assert.Equal([new(0, 1)], TopFeatures.Strongest([1f], int.MaxValue));

    [Theory]
    [InlineData(new[] { 28, 14 }, "28x14")]
    [InlineData(new[] { 1, 8, 8 }, "8x8")]
    [InlineData(new[] { 3, 8, 6 }, "3x8x6")]
    [InlineData(new[] { 8, 6, 3 }, "8x6x3")]
    [InlineData(new[] { 4, 8, 6 }, null)]
    [InlineData(new[] { 64 }, null)]
    [InlineData(new[] { 3, 1, 1 }, null)]
    public void Image_shapes(int[] row, string? shape) => Assert.Equal(shape, ImageShape.Of(row)?.ToString());

    [Fact]
    public void A_pixel_s_contribution_is_its_channels_sum()
    {
        Assert.Equal([1 + 10 + 100f, 2 + 20 + 200], new ImageShape(1, 2, 3).SumChannels([1, 2, 10, 20, 100, 200]));
        Assert.Equal([1 + 2 + 10f, 20 + 100 + 200], new ImageShape(1, 2, 3, ChannelsLast: true).SumChannels([1, 2, 10, 20, 100, 200]));
    }

    [Fact]
    public void The_scale_leaves_out_outliers_and_background()
    {
        // 990 pixels of background, then 1 to 400 by size with either sign: the 398th is the 99.5th percentile.
        var pixels = new float[990].Concat(Enumerable.Range(1, 400).Select(i => i % 2 == 0 ? i : -(float)i)).ToArray();
        Assert.Equal(398, HeatMap.Scale(pixels));
        Assert.Equal(1, HeatMap.Scale(new float[5]));
    }

    [Fact]
    public void A_map_s_pixels_have_the_colours_of_their_shares_of_the_scale()
    {
        using var map = HeatMap.Draw([0, 1, -2, 8], new ImageShape(2, 2), 4);
        Assert.Equal(SKColors.White, map.GetPixel(0, 0));
        Assert.Equal(DivergingColors.Of(0.25), map.GetPixel(1, 0));
        Assert.Equal(DivergingColors.Of(-0.5), map.GetPixel(0, 1));
        Assert.Equal(DivergingColors.Of(1), map.GetPixel(1, 1));
    }

    [Fact]
    public void A_photograph_uses_its_own_darkest_and_brightest_value()
    {
        using var photograph = HeatMap.Photograph([-1, 0, 1, 3], new ImageShape(2, 2));
        Assert.Equal([0, 64, 128, 255], new[] { photograph.GetPixel(0, 0), photograph.GetPixel(1, 0), photograph.GetPixel(0, 1), photograph.GetPixel(1, 1) }.Select(c => (int)c.Red));
        using var flat = HeatMap.Photograph([2, 2, 2, 2], new ImageShape(2, 2));
        Assert.Equal(SKColors.Black, flat.GetPixel(1, 1));
    }

    [Fact]
    public void Regions_keep_the_total_at_the_border_too()
    {
        var shape = new ImageShape(20, 32);
        var random = new Random(1);
        var pixels = Enumerable.Range(0, shape.Length).Select(_ => (float)(random.NextDouble() - 0.4)).ToArray();
        Assert.Equal(pixels.Sum(v => (double)v), Regions.Of(pixels, shape).Sum(v => (double)v), 1e-4);

        var corner = new float[shape.Length];
        corner[0] = 1;
        var spread = Regions.Of(corner, shape);
        Assert.Equal(1, spread.Sum(), 1e-5);
        Assert.Equal(spread.Max(), spread[0]);
        Assert.True(spread[1] > 0 && spread[0] > spread[1] && spread[1] == spread.Skip(1).Max());
    }

    [Fact]
    public void The_average_of_constant_values_is_constant() =>
        Assert.All(Regions.Average(Enumerable.Repeat(3f, 600).ToArray(), new ImageShape(20, 30), 4), v => Assert.Equal(3, v, 1e-5f));

    [Fact]
    public void A_contour_lies_halfway_between_dark_and_bright()
    {
        // One bright pixel in the middle of three by three: a diamond of half a pixel around its centre.
        using var path = Contours.Trace([0, 0, 0, 0, 1, 0, 0, 0, 0], 3, 3, 0.5f);
        Assert.Equal(new SKRect(1, 1, 2, 2), path.TightBounds);
        Assert.Equal(8, path.PointCount);
        using var nothing = Contours.Trace([1, 1, 1, 1], 2, 2, 0.5f);
        Assert.Equal(0, nothing.PointCount);
    }

    [Fact]
    public void The_outline_s_level_parts_two_groups_of_brightness()
    {
        Assert.InRange(Contours.Threshold([0, 0.1f, 0.1f, 0.2f, 0.8f, 0.9f, 1]), 0.2f, 0.8f);
        Assert.InRange(Contours.Threshold([-3, -3, -3, -3, -3, 5]), -3 + 1e-3f, 5);
        Assert.Equal(2, Contours.Threshold([2, 2, 2]));
    }

    [Fact]
    public void A_saddle_keeps_the_corners_that_its_middle_belongs_to()
    {
        // Bright corners, top left and bottom right: below the middle's value they belong together, and the lines cut off the dark ones.
        Assert.All(Lines(0.4f), l => Assert.True(l.From.Y < l.To.Y == l.From.X < l.To.X));
        Assert.All(Lines(0.6f), l => Assert.True(l.From.Y < l.To.Y == l.From.X > l.To.X));

        static IReadOnlyList<(SKPoint From, SKPoint To)> Lines(float level)
        {
            using var path = Contours.Trace([1, 0, 0, 1], 2, 2, level);
            var inner = path.Points.Chunk(2).Where(p => p.All(c => c.X is >= 0.5f and <= 1.5f && c.Y is >= 0.5f and <= 1.5f)).Select(p => (p[0], p[1])).ToList();
            Assert.Equal(2, inner.Count);
            return inner;
        }
    }
}
