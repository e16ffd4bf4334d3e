using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Rules;

/// <summary>
/// The geometry of a sliding window (convolution or pool) along each spatial axis, with padding made explicit from
/// <c>auto_pad</c> and the known shapes. Source: the formulas in the ONNX specification of Conv and MaxPool.
/// </summary>
internal sealed class Windows
{
    private Windows(long[] input, long[] output, long[] kernel, long[] strides, long[] dilations, long[] begin, long[] end)
    {
        (Input, Output, Kernel, Strides, Dilations, Begin, End) = (input, output, kernel, strides, dilations, begin, end);
    }

    /// <summary>Spatial sizes.</summary>
    public long[] Input { get; }

    public long[] Output { get; }

    public long[] Kernel { get; }

    public long[] Strides { get; }

    public long[] Dilations { get; }

    /// <summary>Padding declared before the first element.</summary>
    public long[] Begin { get; }

    /// <summary>Padding declared behind the last element.</summary>
    public long[] End { get; }

    public int Rank => Kernel.Length;

    public static Windows Of(NodeProto node, TensorShape input, TensorShape output, long[] kernel)
    {
        var rank = kernel.Length;
        var strides = node.Ints("strides") ?? Ones(rank);
        var dilations = node.Ints("dilations") ?? Ones(rank);
        var pads = node.Ints("pads") ?? new long[2 * rank];
        long[] x = [.. input.Dims.Skip(2)], y = [.. output.Dims.Skip(2)];
        long[] begin = [.. pads.Take(rank)], end = [.. pads.Skip(rank)];
        var auto = node.Text("auto_pad", "NOTSET");
        for (var i = 0; i < rank && auto != "NOTSET"; i++)
        {
            var total = auto == "VALID" ? 0 : Math.Max(0, (y[i] - 1) * strides[i] + (kernel[i] - 1) * dilations[i] + 1 - x[i]);
            begin[i] = auto == "SAME_LOWER" ? (total + 1) / 2 : total / 2;
            end[i] = total - begin[i];
        }
        return new Windows(x, y, kernel, strides, dilations, begin, end);
    }

    /// <summary>Whether the windows tile the input: no padding, no dilation, no overlap, nothing left over.</summary>
    public bool Tile => Enumerable.Range(0, Rank).All(i => Begin[i] == 0 && Kernel[i] == Strides[i] && (Dilations[i] == 1 || Kernel[i] == 1) && Output[i] * Kernel[i] == Input[i]);

    /// <summary>Whether each window is one place, and each place one window.</summary>
    public bool IsOfPlaces => Tile && Kernel.All(k => k == 1);

    /// <summary>Whether there is one window, which is the whole input.</summary>
    public bool IsGlobal => Enumerable.Range(0, Rank).All(i => Begin[i] == 0 && Output[i] == 1 && Kernel[i] == Input[i] && (Dilations[i] == 1 || Kernel[i] == 1));

    /// <summary>
    /// Attributes of the ConvTranspose that sends a cotangent of the output back to the input's size: what the last window
    /// does not reach comes as output padding, what it reaches beyond the input is cut.
    /// </summary>
    public (string, object)[] Transposed()
    {
        var end = new long[Rank];
        var missing = new long[Rank];
        for (var i = 0; i < Rank; i++)
        {
            var beyond = Strides[i] * (Output[i] - 1) + (Kernel[i] - 1) * Dilations[i] + 1 - Begin[i] - Input[i];
            (end[i], missing[i]) = (Math.Max(0, beyond), Math.Max(0, -beyond));
        }
        return [("strides", Strides), ("dilations", Dilations), ("pads", (long[])[.. Begin, .. end]), ("output_padding", missing)];
    }

    /// <summary>
    /// Padding of the Conv with the turned kernel that does the same at stride 1; null where strides or padding beyond the
    /// kernel leave that to ConvTranspose.
    /// </summary>
    public long[]? Flipped()
    {
        var pads = new long[2 * Rank];
        for (var i = 0; i < Rank; i++)
        {
            var reach = (Kernel[i] - 1) * Dilations[i];
            (pads[i], pads[Rank + i]) = (reach - Begin[i], Input[i] - Output[i] + Begin[i]);
        }
        return Strides.All(s => s == 1) && pads.All(p => p >= 0) ? pads : null;
    }

    /// <summary>The same at stride s &gt; 1 and along every axis alike; null where dilation or padding leave that to ConvTranspose.</summary>
    public IReadOnlyList<Phases>? SubPixel()
    {
        if (Rank != 2 || Strides[0] != Strides[1] || Strides[0] == 1 || Dilations.Any(d => d > 1)) return null;
        Phases[] axes = [.. Enumerable.Range(0, Rank).Select(i => new Phases(Strides[i], Kernel[i], Begin[i], Input[i], Output[i]))];
        return axes.All(a => a.PadBegin >= 0 && a.PadEnd >= 0) ? axes : null;
    }

    /// <summary>
    /// Takes one element of every window along an axis in two steps: what lies at multiples of the stride from the place of this or another element,
    /// and of that the element's own.
    /// </summary>
    /// <param name="axis">The axis.</param>
    /// <param name="element">The element.</param>
    public (Taps Shared, Taps Own) Taking(int axis, long element)
    {
        var (stride, dilation, count) = (Strides[axis], Dilations[axis], Output[axis]);
        long[] alike = [.. Enumerable.Range(0, (int)Kernel[axis]).Select(i => i * dilation).Where(place => (place - element * dilation) % stride == 0)];
        var shared = count + (alike[^1] - alike[0]) / stride;
        return (Taps.At(alike[0] - Begin[axis], stride, Input[axis], shared), Taps.At((element * dilation - alike[0]) / stride, 1, shared, count));
    }

    /// <summary>
    /// Moves what the windows have for one of their elements to that element's place along an axis: to the places of a residue of the
    /// stride, of which there are ⌈input / stride⌉.
    /// </summary>
    /// <param name="axis">The axis.</param>
    /// <param name="element">The element.</param>
    public (long Residue, Taps Taps) Giving(int axis, long element)
    {
        var (stride, first) = (Strides[axis], element * Dilations[axis] - Begin[axis]); // of the first window
        var residue = (first % stride + stride) % stride;
        return (residue, Taps.At(-(first - residue) / stride, 1, Output[axis], (Input[axis] + stride - 1) / stride));
    }

    /// <summary>Number of elements each window averages over.</summary>
    /// <param name="includePadding">Whether declared padding counts.</param>
    public float[] Counts(bool includePadding)
    {
        var total = Output.Aggregate(1L, (a, d) => a * d);
        var counts = new float[total];
        for (var flat = 0L; flat < total; flat++)
        {
            var (count, rest) = (1L, flat);
            for (var i = Rank - 1; i >= 0; i--)
            {
                var start = rest % Output[i] * Strides[i] - Begin[i];
                rest /= Output[i];
                var (low, high) = includePadding ? (-Begin[i], Input[i] + End[i]) : (0, Input[i]);
                count *= Enumerable.Range(0, (int)Kernel[i]).Count(k => start + k * Dilations[i] >= low && start + k * Dilations[i] < high);
            }
            counts[flat] = count;
        }
        return counts;
    }

    private static long[] Ones(int rank) => [.. Enumerable.Repeat(1L, rank)];
}

/// <summary>One axis of a convolution that takes elements at equal distances; what lies beyond is 0.</summary>
/// <param name="Size">Size of its kernel.</param>
/// <param name="Tap">The tap that is not 0.</param>
/// <param name="Stride">Distance of the elements.</param>
/// <param name="Begin">Padding before the first.</param>
/// <param name="End">Padding behind the last.</param>
internal readonly record struct Taps(long Size, long Tap, long Stride, long Begin, long End)
{
    /// <summary>Whether it takes all elements as they are.</summary>
    public bool IsAll => this is (1, 0, 1, 0, 0);

    /// <param name="first">Place of the first element taken, before the axis if negative.</param>
    /// <param name="stride">Distance to the next.</param>
    /// <param name="length">Elements of the axis.</param>
    /// <param name="count">Elements to take.</param>
    public static Taps At(long first, long stride, long length, long count)
    {
        var (tap, begin) = (Math.Max(0, first), Math.Max(0, -first));
        // The kernel grows by zeros where a smaller one would slide on.
        var size = Math.Max(tap + 1, length + begin - stride * count + 1);
        return new(size, tap, stride, begin, Math.Max(0, stride * (count - 1) + size - begin - length));
    }
}

/// <summary>
/// One axis of a strided convolution's transpose, by residue: input element i = s·q + r meets output o through tap
/// k = s·(q − o) + r + p, so that for each of the s residues r the transpose is an ordinary convolution over o with every
/// s-th tap. (Shi et al. 2016, arXiv 1609.07009, name this sub-pixel convolution.)
/// </summary>
/// <param name="Stride">s.</param>
/// <param name="Kernel">Taps.</param>
/// <param name="Begin">Padding p before the first element.</param>
/// <param name="Input">Elements of the input.</param>
/// <param name="Output">Elements of the output.</param>
internal readonly record struct Phases(long Stride, long Kernel, long Begin, long Input, long Output)
{
    /// <summary>Smallest and largest q − o that a tap reaches.</summary>
    private long Least => -((Begin + Stride - 1) / Stride);

    private long Most => (Kernel - 1 - Begin) / Stride;

    /// <summary>Taps of each residue's convolution; some are zero for some residues.</summary>
    public long Taps => Most - Least + 1;

    /// <summary>Number of q, the input's elements of each residue.</summary>
    public long Count => (Input + Stride - 1) / Stride;

    public long PadBegin => Kernel - 1 < Begin ? -1 : Most;

    public long PadEnd => Count - Output + Taps - 1 - PadBegin;

    /// <summary>Zeros before and behind the taps that make them Taps · s, the residue being the inner index.</summary>
    public long ZerosBefore => -(Stride * Least + Begin);

    public long ZerosBehind => Stride * Taps - Kernel - ZerosBefore;

    /// <summary>The s residues' own convolutions; null where one would begin or end within the output.</summary>
    public IReadOnlyList<Residue>? Residues
    {
        get
        {
            var (stride, kernel, begin, count, output) = (Stride, Kernel, Begin, Count, Output);
            Residue[] all = [.. Enumerable.Range(0, (int)Stride).Select(r =>
            {
                var first = (r + begin) % stride;
                var taps = first >= kernel ? 0 : (kernel - 1 - first) / stride + 1;
                var last = first + (taps - 1) * stride;
                var most = (last - r - begin) / stride;
                return new Residue(taps, last, most, count - output + taps - 1 - most);
            })];
            return all.All(r => r.Taps == 0 || r.PadBegin >= 0 && r.PadEnd >= 0) ? all : null;
        }
    }
}

/// <summary>The convolution that makes the elements of one residue along one axis.</summary>
/// <param name="Taps">How many of the kernel's taps it has; 0 where no output meets these elements.</param>
/// <param name="LastTap">The last of them, which comes first in the turned kernel; the others follow in steps of the stride.</param>
/// <param name="PadBegin">Padding before the output.</param>
/// <param name="PadEnd">Padding behind it.</param>
internal readonly record struct Residue(long Taps, long LastTap, long PadBegin, long PadEnd);
