using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Rules;

/// <summary>
/// Which element of each of its windows a two-dimensional MaxPool takes. Asked for its Indices, ONNX Runtime leaves its fast
/// kernel and the blocked layout for a loop that branches at every element; finding the winners from the largest values takes a
/// quarter to half of that time.
/// </summary>
internal static class PoolWinners
{
    /// <summary>Most elements of a window that are found in blocks, by as many comparisons.</summary>
    private const int MostInBlocks = 16;

    /// <summary>Most elements of a window that are given their cotangents one after the other.</summary>
    private const int MostSpread = 9;

    /// <summary>Whether <see cref="Emit"/> finds them.</summary>
    public static bool CanFind(Vjp v, Windows windows)
    {
        if (windows.Rank != 2 || (windows.Input[0] + 2 * windows.Kernel[0] * windows.Dilations[0]) * windows.Input[1] >= Emitter.ExactIntegers) return false;
        return windows.Tile || SuitsBlocks(v, windows) && (!ReachesBeyond(windows) || IsReadByRelu(v));
    }

    /// <summary>The Indices output: global over rows, channels and space, Int64 of the output's shape; of equal elements the first.</summary>
    public static string Emit(Vjp v, Windows windows)
    {
        var (e, width) = (v.E, windows.Input[1]);
        var (rows, columns) = ((windows.Kernel[0] - 1) * windows.Dilations[0], (windows.Kernel[1] - 1) * windows.Dilations[1]);

        // Elements from one of a window to its last, along the image's rows.
        float Lead(long row, long column) => (rows - row) * width + columns - column;
        var lead = SuitsBlocks(v, windows)
            ? LargestLeadInBlocks(v, windows, [.. from r in Range(windows.Kernel[0]) from c in Range(windows.Kernel[1]) select Lead(r * windows.Dilations[0], c * windows.Dilations[1])])
            : LargestLead(v, windows.Kernel, e.Floats([.. from r in Range(windows.Input[0]) from c in Range(width) select Lead(r % windows.Kernel[0], c % windows.Kernel[1])], 1, 1, windows.Input[0], width));

        float[] last = [.. from r in Range(windows.Output[0]) from c in Range(windows.Output[1])
                           select (float)((r * windows.Strides[0] - windows.Begin[0] + rows) * width + c * windows.Strides[1] - windows.Begin[1] + columns)];
        var place = e.Sub(e.Floats(last, 1, 1, windows.Output[0], windows.Output[1]), lead);
        // Where the largest value is NaN, so may the lead be, and no integer is that: ThresholdedRelu takes only what is above 0, and makes all else 0.
        place = e.Op("ThresholdedRelu", [place], ("alpha", 0f));
        if (ReachesBeyond(windows)) place = e.Op("Min", [place, e.Scalar(windows.Input[0] * width - 1)]);
        var inChannel = e.Cast(place, DataType.Int64);
        return e.Add(inChannel, Channels(e, inChannel, v.InShape(0).Dims[1], windows.Input[0] * width));
    }

    /// <summary>Whether <see cref="Spread"/> gives a cotangent back, and sooner than by indices.</summary>
    public static bool CanSpread(Vjp v, Windows windows) =>
        v.P == 0 && windows.Rank == 2 && SuitsBlocks(v, windows) && windows.Kernel[0] * windows.Kernel[1] <= MostSpread && windows.Strides[0] == windows.Strides[1]
        && (!ReachesBeyond(windows) || IsReadByRelu(v) || IsMadeByRelu(v, v.In(0)));

    /// <summary>
    /// The cotangent of the input without indices: the output's, where an element is the first of the largest, moved to that element's place.
    /// Elements whose places have the same residue of the stride are summed, and the residues put side by side.
    /// </summary>
    public static string Spread(Vjp v, Windows windows)
    {
        var (e, stride, shape) = (v.E, windows.Strides[0], BlockedLayout.Widened(v.OutShape()));
        var size = BlockedLayout.Widened(v.InShape(0)).Dims;
        var g = BlockedLayout.Enter(e, BlockedLayout.Whole(e, v.G, v.OutShape()), shape);
        var parts = new string?[stride * stride];
        foreach (var ((row, column), isFirst) in Elements(windows).Zip(First(v, windows)))
        {
            var (h, w) = (windows.Giving(0, row), windows.Giving(1, column));
            var given = BlockedLayout.TakeEach(e, e.Mul(g, isFirst), shape, 1, h.Taps, w.Taps);
            ref var part = ref parts[h.Residue * stride + w.Residue];
            part = part is null ? given : e.Add(part, given);
        }
        return Narrow(v, stride == 1 ? parts[0]! : e.Interleaved.Join(e, new Interleaved.Image(parts, stride, size[1], size[2], size[3]) { IsZeroBeyond = !ReachesBeyond(windows) || IsReadByRelu(v) }));
    }

    /// <summary>What was found in whole blocks, of the pool's own channels.</summary>
    private static string Narrow(Vjp v, string wide) => v.InShape(0).Dims[1] is var channels && channels % BlockedLayout.Channels == 0 ? wide : v.E.Slice(wide, 0, channels, 1);

    /// <summary>Widening channels to whole blocks pays where the only other way is by Indices.</summary>
    private static bool SuitsBlocks(Vjp v, Windows windows) =>
        windows.Kernel[0] * windows.Kernel[1] is > 1 and <= MostInBlocks
        && (windows.Tile ? NetworkBlocks.Keeps(v.Network, v.In(0), v.InShape(0)) : NetworkBlocks.CanEnter(v.Network, v.In(0), v.InShape(0)));

    private static bool ReachesBeyond(Windows windows) => Range(windows.Rank).Any(i =>
        windows.Begin[i] > 0 || windows.Strides[i] * (windows.Output[i] - 1) + (windows.Kernel[i] - 1) * windows.Dilations[i] - windows.Begin[i] >= windows.Input[i]);

    /// <summary>
    /// Whether Relu alone reads the largest values. Where a window reaches beyond the image, a convolution reads 0 there, which is
    /// taken for a winner only where the largest value is not positive: Relu's cotangent is 0 there, whatever wins.
    /// </summary>
    private static bool IsReadByRelu(Vjp v) =>
        v.Out() != v.Network.Output
        && v.Network.Graph.Nodes.Where(n => v.E.Maker(n.Output[0]) is null && Graph.Reads(n).Contains(v.Out())).All(n => n.IsStandard() && n.OpType == "Relu") && !v.Network.Graph.Outputs.Any(o => o.Name == v.Out());

    /// <summary>
    /// Whether the image is made by Relu alone, be it in parts or by pools of such. Where the largest of a window is 0, so that a 0
    /// read beyond the image may be taken for the winner and its cotangent be left there, Relu gives nothing on for any element of the window.
    /// Where what Relu made, or a pool of it, is itself explained, its own weights are asked for, and nothing goes on to Relu.
    /// </summary>
    private static bool IsMadeByRelu(Vjp v, string tensor) =>
        v.Network.Graph.Nodes.FirstOrDefault(n => n.Output[0] == tensor) is { } maker && maker.IsStandard() && maker.OpType switch
        {
            "Relu" => v.IsActive(maker.Input[0]),
            "MaxPool" => IsMadeByRelu(v, maker.Input[0]),
            "Concat" => maker.Input.All(i => IsMadeByRelu(v, i)),
            _ => false,
        };

    /// <summary>The largest lead of a tile's largest elements; 0 where NaN is all there is.</summary>
    private static string LargestLead(Vjp v, long[] kernel, string leads)
    {
        var e = v.E;
        var largest = e.Mul(e.Indicator(e.Op("Equal", [v.In(0), Enlarge(e, v.Out(), kernel)])), leads);
        return e.Op("MaxPool", [largest], ("kernel_shape", kernel), ("strides", kernel));
    }

    /// <summary>The same by operators that keep the blocked layout; the last element, which leads none, needs no comparison.</summary>
    private static string LargestLeadInBlocks(Vjp v, Windows windows, float[] leads) =>
        Narrow(v, First(v, windows).Zip(leads.SkipLast(1), (isFirst, lead) => BlockedLayout.EachChannel(v.E, isFirst, BlockedLayout.Widened(v.OutShape()), lead)).Aggregate(v.E.Add));

    /// <summary>
    /// For each element of the windows, row by row: 1 where it is the first of the largest, else 0. None of the operators that keep
    /// the blocked layout knows an element's place, but a convolution takes the same element of every window. One after the other is compared
    /// with the largest value, to which an amount beyond all numbers is added once it is found. Each comparison, and each sum, is one of
    /// ONNX Runtime's fused convolutions.
    /// </summary>
    private static IEnumerable<string> First(Vjp v, Windows windows)
    {
        var (e, shape, whole) = (v.E, BlockedLayout.Widened(v.OutShape()), BlockedLayout.Widened(v.InShape(0)));
        var image = BlockedLayout.Whole(e, v.In(0), v.InShape(0));
        var sought = BlockedLayout.Whole(e, v.Out(), v.OutShape(), BlockedLayout.Apart);
        foreach (var (row, column) in Elements(windows))
        {
            // What a window shares with its neighbours is taken out of the image once, for all elements at their distance, and then moved.
            var (h, w) = (windows.Taking(0, row), windows.Taking(1, column));
            var near = BlockedLayout.TakeEach(e, image, whole, -BlockedLayout.Apart, h.Shared, w.Shared);
            var isFirst = BlockedLayout.IsZero(e, e.Add(sought, BlockedLayout.TakeEach(e, near, whole, 1, h.Own, w.Own)));
            yield return isFirst;
            sought = e.Add(sought, BlockedLayout.EachChannel(e, isFirst, shape, float.MaxValue));
        }
    }

    private static IEnumerable<(long Row, long Column)> Elements(Windows windows) => from r in Range(windows.Kernel[0]) from c in Range(windows.Kernel[1]) select ((long)r, (long)c);

    private static IEnumerable<int> Range(long count) => Enumerable.Range(0, (int)count);

    /// <summary>Enlarges the spatial axes, each element to a block.</summary>
    public static string Enlarge(Emitter e, string tensor, long[] factors) =>
        e.Op("Resize", [tensor, "", e.Floats([1, 1, .. factors.Select(f => (float)f)], factors.Length + 2)], ("mode", "nearest"), ("coordinate_transformation_mode", "asymmetric"), ("nearest_mode", "floor"));

    /// <summary>Where the elements of each row and channel begin, Int64 [N, C, 1, 1].</summary>
    /// <param name="e">Writer.</param>
    /// <param name="rowwise">A tensor [N, …]; not the network's, which would have to leave the blocked layout to show its shape.</param>
    /// <param name="channels">C.</param>
    /// <param name="size">Elements of a channel.</param>
    private static string Channels(Emitter e, string rowwise, long channels, long size)
    {
        var count = e.Op("Squeeze", [e.Slice(e.Shape(rowwise), 0, 1, 0)]);
        var rows = e.Op("Range", [e.Number(0), count, e.Number(1)]);
        return e.Add(e.Reshape(e.Op("Mul", [rows, e.Ints(channels * size)]), -1, 1, 1, 1), e.Op("Reshape", [e.Ints([.. Enumerable.Range(0, (int)channels).Select(c => c * size)]), e.Ints(1, channels, 1, 1)]));
    }
}
