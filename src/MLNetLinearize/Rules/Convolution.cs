using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Rules;

/// <summary>Convolution and its transpose, each the other's rule, on the same stored kernel.</summary>
internal static class Convolution
{
    public static void Conv(Vjp v)
    {
        var windows = Windows.Of(v.Node, v.InShape(0), v.OutShape(), [.. v.InShape(1).Dims.Skip(2)]);
        var back = v.E.Op("ConvTranspose", [v.Fold(v.G, v.OutShape()), v.In(1)], [.. windows.Transposed(), ("group", v.Node.Int("group", 1))]);
        v.Give(0, v.Unfold(back, v.InShape(0)));
        Bias(v);
    }

    /// <summary>Input and output change places: the windows of the Conv slide over this node's output.</summary>
    public static void ConvTranspose(Vjp v)
    {
        var windows = TransposedWindows(v);
        var pads = new long[2 * windows.Rank];
        for (var i = 0; i < windows.Rank; i++)
        {
            var needed = windows.Strides[i] * (windows.Output[i] - 1) + (windows.Kernel[i] - 1) * windows.Dilations[i] + 1;
            pads[i] = windows.Begin[i];
            pads[windows.Rank + i] = Math.Max(0, needed - windows.Begin[i] - windows.Input[i]);
        }
        var back = v.E.Op("Conv", [v.Fold(v.G, v.OutShape()), v.In(1)], ("strides", windows.Strides), ("dilations", windows.Dilations), ("pads", pads), ("group", v.Node.Int("group", 1)));
        v.Give(0, v.Unfold(back, v.InShape(0)));
        Bias(v);
    }

    private static Windows TransposedWindows(Vjp v)
    {
        var kernel = v.InShape(1).Dims.Skip(2).ToArray();
        var node = v.Node.Clone();
        var auto = node.Text("auto_pad", "NOTSET");
        if (node.Has("output_shape") || auto is "SAME_UPPER" or "SAME_LOWER")
        {
            // The specification splits the total padding so that the larger half comes first for SAME_UPPER, last otherwise.
            var windows = Windows.Of(node.Clone().Remove("auto_pad", "pads"), v.OutShape(), v.InShape(0), kernel);
            var extra = node.Ints("output_padding") ?? new long[kernel.Length];
            var pads = new long[2 * kernel.Length];
            for (var i = 0; i < kernel.Length; i++)
            {
                var total = Math.Max(0, windows.Strides[i] * (windows.Output[i] - 1) + extra[i] + (kernel[i] - 1) * windows.Dilations[i] + 1 - windows.Input[i]);
                pads[i] = auto == "SAME_UPPER" ? total / 2 : total - total / 2;
                pads[kernel.Length + i] = total - pads[i];
            }
            node.Remove("auto_pad").Set("pads", pads);
        }
        else if (auto == "VALID")
        {
            node.Remove("auto_pad", "pads");
        }
        return Windows.Of(node, v.OutShape(), v.InShape(0), kernel);
    }

    private static void Bias(Vjp v)
    {
        if (!v.HasInput(2)) return;
        var channels = v.InShape(2).Dims[0];
        var spatial = v.OutShape().Rank - 2;
        var shape = new TensorShape([channels, .. Enumerable.Repeat(1L, spatial)], -1);
        v.Offset(v.G, v.OutShape(), v.E.Reshape(v.In(2), shape.Dims), shape);
    }
}
