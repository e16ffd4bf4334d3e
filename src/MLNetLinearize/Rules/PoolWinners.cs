using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Rules;

/// <summary>
/// Which element of each of its windows a two-dimensional MaxPool takes, for windows that tile the input. Asked for its
/// Indices, ONNX Runtime leaves its fast kernel and the blocked layout for a loop that branches at every element; finding the
/// winners from the largest values takes half of that time.
/// </summary>
internal static class PoolWinners
{
    /// <summary>Most elements of a window that are found in blocks, by as many comparisons.</summary>
    private const long MostInBlocks = 16;

    public static bool CanFind(Windows windows) =>
        windows.Tile && windows.Rank == 2 && (windows.Input[0] + windows.Kernel[0]) * windows.Input[1] < Emitter.ExactIntegers;

    /// <summary>The Indices output: global over rows, channels and space, Int64 of the output's shape; of equal elements the first.</summary>
    public static string Emit(Vjp v, Windows windows)
    {
        var e = v.E;
        var (height, width, rows, columns) = (windows.Input[0], windows.Input[1], windows.Kernel[0], windows.Kernel[1]);

        // Elements from one of a window to its last, along the image's rows.
        float Lead(long row, long column) => (rows - 1 - row) * width + columns - 1 - column;
        var lead = rows * columns <= MostInBlocks && BlockedLayout.Keeps(v.Network, v.In(0), v.InShape(0))
            ? LargestLeadInBlocks(v, windows.Kernel, [.. from r in Range(rows) from c in Range(columns) select Lead(r, c)])
            : LargestLead(v, windows.Kernel, e.Floats([.. from r in Range(height) from c in Range(width) select Lead(r % rows, c % columns)], 1, 1, height, width));

        float[] last = [.. from r in Range(windows.Output[0]) from c in Range(windows.Output[1]) select (r * rows + rows - 1) * width + c * columns + columns - 1];
        var inChannel = e.Cast(e.Sub(e.Floats(last, 1, 1, windows.Output[0], windows.Output[1]), lead), DataType.Int64);
        return e.Add(inChannel, Channels(e, inChannel, v.InShape(0).Dims[1], height * width));
    }

    /// <summary>The largest lead of a window's largest elements; 0 where NaN is all there is, so that the index stays inside.</summary>
    private static string LargestLead(Vjp v, long[] kernel, string leads)
    {
        var e = v.E;
        var largest = e.Mul(e.Indicator(e.Op("Equal", [v.In(0), Enlarge(e, v.Out(), kernel)])), leads);
        return e.Op("MaxPool", [largest], ("kernel_shape", kernel), ("strides", kernel));
    }

    /// <summary>
    /// The same by operators that keep the blocked layout, none of which knows an element's place but a convolution of whole windows:
    /// it reads the largest elements as the digits of a binary number, the first the highest. HardSigmoid makes 0 of NaN, and so
    /// does the conversion to integers where a processor's largest of NaN and 0 is NaN.
    /// </summary>
    private static string LargestLeadInBlocks(Vjp v, long[] kernel, float[] leads)
    {
        var (e, shape, count) = (v.E, v.OutShape(), leads.Length);
        var below = e.Add(v.In(0), Enlarge(e, BlockedLayout.EachChannel(e, v.Out(), shape, -1), kernel)); // 0 or less
        var digits = Range(count).Select(i => MathF.ScaleB(1, count - 1 - i)).ToArray();
        var number = BlockedLayout.EachChannel(e, BlockedLayout.IsZero(e, below, v.InShape(0)), shape, kernel, digits);
        // Each digit that the number reaches adds a step.
        var steps = Range(count - 1)
            .GroupBy(i => leads[i] - leads[i + 1], i => BlockedLayout.IsAtLeast(e, number, digits[i]))
            .Select(g => BlockedLayout.EachChannel(e, e.Sum([.. g]), shape, g.Key));
        return e.Sum([.. steps]);
    }

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
