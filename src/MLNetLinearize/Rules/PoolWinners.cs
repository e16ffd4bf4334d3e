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
    /// <summary>Places are computed in float32, which holds every integer below this.</summary>
    private const long ExactIntegers = 1 << 24;

    public static bool CanFind(Windows windows) =>
        windows.Tile && windows.Rank == 2 && (windows.Input[0] + windows.Kernel[0]) * windows.Input[1] < ExactIntegers;

    /// <summary>The Indices output: global over rows, channels and space, Int64 of the output's shape; of equal elements the first.</summary>
    public static string Emit(Vjp v, Windows windows)
    {
        var e = v.E;
        var (height, width, rows, columns) = (windows.Input[0], windows.Input[1], windows.Kernel[0], windows.Kernel[1]);

        // Each element's place in its window, marked the higher the earlier it comes; the others are 0.
        var marks = new float[height * width];
        for (var i = 0L; i < marks.Length; i++) marks[i] = rows * width - (i / width % rows * width + i % width % columns);
        var largest = e.Mul(e.Indicator(e.Op("Equal", [v.In(0), Enlarge(e, v.Out(), windows.Kernel)])), e.Floats(marks, 1, 1, height, width));
        var first = e.Op("MaxPool", [largest], ("kernel_shape", windows.Kernel), ("strides", windows.Kernel));
        // A window of NaN has no largest element; its last one keeps the index inside.
        var mark = e.Op("Max", [first, e.Scalar(marks[(rows - 1) * width + columns - 1])]);

        var corners = new float[windows.Output[0] * windows.Output[1]];
        for (var i = 0L; i < corners.Length; i++) corners[i] = (i / windows.Output[1] * rows + rows) * width + i % windows.Output[1] * columns;
        var inChannel = e.Cast(e.Sub(e.Floats(corners, 1, 1, windows.Output[0], windows.Output[1]), mark), DataType.Int64);
        return e.Add(inChannel, Channels(v, height * width));
    }

    /// <summary>Enlarges the spatial axes, each element to a block.</summary>
    public static string Enlarge(Emitter e, string tensor, long[] factors) =>
        e.Op("Resize", [tensor, "", e.Floats([1, 1, .. factors.Select(f => (float)f)], factors.Length + 2)], ("mode", "nearest"), ("coordinate_transformation_mode", "asymmetric"), ("nearest_mode", "floor"));

    /// <summary>Where each row's and channel's elements begin, Int64 [N, C, 1, 1].</summary>
    private static string Channels(Vjp v, long size)
    {
        var (e, channels) = (v.E, v.InShape(0).Dims[1]);
        var count = e.Op("Squeeze", [e.Slice(e.Shape(v.In(0)), 0, 1, 0)]);
        var rows = e.Op("Range", [e.Number(0), count, e.Number(1)]);
        return e.Add(e.Reshape(e.Op("Mul", [rows, e.Ints(channels * size)]), -1, 1, 1, 1), e.Op("Reshape", [e.Ints([.. Enumerable.Range(0, (int)channels).Select(c => c * size)]), e.Ints(1, channels, 1, 1)]));
    }
}
