using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Rules;

/// <summary>Convolution and its transpose, each the other's rule, on the same stored kernel.</summary>
internal static class Convolution
{
    public static void Conv(Vjp v)
    {
        var windows = Windows.Of(v.Node, v.InShape(0), v.OutShape(), [.. v.InShape(1).Dims.Skip(2)]);
        var (g, group) = (v.Fold(v.G, v.OutShape()), v.Node.Int("group", 1));
        string back;
        if (group == 1 && windows.Blocked(v.InShape(1).Dims[1]) is { } blocked) back = Blocked(v, g, windows, blocked);
        else if (windows.Flipped() is { } pads) back = v.E.Op("Conv", [g, FlippedKernel(v, group)], ("dilations", windows.Dilations), ("pads", pads), ("group", group));
        else if (group == 1 && windows.SubPixel() is { } axes) back = SubPixel(v, g, axes);
        else back = v.E.Op("ConvTranspose", [g, v.In(1)], [.. windows.Transposed(), ("group", group)]);
        v.Give(0, v.Unfold(back, v.InShape(0)));
        Bias(v);
    }

    /// <summary>
    /// At stride 1 the transpose is a convolution with the kernel turned round in space and its channels exchanged, which
    /// ONNX Runtime runs several times faster than ConvTranspose. The turned kernel is written as nodes on the stored one,
    /// so that it is stored once; they are folded when a session opens.
    /// </summary>
    private static string FlippedKernel(Vjp v, long group)
    {
        var dims = v.InShape(1).Dims; // [M, C/group, space…]
        var space = Enumerable.Range(2, dims.Length - 2).Select(i => (long)i).ToArray();
        var kernel = v.In(1);
        if (dims.Skip(2).Any(d => d > 1))
            kernel = v.E.Op("Slice", [kernel, v.E.Ints([.. space.Select(_ => -1L)]), v.E.Ints([.. space.Select(_ => (long)int.MinValue)]), v.E.Ints(space), v.E.Ints([.. space.Select(_ => -1L)])]);
        if (group == 1) return v.E.Transpose(kernel, [1, 0, .. space]);
        var (m, c) = (dims[0] / group, dims[1]);
        var parts = v.E.Reshape(kernel, [group, m, c, .. dims.Skip(2)]);
        return v.E.Reshape(v.E.Transpose(parts, [0, 2, 1, .. space.Select(i => i + 1)]), [group * c, m, .. dims.Skip(2)]);
    }

    /// <summary>One convolution makes the input's elements of every residue as channels of their own, which are then put side by side.</summary>
    private static string SubPixel(Vjp v, string g, IReadOnlyList<Phases> axes)
    {
        var (h, w, s) = (axes[0], axes[1], axes[0].Stride);
        var (m, c) = (v.InShape(1).Dims[0], v.InShape(1).Dims[1]);
        var padded = v.E.Op("Pad", [v.In(1), v.E.Ints(0, 0, h.ZerosBefore, w.ZerosBefore, 0, 0, h.ZerosBehind, w.ZerosBehind)]);
        var taps = v.E.Reshape(padded, m, c, h.Taps, s, w.Taps, s);
        var turned = v.E.Op("Slice", [taps, v.E.Ints(-1, -1), v.E.Ints(int.MinValue, int.MinValue), v.E.Ints(2, 4), v.E.Ints(-1, -1)]);
        var kernel = v.E.Reshape(v.E.Transpose(turned, 3, 5, 1, 0, 2, 4), s * s * c, m, h.Taps, w.Taps);
        var residues = v.E.Op("Conv", [g, kernel], ("pads", (long[])[h.PadBegin, w.PadBegin, h.PadEnd, w.PadEnd]));
        return Joined(v, residues, s);
    }

    /// <summary>
    /// Into one or a few channels, as an image has. ONNX Runtime computes channels by the sixteen and throws away the rest,
    /// so the elements of a block are computed as channels: the turned kernel, shifted to each of the block's places, slides
    /// in steps of a block.
    /// </summary>
    private static string Blocked(Vjp v, string g, Windows windows, (long Size, long[] Pads) block)
    {
        var (kernel, places) = (FlippedKernel(v, 1), Enumerable.Range(0, (int)block.Size).Select(i => (long)i).ToList());
        var shifted = places.SelectMany(h => places.Select(w => v.E.Op("Pad", [kernel, v.E.Ints(0, 0, h, w, 0, 0, block.Size - 1 - h, block.Size - 1 - w)])));
        var elements = v.E.Op("Conv", [g, v.E.Concat([.. shifted], 0)], ("strides", (long[])[block.Size, block.Size]), ("pads", block.Pads));
        return Joined(v, elements, block.Size);
    }

    /// <summary>Channels that are the elements of blocks, put side by side and cut to the input's size.</summary>
    private static string Joined(Vjp v, string channels, long block)
    {
        var size = v.InShape(0).Dims;
        var joined = v.E.Op("DepthToSpace", [channels], ("blocksize", block));
        if (size[2] % block != 0) joined = v.E.Slice(joined, 0, size[2], 2);
        return size[3] % block == 0 ? joined : v.E.Slice(joined, 0, size[3], 3);
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
            // The specification splits the total padding so that an odd one more falls to the end for SAME_UPPER, to the beginning otherwise.
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
