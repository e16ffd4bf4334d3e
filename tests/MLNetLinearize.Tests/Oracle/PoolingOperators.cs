namespace MLNetLinearize.Tests.Oracle;

/// <summary>Pooling. A maximum goes to the first winner in row-major order.</summary>
internal static class PoolingOperators
{
    public static IReadOnlyList<Dual> MaxPool(OracleNode node)
    {
        var x = node.X;
        var windows = Windows.Of(node, x.Shape[2..], node.Sizes("kernel_shape", []));
        var (inSize, outSize) = (Shapes.Count(x.Shape[2..]), Shapes.Count(windows.Output));
        var planes = x.Shape[0] * x.Shape[1];
        var winner = new int[planes * outSize];
        for (var p = 0; p < planes; p++)
            for (var o = 0; o < outSize; o++)
                winner[p * outSize + o] = FirstMaximum(x.Value, windows.Positions.Where(k => k[o] >= 0).Select(k => p * inSize + k[o]));
        int[] shape = [x.Shape[0], x.Shape[1], .. windows.Output];
        return [x.Pick(shape, winner), new Dual(shape, [.. winner.Select(i => (double)(node.Int("storage_order", 0) == 0 ? i : ColumnMajor(i, x.Shape[2..])))])];
    }

    /// <summary>A row-major index as one that counts the first axis of its plane fastest.</summary>
    private static int ColumnMajor(int index, int[] plane)
    {
        var (size, result) = (Shapes.Count(plane), 0);
        var rest = index % size;
        for (var d = plane.Length - 1; d >= 0; d--) (result, rest) = (result + rest % plane[d] * Shapes.Count(plane[..d]), rest / plane[d]);
        return index / size * size + result;
    }

    public static Dual GlobalMaxPool(OracleNode node) => ReductionOperators.Maximum(node.X, [.. Enumerable.Range(2, node.X.Rank - 2)], keep: true);

    public static Dual GlobalAveragePool(OracleNode node) => ReductionOperators.Mean(node.X, [.. Enumerable.Range(2, node.X.Rank - 2)], keep: true);

    public static Dual AveragePool(OracleNode node)
    {
        var x = node.X;
        var windows = Windows.Of(node, x.Shape[2..], node.Sizes("kernel_shape", []));
        var (inSize, outSize) = (Shapes.Count(x.Shape[2..]), Shapes.Count(windows.Output));
        var planes = x.Shape[0] * x.Shape[1];
        var includePad = node.Int("count_include_pad", 0) != 0;
        var divisor = new int[outSize];
        for (var k = 0; k < windows.KernelSize; k++)
            for (var o = 0; o < outSize; o++)
                if (includePad ? windows.IsInPaddedInput[k][o] : windows.Positions[k][o] >= 0) divisor[o]++;
        return x.Linear([x.Shape[0], x.Shape[1], .. windows.Output], xs =>
        {
            var ys = new double[planes * outSize];
            for (var p = 0; p < planes; p++)
                for (var o = 0; o < outSize; o++)
                {
                    var sum = 0.0;
                    foreach (var positions in windows.Positions) if (positions[o] >= 0) sum += xs[p * inSize + positions[o]];
                    ys[p * outSize + o] = sum / divisor[o];
                }
            return ys;
        });
    }

    /// <summary>(Σ|x|^p)^(1/p) over windows; the tangent in either reading, as it is homogeneous.</summary>
    public static Dual LpPool(OracleNode node)
    {
        var x = node.X;
        var kernel = node.Operator == "GlobalLpPool" ? x.Shape[2..] : node.Sizes("kernel_shape", []);
        var windows = Windows.Of(node, x.Shape[2..], kernel);
        var (inSize, outSize, p) = (Shapes.Count(x.Shape[2..]), Shapes.Count(windows.Output), node.Int("p", 2));
        var planes = x.Shape[0] * x.Shape[1];
        var powers = x.Pointwise(z => Math.Pow(Math.Abs(z), p), z => p * Math.Sign(z) * Math.Pow(Math.Abs(z), p - 1));
        var sums = powers.Linear([x.Shape[0], x.Shape[1], .. windows.Output], xs =>
        {
            var ys = new double[planes * outSize];
            for (var i = 0; i < ys.Length; i++)
                foreach (var positions in windows.Positions) if (positions[i % outSize] is >= 0 and var at) ys[i] += xs[i / outSize * inSize + at];
            return ys;
        });
        return sums.Pointwise(z => Math.Pow(z, 1.0 / p), z => z == 0 ? 0 : Math.Pow(z, 1.0 / p - 1) / p);
    }

    /// <summary>Indices count over the whole unpooled tensor, N·C·H·W.</summary>
    public static Dual MaxUnpool(OracleNode node)
    {
        var (x, indices) = (node.X, node[1].Integers);
        Windows.OfTranspose(node, x.Shape[2..], node.Sizes("kernel_shape", []), out var spatial);
        int[] shape = node.Optional(2) is { } wanted ? Shapes.Ints(wanted.Integers) : [x.Shape[0], x.Shape[1], .. spatial];
        var source = Enumerable.Repeat(-1, Shapes.Count(shape)).ToArray();
        for (var i = 0; i < indices.Length; i++) source[indices[i]] = i;
        return x.Pick(shape, source);
    }

    public static int FirstMaximum(double[] values, IEnumerable<int> candidates)
    {
        var best = -1;
        foreach (var i in candidates) if (best < 0 || values[i] > values[best]) best = i;
        return best;
    }
}
