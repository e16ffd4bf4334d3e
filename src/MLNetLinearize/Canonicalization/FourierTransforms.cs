using MLNetLinearize.Onnx;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// Discrete Fourier transforms as products with their matrix, whose entries are cos and sin of 2π·k·n/length. The matrix
/// grows with the square of the length, up to <see cref="LargestMatrix"/>.
/// </summary>
internal static class FourierTransforms
{
    /// <summary>In elements: 16 MB of float.</summary>
    private const long LargestMatrix = 1 << 22;

    public static void Whole(Expansion x)
    {
        var rank = x.Rank(0);
        var axis = x.Axis(0, x.InOrNull(2) is not null ? x.StoredInts(2)![0] : x.Node.Int("axis", x.Graph.Opset >= 20 ? -2 : 1));
        var (size, parts) = (x.Dims(0)[axis], x.Dims(0)[rank - 1]);
        var (oneSided, inverse) = (x.Node.Int("onesided", 0) != 0, x.Node.Int("inverse", 0) != 0);
        if (oneSided && inverse) throw new ExpansionException("an inverse transform of half a spectrum has no rule", "give the whole spectrum");
        // The transformed axis goes next to the one of real and imaginary parts.
        long[] order = [.. Enumerable.Range(0, rank - 1).Where(i => i != axis).Select(i => (long)i), axis, rank - 1];
        long[] back = [.. Enumerable.Range(0, rank).Select(i => (long)Array.IndexOf(order, i))];
        var moved = axis == rank - 2 ? x.In(0) : x.Transpose(x.In(0), order);
        var spectrum = Transformed(x, moved, rank, size, parts, x.StoredInts(1)?[0] ?? size, oneSided, inverse);
        x.Output(0, axis == rank - 2 ? spectrum : x.Transpose(spectrum, back));
    }

    /// <summary>Frames of the signal, times the window, each transformed.</summary>
    public static void Short(Expansion x)
    {
        var step = x.StoredInts(1)![0];
        var length = x.StoredInts(3)?[0] ?? (x.InOrNull(2) is null ? throw new ExpansionException("it has neither window nor frame length", "give one of them") : x.Dims(2)[0]);
        var frames = (x.Dims(0)[1] - length) / step + 1;
        long[] index = [.. Enumerable.Range(0, (int)(frames * length)).Select(i => i / length * step + i % length)];
        var cut = x.Op("Gather", [x.In(0), x.Graph.AddInitializer(Tensors.Of($"{x.Node.Name}/frames", index, frames, length))], ("axis", 1L));
        if (x.InOrNull(2) is { } window) cut = x.Mul(cut, x.Reshape(window, length, 1));
        x.Output(0, Transformed(x, cut, 4, length, x.Dims(0)[2], length, x.Node.Int("onesided", 1) != 0, false));
    }

    /// <summary>[…, size, parts] to […, bins, 2].</summary>
    private static string Transformed(Expansion x, string signal, int rank, long size, long parts, long length, bool oneSided, bool inverse)
    {
        var bins = oneSided ? length / 2 + 1 : length;
        if (size * parts * bins * 2 > LargestMatrix) throw new ExpansionException($"the matrix of a transform of {length} numbers is too large to write out", "transform shorter frames");
        var matrix = new float[size * parts * bins * 2];
        for (var n = 0L; n < Math.Min(size, length); n++)
            for (var k = 0L; k < bins; k++)
            {
                var (sin, cos) = Math.SinCos((inverse ? 2 : -2) * Math.PI * (k * n % length) / length);
                var scale = inverse ? 1.0 / length : 1;
                void Set(long part, double real, double imaginary)
                {
                    var at = ((n * parts + part) * bins + k) * 2;
                    (matrix[at], matrix[at + 1]) = ((float)(real * scale), (float)(imaginary * scale));
                }
                Set(0, cos, sin);
                if (parts == 2) Set(1, -sin, cos);
            }
        long[] kept = new long[rank - 2];
        var product = x.Op("MatMul", [x.Reshape(signal, [.. kept, size * parts]), x.Floats(matrix, size * parts, bins * 2)]);
        return x.Reshape(product, [.. kept, bins, 2]);
    }
}
