using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Rules;

/// <summary>
/// ONNX Runtime's CPU kernels keep channels in blocks between convolutions, and between them through sums and products of two
/// tensors of that layout; every other operator makes it put channels one behind the other again. What a cotangent meets between
/// two convolutions is therefore written as convolutions of every channel by itself.
/// </summary>
internal static class BlockedLayout
{
    /// <summary>The widest block; ONNX Runtime leaves such convolutions of other numbers of channels to a slow loop.</summary>
    public const long Channels = 16;

    /// <summary>Terms that are summed one after the other.</summary>
    private const int FewTerms = 256;

    /// <summary>Whether the node's output comes in blocks, and its cotangent can.</summary>
    public static bool Holds(Vjp v) => v.P == 0 && NetworkBlocks.Keeps(v.Network, v.In(0), v.OutShape());

    /// <summary>
    /// 1 where a tensor of no negative numbers is positive, else 0. The largest float twice makes 1 or more of any positive
    /// one, the smallest included, which the bound of HardSigmoid cuts to 1; ONNX Runtime makes one operator of both.
    /// </summary>
    public static string IsPositive(Emitter e, string tensor, TensorShape shape) =>
        e.Op("HardSigmoid", [EachChannel(e, tensor, shape, float.MaxValue)], ("alpha", float.MaxValue), ("beta", 0f));

    /// <summary>
    /// A factor for numbers that are compared by their difference. The difference of two floats is a float, be it as small as the smallest, which this
    /// factor and the largest float make 1 or more of. Products with it are exact; they stay finite for numbers below 8e31.
    /// </summary>
    public const float Apart = 1 << 22;

    /// <summary>1 where a difference of numbers that were taken <see cref="Apart"/>, none of them negative, is 0, else 0.</summary>
    public static string IsZero(Emitter e, string tensor) => e.Op("HardSigmoid", [tensor], ("alpha", -float.MaxValue), ("beta", 1f));

    /// <summary>Whether a tensor was written here, without a cotangent: a mask, or a step on the way to one.</summary>
    public static bool IsOfMask(Emitter e, string tensor) => e.Maker(tensor) switch
    {
        { OpType: "Conv" } maker => maker.Int("group", 1) > 1,
        { OpType: "HardSigmoid" } => true,
        { OpType: "Add" } maker => maker.Input.All(i => IsOfMask(e, i)),
        _ => false,
    };

    /// <summary>A tensor in blocks.</summary>
    public static string Enter(Emitter e, string tensor, TensorShape shape) => IsBlocked(e, tensor) ? tensor : EachChannel(e, tensor, shape, 1);

    /// <summary>The shape with as many channels as fill blocks.</summary>
    public static TensorShape Widened(TensorShape shape) => shape with { Dims = [shape.Dims[0], (shape.Dims[1] + Channels - 1) / Channels * Channels, .. shape.Dims[2..]] };

    /// <summary>A tensor times a factor, with channels of zeros behind its own where these fill no blocks: in each of the sums one product is not 0, so that they are exact.</summary>
    /// <param name="e">Writer.</param>
    /// <param name="tensor">The tensor.</param>
    /// <param name="shape">Its own shape.</param>
    /// <param name="factor">The factor.</param>
    public static string Whole(Emitter e, string tensor, TensorShape shape, float factor = 1)
    {
        var (channels, all) = (shape.Dims[1], Widened(shape).Dims[1]);
        if (channels < all) return e.Op("Conv", [tensor, e.Unsqueeze(e.Scaled(e.Eye(all, channels), factor), 2, 2)]);
        return factor == 1 ? tensor : EachChannel(e, tensor, shape, factor);
    }

    /// <summary>A tensor times a factor.</summary>
    public static string EachChannel(Emitter e, string tensor, TensorShape shape, float factor) =>
        EachChannel(e, tensor, shape, e.Filled(e.Ints(shape.Dims[1], 1, 1, 1), factor));

    /// <summary>A tensor times a factor for each channel, [C, 1, 1, 1].</summary>
    public static string EachChannel(Emitter e, string tensor, TensorShape shape, string factors) => e.Op("Conv", [tensor, factors], ("group", shape.Dims[1]));

    /// <summary>Elements of a tensor at equal distances, times a factor.</summary>
    public static string TakeEach(Emitter e, string tensor, TensorShape shape, float factor, Taps rows, Taps columns)
    {
        if (rows.IsAll && columns.IsAll && factor == 1) return tensor;
        var channels = shape.Dims[1];
        var weights = new float[rows.Size * columns.Size];
        weights[rows.Tap * columns.Size + columns.Tap] = factor;
        var each = e.Op("Expand", [e.Floats(weights, 1, 1, rows.Size, columns.Size), e.Ints(channels, 1, rows.Size, columns.Size)]);
        return e.Op("Conv", [tensor, each], ("group", channels), ("strides", (long[])[rows.Stride, columns.Stride]), ("pads", (long[])[rows.Begin, columns.Begin, rows.End, columns.End]));
    }

    /// <summary>A number for each channel, times a factor, at every place of an image: the kernel meets it at another of its taps each time.</summary>
    public static string Everywhere(Emitter e, string tensor, TensorShape shape, float factor)
    {
        var (channels, height, width) = (shape.Dims[1], shape.Dims[2], shape.Dims[3]);
        return e.Op("Conv", [tensor, e.Filled(e.Ints(channels, 1, height, width), factor)], ("group", channels), ("pads", (long[])[height - 1, width - 1, height - 1, width - 1]));
    }

    /// <summary>
    /// The mean over space of each channel, [N, C, 1, 1], of a tensor that comes in blocks, or of parts that do; else null. A mean and not a sum,
    /// which would have to leave them. Long rows are summed one by one first: a sum of single precision loses a digit with every
    /// hundredfold of its terms.
    /// </summary>
    public static string? MeanOfEachChannel(Emitter e, string tensor, TensorShape shape)
    {
        if (shape is not { Rank: 4, BatchAxis: 0, Dims: [1, var channels, var height, var width] } || channels % Channels != 0) return null;
        if (IsBlocked(e, tensor)) return Mean(tensor, height, width);
        // A part's elements beyond the image are zeros.
        if (e.Interleaved.PartsOf(tensor) is not { } image || image.Parts.OfType<string>().Any(p => !IsBlocked(e, p))) return null;
        return e.Scaled(e.Sum([.. image.Parts.OfType<string>().Select(p => Mean(p, image.Rows, image.Columns))]), (float)(image.Rows * image.Columns) / (height * width));

        string Mean(string each, long rows, long columns)
        {
            if (rows * columns > FewTerms) each = e.Op("AveragePool", [each], ("kernel_shape", (long[])[1, columns]));
            return e.Op("GlobalAveragePool", [each]);
        }
    }

    /// <summary>Whether an emitted tensor comes in blocks.</summary>
    public static bool IsBlocked(Emitter e, string tensor) => e.Maker(tensor) switch
    {
        { OpType: "Conv" or "HardSigmoid" } => true,
        { OpType: "Mul" or "Add" or "Sum" } maker => maker.Input.All(i => IsBlocked(e, i)),
        _ => false,
    };
}
