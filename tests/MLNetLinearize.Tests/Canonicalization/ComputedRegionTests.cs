using MLNetLinearize.Onnx;
using MLNetLinearize.Tests.Rules;
using static MLNetLinearize.Tests.Canonicalization.ControlFlowTests;

namespace MLNetLinearize.Tests.Canonicalization;

/// <summary>Resize of a region that the row computes: its map is that of sampling at a grid which is written out by hand, and its score ONNX Runtime's own.</summary>
public class ComputedRegionTests
{
    [Theory]
    [InlineData("linear", 17, 1f, 0f)]
    [InlineData("linear", 18, 1f, 0f)]
    [InlineData("linear", 17, 2.5f, 0f)]
    [InlineData("linear", 18, 2.5f, 0.7f)]
    [InlineData("nearest", 18, 1f, 0f)]
    [InlineData("nearest", 18, 2.5f, 0.7f)]
    public void A_region_that_the_row_computes_is_sampled_at_its_grid(string mode, long opset, float far, float outside)
    {
        var net = new Net(opset, 12);
        var (image, region) = Drawn(net, net.Input("x", 1, 4), far);
        var hasAxes = opset >= 18;
        if (!hasAxes) region = net.Op("Concat", [net.Floats([0, 0], 2), net.Op("Slice", [region, net.Ints(0), net.Ints(2)]), net.Floats([1, 1], 2), net.Op("Slice", [region, net.Ints(2), net.Ints(4)])], ("axis", 0L));
        List<(string, object)> attributes = [("mode", mode), ("coordinate_transformation_mode", "tf_crop_and_resize"), ("extrapolation_value", outside)];
        if (hasAxes) attributes.Add(("axes", Net.L(2, 3)));
        var resized = net.Op("Resize", [image, region, "", hasAxes ? net.Ints(3, 4) : net.Ints(1, 2, 3, 4)], [.. attributes]);
        AssertSame((n, x) => n.Op("Flatten", [ByHand(n, x, mode, far, outside)]), net.Build(net.Op("Flatten", [resized])), seed: 12, inBatches: false);
    }

    [Fact]
    public void A_cubic_resize_of_a_region_that_the_row_computes_is_refused_in_words()
    {
        var net = new Net(18, 12);
        var (image, region) = Drawn(net, net.Input("x", 1, 4), 1);
        var model = net.Build(net.Op("Resize", [image, region, "", net.Ints(3, 4)], ("mode", "cubic"), ("coordinate_transformation_mode", "tf_crop_and_resize"), ("axes", Net.L(2, 3))));
        var node = Assert.Single(UnsupportedTests.Refused(model).Nodes);
        Assert.Contains("for the modes nearest and linear alone", node.Reason, StringComparison.Ordinal);
    }

    /// <summary>Elsewhere a region is not looked at.</summary>
    [Fact]
    public void A_region_that_other_coordinates_ignore_may_be_computed()
    {
        var net = new Net(18, 12);
        var (image, region) = Drawn(net, net.Input("x", 1, 4), 1);
        var model = net.Build(net.Op("Flatten", [net.Op("Resize", [image, region, "", net.Ints(3, 4)], ("mode", "linear"), ("axes", Net.L(2, 3)))]));
        AssertSame((n, x) => n.Op("Flatten", [n.Op("Resize", [Drawn(n, x, 1).Image, "", "", n.Ints(1, 2, 3, 4)], ("mode", "linear"))]), model, seed: 12, inBatches: false);
    }

    /// <summary>An image [1, 2, 4, 5] and a region [top, left, bottom, right] that depend on the row; a <paramref name="far"/> above 1 reaches outside.</summary>
    private static (string Image, string Region) Drawn(Net n, string x, float far)
    {
        var image = n.Op("Reshape", [n.Op("MatMul", [x, n.Weights(4, 40)]), n.Ints(1, 2, 4, 5)]);
        var parts = n.Op("Reshape", [n.Op("Sigmoid", [n.Op("MatMul", [x, n.Weights(4, 4)])]), n.Ints(4)]);
        return (image, n.Op("Mul", [parts, n.Floats([0.4f, 0.3f, far, far], 4)]));
    }

    /// <summary>With corners aligned, a grid counts from the first pixel to the last, as the region does. Nearest: the pixels at the places that are rounded by hand.</summary>
    private static string ByHand(Net n, string x, string mode, float far, float outside)
    {
        var (image, region) = Drawn(n, x, far);
        string Coordinates(long axis, int size, long from)
        {
            string Of(long i) => n.Op("Slice", [region, n.Ints(i), n.Ints(i + 1)]);
            var t = n.Floats([.. Enumerable.Range(0, size).Select(i => i / (size - 1f))], size);
            var unit = n.Op("Add", [Of(axis), n.Op("Mul", [t, n.Op("Sub", [Of(axis + 2), Of(axis)])])]);
            return n.Op("Mul", [unit, n.Scalar(from - 1)]);
        }

        var (rows, columns) = (Coordinates(0, 3, 4), Coordinates(1, 4, 5));
        string Inside(string places, long from) => n.Op("Cast", [n.Op("And", [n.Op("GreaterOrEqual", [places, n.Scalar(0)]), n.Op("LessOrEqual", [places, n.Scalar(from - 1)])])], ("to", 1L));
        var inside = n.Op("Mul", [n.Op("Unsqueeze", [Inside(rows, 4), n.Ints(1)]), Inside(columns, 5)]);
        string Unit(string places, long from, bool isRow)
        {
            var whole = mode == "linear" ? places : n.Op("Ceil", [n.Op("Sub", [places, n.Scalar(0.5f)])]);
            var unit = n.Op("Sub", [n.Op("Mul", [whole, n.Scalar(2f / (from - 1))]), n.Scalar(1)]);
            return n.Op("Expand", [n.Op("Reshape", [unit, isRow ? n.Ints(1, 3, 1, 1) : n.Ints(1, 1, 4, 1)]), n.Ints(1, 3, 4, 1)]);
        }

        var grid = n.Op("Concat", [Unit(columns, 5, false), Unit(rows, 4, true)], ("axis", 3L));
        var sampled = n.Op("GridSample", [image, grid], ("align_corners", 1L), ("padding_mode", "border"));
        return n.Op("Add", [n.Op("Mul", [sampled, inside]), n.Op("Mul", [n.Op("Sub", [n.Scalar(1), inside]), n.Scalar(outside)])]);
    }
}
