using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Rules;

/// <summary>Convolution and its transpose, each the other's rule, on the same stored kernel.</summary>
internal static class Convolution
{
    /// <summary>Channels of an image, of which a convolution computes so many at once that most would be thrown away.</summary>
    private const int FewChannels = 4;

    /// <summary>Taps of all channels that a matrix product makes faster than convolutions do.</summary>
    private const int FewTaps = 160;

    /// <summary>Largest block of an image whose elements are computed as channels.</summary>
    private const int LargestBlock = 4;

    public static void Conv(Vjp v)
    {
        var windows = Windows.Of(v.Node, v.InShape(0), v.OutShape(), [.. v.InShape(1).Dims.Skip(2)]);
        var group = v.Node.Int("group", 1);
        Remainder(v, OneChannel(v, windows, v.G));
        if (v.Active(1) && v.Shares().Second > 0) v.Give(1, KernelCotangent(v, windows, v.In(0), v.InShape(0), Share(v, 1), v.OutShape()));
        if (!v.Active(0) || v.Shares().First == 0) return;
        v.Give(0, v.Unfold(ImageCotangent(v, windows, group, v.Fold(Share(v, 0), v.OutShape())), v.InShape(0)));
    }

    private static string ImageCotangent(Vjp v, Windows windows, long group, string g)
    {
        if (group == 1 && FromParts(v, g, windows) is { } image) return image;
        if (OneChannel(v, windows, g) is { } one) return OfOneChannel(v, one);
        if (!MakesFewChannels(v, windows))
        {
            if (windows.Flipped() is { } pads) return FlippedConv(v, windows, group, g, pads);
            if (group == 1 && windows.SubPixel() is { } axes) return SubPixel(v, g, axes);
        }
        return v.E.Op("ConvTranspose", [g, v.In(1)], [.. windows.Transposed(), ("group", group)]);
    }

    /// <summary>The one channel of a cotangent, where a kernel of one place takes each place for itself: elsewhere all channels are read, and stay in blocks.</summary>
    private static Picked? OneChannel(Vjp v, Windows windows, string g) =>
        v.P == 0 && v.Node.Int("group", 1) == 1 && windows.IsOfPlaces ? v.E.PickedChannels.Of(g) : null;

    /// <summary>What one channel of each row gives back through a kernel of one place: its row of the kernel at every place, times what is there.</summary>
    private static string OfOneChannel(Vjp v, Picked one)
    {
        var (e, shape, kernel) = (v.E, v.InShape(0), v.InShape(1).Dims);
        var row = e.Op("Gather", [e.Reshape(v.In(1), kernel[0], kernel[1]), e.Squeeze(one.Channel, 1)], ("axis", 0));
        var met = e.Mul(e.Unsqueeze(row, 2, shape.Rank - 2), one.Over(e, shape.Rank));
        return one.IsSameAllOver ? v.ExpandTo(met, shape) : met;
    }

    private static string FlippedConv(Vjp v, Windows windows, long group, string g, long[] pads)
    {
        var kernel = v.In(1);
        if (group == 1 && v.P == 0 && v.E.SingleChannels.Of(g) is { } channel)
            (g, kernel) = (v.E.Op("Gather", [g, channel], ("axis", 1)), v.E.Op("Gather", [kernel, channel], ("axis", 0)));
        return v.E.Op("Conv", [g, Flipped(v, kernel, group)], ("dilations", windows.Dilations), ("pads", pads), ("group", group));
    }

    /// <summary>
    /// Whether the transpose makes one or a few channels, as an image has. ONNX Runtime computes a convolution's channels by the sixteen and would
    /// throw away the rest; ConvTranspose computes what each tap gives, as one matrix product, unless these are many.
    /// </summary>
    private static bool MakesFewChannels(Vjp v, Windows windows) =>
        windows.Rank == 2 && v.Node.Int("group", 1) == 1 && v.InShape(1).Dims[1] <= FewChannels && v.InShape(1).Dims.Skip(1).Aggregate(1L, (a, d) => a * d) <= FewTaps;

    /// <summary>
    /// At stride 1 the transpose is a convolution with the kernel turned round in space and its channels exchanged, which
    /// ONNX Runtime runs several times faster than ConvTranspose. The turned kernel is written as nodes on the stored one,
    /// so that it is stored once; they are folded when a session opens.
    /// </summary>
    private static string Flipped(Vjp v, string kernel, long group)
    {
        var dims = v.InShape(1).Dims; // [M, C/group, space…]
        var space = Enumerable.Range(2, dims.Length - 2).Select(i => (long)i).ToArray();
        if (dims.Skip(2).Any(d => d > 1))
            kernel = v.E.Op("Slice", [kernel, v.E.Ints([.. space.Select(_ => -1L)]), v.E.Ints([.. space.Select(_ => (long)int.MinValue)]), v.E.Ints(space), v.E.Ints([.. space.Select(_ => -1L)])]);
        if (group == 1) return v.E.Transpose(kernel, [1, 0, .. space]);
        var (m, c) = (dims[0] / group, dims[1]);
        var parts = v.E.Reshape(kernel, [group, m, c, .. dims.Skip(2)]);
        return v.E.Reshape(v.E.Transpose(parts, [0, 2, 1, .. space.Select(i => i + 1)]), [group * c, m, .. dims.Skip(2)]);
    }

    /// <summary>
    /// The input's elements of every residue, each by a convolution with the taps that reach them, which are then put side by
    /// side. One convolution makes all of a few channels, since they are computed by the sixteen.
    /// </summary>
    private static string SubPixel(Vjp v, string g, IReadOnlyList<Phases> axes)
    {
        var (h, w, s) = (axes[0], axes[1], axes[0].Stride);
        var size = v.InShape(0).Dims;
        if (v.InShape(1).Dims[1] >= BlockedLayout.Channels && h.Residues is { } rows && w.Residues is { } columns)
            return v.E.Interleaved.Join(v.E, new Interleaved.Image(ByResidue(v, g, s, rows, columns), s, size[1], size[2], size[3]));
        return v.E.Interleaved.Join(v.E, new Interleaved.Blocks(AllResidues(v, g, h, w), s, size[1], size[2], size[3]));
    }

    /// <summary>The same where the cotangent was itself put together from parts, which are then left apart: each gives to elements of the larger blocks.</summary>
    private static string? FromParts(Vjp v, string g, Windows windows)
    {
        if (v.E.Interleaved.PartsOf(g) is not { } image || windows.Rank != 2 || windows.Strides[0] != windows.Strides[1] || windows.Dilations.Any(d => d > 1)) return null;
        var (s, size) = (windows.Strides[0], v.InShape(0).Dims);
        var block = s * image.Stride;
        if (size[1] > FewChannels || block > LargestBlock) return null;
        Phases[][] axes = [.. Enumerable.Range(0, 2).Select(i => Enumerable.Range(0, (int)image.Stride)
            .Select(r => new Phases(block, windows.Kernel[i], windows.Begin[i] - s * r, windows.Input[i], i == 0 ? image.Rows : image.Columns)).ToArray())];
        if (axes.SelectMany(a => a).Any(a => a.PadBegin < 0 || a.PadEnd < 0)) return null;
        var given = image.Parts.Select((part, i) => part is null ? null : AllResidues(v, part, axes[0][i / image.Stride], axes[1][i % image.Stride])).OfType<string>();
        return v.E.Interleaved.Join(v.E, new Interleaved.Blocks(given.Aggregate(v.E.Add), block, size[1], size[2], size[3]));
    }

    /// <summary>The elements of every residue as channels, by one convolution with all taps.</summary>
    private static string AllResidues(Vjp v, string g, Phases h, Phases w)
    {
        var (m, c, s) = (v.InShape(1).Dims[0], v.InShape(1).Dims[1], h.Stride);
        var padded = v.E.Op("Pad", [v.In(1), v.E.Ints(0, 0, h.ZerosBefore, w.ZerosBefore, 0, 0, h.ZerosBehind, w.ZerosBehind)]);
        var taps = v.E.Reshape(padded, m, c, h.Taps, s, w.Taps, s);
        var turned = v.E.Op("Slice", [taps, v.E.Ints(-1, -1), v.E.Ints(int.MinValue, int.MinValue), v.E.Ints(2, 4), v.E.Ints(-1, -1)]);
        var kernel = v.E.Reshape(v.E.Transpose(turned, 3, 5, 1, 0, 2, 4), s * s * c, m, h.Taps, w.Taps);
        return v.E.Op("Conv", [g, kernel], ("pads", (long[])[h.PadBegin, w.PadBegin, h.PadEnd, w.PadEnd]));
    }

    private static List<string?> ByResidue(Vjp v, string g, long stride, IReadOnlyList<Residue> rows, IReadOnlyList<Residue> columns)
    {
        string? Part(Residue h, Residue w)
        {
            if (h.Taps == 0 || w.Taps == 0) return null;
            var taps = v.E.Op("Slice", [v.In(1), v.E.Ints(h.LastTap, w.LastTap), v.E.Ints(int.MinValue, int.MinValue), v.E.Ints(2, 3), v.E.Ints(-stride, -stride)]);
            return v.E.Op("Conv", [g, v.E.Transpose(taps, 1, 0, 2, 3)], ("pads", (long[])[h.PadBegin, w.PadBegin, h.PadEnd, w.PadEnd]));
        }
        return [.. from h in rows from w in columns select Part(h, w)];
    }

    /// <summary>Input and output change places: the windows of the Conv slide over this node's output.</summary>
    public static void ConvTranspose(Vjp v)
    {
        var windows = TransposedWindows(v);
        Remainder(v);
        if (v.Active(1) && v.Shares().Second > 0) v.Give(1, KernelCotangent(v, windows, Share(v, 1), v.OutShape(), v.In(0), v.InShape(0)));
        if (!v.Active(0) || v.Shares().First == 0) return;
        var pads = new long[2 * windows.Rank];
        for (var i = 0; i < windows.Rank; i++)
        {
            var needed = windows.Strides[i] * (windows.Output[i] - 1) + (windows.Kernel[i] - 1) * windows.Dilations[i] + 1;
            pads[i] = windows.Begin[i];
            pads[windows.Rank + i] = Math.Max(0, needed - windows.Begin[i] - windows.Input[i]);
        }
        var back = v.E.Op("Conv", [v.Fold(Share(v, 0), v.OutShape()), v.In(1)], ("strides", windows.Strides), ("dilations", windows.Dilations), ("pads", pads), ("group", v.Node.Int("group", 1)));
        v.Give(0, v.Unfold(back, v.InShape(0)));
    }

    /// <summary>
    /// The cotangent of a kernel: what the windows read (<paramref name="wide"/>) meets what is there for each window
    /// (<paramref name="narrow"/>), one of which is a cotangent. A convolution in which rows are channels, and strides and
    /// dilations change places.
    /// </summary>
    private static string KernelCotangent(Vjp v, Windows windows, string wide, TensorShape wideShape, string narrow, TensorShape narrowShape)
    {
        if (v.InShape(1).HasBatch || wideShape.HasBatch) throw new RuleException("its kernel is computed from the row, and differs from row to row", "export the model for a batch of one row");
        var (e, group, kernel, rank) = (v.E, v.Node.Int("group", 1), v.InShape(1).Dims, windows.Rank);
        var targets = v.Prefixed([]).Append(1).First();
        var (onWide, onNarrow) = wide == v.In(0) ? (1L, targets) : (targets, 1L);
        var (rows, wideChannels, narrowChannels) = (wideShape.Dims[0], kernel[1], kernel[0] / group);
        long[] Space(int from) => [.. Enumerable.Range(from, rank).Select(i => (long)i)];
        string Ordered(string t, TensorShape s, long k, long channels, long[] order, long[] merged) =>
            e.Reshape(e.Transpose(e.Reshape(t, [k, rows, group, channels, .. s.Dims.Skip(2)]), [.. order, .. Space(4)]), [.. merged, .. s.Dims.Skip(2)]);
        var image = Ordered(wide, wideShape, onWide, wideChannels, [0, 3, 2, 1], [onWide * wideChannels, group * rows]);
        var weights = Ordered(narrow, narrowShape, onNarrow, narrowChannels, [2, 0, 3, 1], [group * onNarrow * narrowChannels, rows]);
        var end = Enumerable.Range(0, rank).Select(i => Math.Max(0, windows.Dilations[i] * (windows.Kernel[i] - 1) + windows.Strides[i] * (windows.Output[i] - 1) + 1 - windows.Input[i] - windows.Begin[i]));
        var met = e.Op("Conv", [image, weights], ("strides", windows.Dilations), ("dilations", windows.Strides), ("pads", (long[])[.. windows.Begin, .. end]), ("group", group));
        // Beyond the kernel lies what no window reached.
        for (var i = 0; i < rank; i++) met = e.Slice(met, 0, windows.Kernel[i], i + 2);
        var parts = e.Reshape(met, [onWide, wideChannels, group, onNarrow, narrowChannels, .. windows.Kernel]);
        return e.Reshape(e.Transpose(parts, [0, 3, 2, 4, 1, .. Space(5)]), v.Prefixed(kernel));
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

    /// <summary>What comes from no factor: the bias, and where image and kernel are both explained, the tangent's remainder.</summary>
    private static void Remainder(Vjp v, Picked? one = null)
    {
        var both = v.Active(0) && v.Active(1);
        if (v.HasInput(2) && v.Active(2)) v.Give(2, v.ReshapeTo(v.Unbroadcast(v.G, v.OutShape(), PerChannel(v)), v.InShape(2)));
        else if (v.HasInput(2) && one is not null) v.Offset(v.E.Mul(v.E.Op("Gather", [v.In(2), one.Channel], ("axis", 0)), one.Sum(v.E, v.OutShape())));
        else Bias(v, 1);
        if (both ? v.Mode == Nonlinearity.Frozen : v.Active(0) || v.Active(1)) return;
        // −(y − bias) where the product's differential counts it twice, y − bias where nothing does.
        v.Offset(v.G, v.OutShape(), v.Out(), v.OutShape(), both ? -1 : 1);
        Bias(v, both ? 1 : -1);
    }

    private static void Bias(Vjp v, float factor)
    {
        if (v.HasInput(2)) v.Offset(v.G, v.OutShape(), v.E.Reshape(v.In(2), PerChannel(v).Dims), PerChannel(v), factor);
    }

    private static TensorShape PerChannel(Vjp v) => new([v.InShape(2).Dims[0], .. Enumerable.Repeat(1L, v.OutShape().Rank - 2)], -1);

    private static string Share(Vjp v, int i) => v.E.Scaled(v.G, i == 0 ? v.Shares().First : v.Shares().Second);
}
