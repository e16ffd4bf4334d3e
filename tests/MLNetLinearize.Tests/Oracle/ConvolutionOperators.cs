namespace MLNetLinearize.Tests.Oracle;

/// <summary>Conv and ConvTranspose of any spatial rank: bilinear in input and kernel, plus a bias per channel.</summary>
internal static class ConvolutionOperators
{
    public static Dual Conv(OracleNode node)
    {
        var (x, w) = (node.X, node[1]);
        var windows = Windows.Of(node, x.Shape[2..], w.Shape[2..]);
        var (rows, channels, maps, groups) = (x.Shape[0], x.Shape[1], w.Shape[0], (int)node.Int("group", 1));
        var (inSize, outSize) = (Shapes.Count(x.Shape[2..]), Shapes.Count(windows.Output));
        var y = Dual.Bilinear(x, w, [rows, maps, .. windows.Output], (xs, ws) =>
        {
            var ys = new double[rows * maps * outSize];
            foreach (var (row, channel, map, weight) in Taps(rows, channels, maps, groups, windows.KernelSize))
                for (var k = 0; k < windows.KernelSize; k++)
                    Scatter(windows.Positions[k], ws[weight + k], xs.AsSpan((row * channels + channel) * inSize, inSize), ys.AsSpan((row * maps + map) * outSize, outSize));
            return ys;
        });
        return WithBias(y, node.Optional(2));

        static void Scatter(int[] positions, double weight, ReadOnlySpan<double> from, Span<double> to)
        {
            if (weight == 0) return;
            for (var o = 0; o < positions.Length; o++)
                if (positions[o] >= 0) to[o] += weight * from[positions[o]];
        }
    }

    public static Dual ConvTranspose(OracleNode node)
    {
        var (x, w) = (node.X, node[1]);
        var groups = (int)node.Int("group", 1);
        var windows = Windows.OfTranspose(node, x.Shape[2..], w.Shape[2..], out var larger);
        var (rows, channels, maps) = (x.Shape[0], w.Shape[1] * groups, x.Shape[1]);
        var (outSize, inSize) = (Shapes.Count(larger), Shapes.Count(x.Shape[2..]));
        var y = Dual.Bilinear(x, w, [rows, channels, .. larger], (xs, ws) =>
        {
            var ys = new double[rows * channels * outSize];
            foreach (var (row, channel, map, weight) in Taps(rows, channels, maps, groups, windows.KernelSize))
                for (var k = 0; k < windows.KernelSize; k++)
                    for (var o = 0; o < inSize; o++)
                        if (windows.Positions[k][o] is >= 0 and var p) ys[(row * channels + channel) * outSize + p] += ws[weight + k] * xs[(row * maps + map) * inSize + o];
            return ys;
        });
        return WithBias(y, node.Optional(2));
    }

    /// <summary>Every (row, channel, map) that a kernel connects; a kernel is stored [maps, channels / groups, …] for Conv and, since ConvTranspose is its transpose, the same there.</summary>
    private static IEnumerable<(int Row, int Channel, int Map, int Weight)> Taps(int rows, int channels, int maps, int groups, int kernelSize)
    {
        var perGroup = channels / groups;
        for (var row = 0; row < rows; row++)
            for (var map = 0; map < maps; map++)
                for (var c = 0; c < perGroup; c++)
                    yield return (row, map / (maps / groups) * perGroup + c, map, (map * perGroup + c) * kernelSize);
    }

    private static Dual WithBias(Dual y, Dual? bias) => bias is null ? y : y + bias.Reshaped([1, bias.Value.Length, .. Enumerable.Repeat(1, y.Rank - 2)]);
}
