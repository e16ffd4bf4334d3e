using MLNetLinearize.Onnx;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// Discrete Fourier transforms as products with their matrix, whose entries are cos and sin of 2π·k·n/length. The matrix
/// grows with the square of the length, up to <see cref="LargestMatrix"/>.
/// </summary>
internal static class FourierTransforms
{
    /// <summary>In elements: 128 MB of float, enough for half the spectrum of 4096 real numbers.</summary>
    private const long LargestMatrix = 1 << 25;

    public static void Whole(Expansion x)
    {
        var rank = x.Rank(0);
        var axis = x.Axis(0, x.InOrNull(2) is not null ? x.StoredInts(2)![0] : x.Node.Int("axis", x.Graph.Opset >= 20 ? -2 : 1));
        var (size, parts) = (x.Dims(0)[axis], x.Dims(0)[rank - 1]);
        var (oneSided, inverse) = (x.Node.Int("onesided", 0) != 0, x.Node.Int("inverse", 0) != 0);
        var length = x.StoredInts(1)?[0] ?? (oneSided && inverse ? 2 * (size - 1) : size);
        if (oneSided && inverse && size != length / 2 + 1 && (size > length / 2 || length % 2 == 0))
            throw new ExpansionException($"it takes {size} numbers for half the spectrum of {length}, which ONNX Runtime completes otherwise than the specification", $"give it {length / 2 + 1}, by Slice or Pad");
        // The transformed axis goes next to the one of real and imaginary parts.
        long[] order = [.. Enumerable.Range(0, rank - 1).Where(i => i != axis).Select(i => (long)i), axis, rank - 1];
        long[] back = [.. Enumerable.Range(0, rank).Select(i => (long)Array.IndexOf(order, i))];
        var moved = axis == rank - 2 ? x.In(0) : x.Transpose(x.In(0), order);
        var spectrum = Transformed(x, moved, rank, size, parts, length, oneSided, inverse);
        x.Output(0, axis == rank - 2 ? spectrum : x.Transpose(spectrum, back));
    }

    /// <summary>Frames of the signal, times the window, each transformed.</summary>
    public static void Short(Expansion x)
    {
        var step = x.StoredInts(1)![0];
        var length = x.StoredInts(3)?[0] ?? (x.InOrNull(2) is null ? throw new ExpansionException("it has neither window nor frame length", "give one of them") : x.Dims(2)[0]);
        var frames = (x.Dims(0)[1] - length) / step + 1;
        var (signal, parts) = x.Rank(0) == 2 ? (x.Unsqueeze(x.In(0), 2), 1) : (x.In(0), x.Dims(0)[2]);
        long[] index = [.. Enumerable.Range(0, (int)(frames * length)).Select(i => i / length * step + i % length)];
        var cut = x.Op("Gather", [signal, x.Graph.AddInitializer(Tensors.Of($"{x.Node.Name}/frames", index, frames, length))], ("axis", 1L));
        if (x.InOrNull(2) is { } window) cut = x.Mul(cut, x.Reshape(window, length, 1));
        x.Output(0, Transformed(x, cut, 4, length, parts, length, x.Node.Int("onesided", 1) != 0, false));
    }

    /// <summary>
    /// […, size, parts] to […, bins, 2], or to […, length, 1] where half a spectrum is transformed back: the other half is its
    /// conjugate mirror, so that all but its ends count twice and imaginary parts cancel.
    /// </summary>
    private static string Transformed(Expansion x, string signal, int rank, long size, long parts, long length, bool oneSided, bool inverse)
    {
        var isMirrored = oneSided && inverse;
        var (bins, results) = isMirrored ? (length, 1) : (oneSided ? length / 2 + 1 : length, 2);
        if (size * parts * bins * results > LargestMatrix) throw new ExpansionException($"the matrix of a transform of {length} numbers is too large to write out", "transform shorter frames");
        var matrix = new float[size * parts * bins * results];
        for (var n = 0L; n < Math.Min(size, length); n++)
            for (var k = 0L; k < bins; k++)
            {
                var (sin, cos) = Math.SinCos((inverse ? 2 : -2) * Math.PI * (k * n % length) / length);
                var scale = (inverse ? 1.0 / length : 1) * (isMirrored && n > 0 && 2 * n != length ? 2 : 1);
                void Set(long part, double real, double imaginary)
                {
                    var at = ((n * parts + part) * bins + k) * results;
                    matrix[at] = (float)(real * scale);
                    if (results == 2) matrix[at + 1] = (float)(imaginary * scale);
                }
                Set(0, cos, sin);
                if (parts == 2) Set(1, -sin, cos);
            }
        long[] kept = new long[rank - 2];
        var product = x.Op("MatMul", [x.Reshape(signal, [.. kept, size * parts]), x.Floats(matrix, size * parts, bins * results)]);
        return x.Reshape(product, [.. kept, bins, results]);
    }
}
