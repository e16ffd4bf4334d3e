namespace MLNetLinearize.Tests.Oracle;

/// <summary>Matrix products.</summary>
internal static class MatrixOperators
{
    public static Dual Gemm(OracleNode node)
    {
        var a = node.Int("transA", 0) != 0 ? ShapeOperators.Permute(node.X, [1, 0]) : node.X;
        var b = node.Int("transB", 0) != 0 ? ShapeOperators.Permute(node[1], [1, 0]) : node[1];
        var product = Multiply(a, b) * Dual.Scalar(node.Float("alpha", 1));
        return node.Optional(2) is { } c ? product + c * Dual.Scalar(node.Float("beta", 1)) : product;
    }

    /// <summary>Numpy's matmul: a vector is a row on the left and a column on the right; leading axes broadcast.</summary>
    public static Dual Multiply(Dual a, Dual b)
    {
        var left = a.Rank == 1 ? a.Reshaped(1, a.Shape[0]) : a;
        var right = b.Rank == 1 ? b.Reshaped(b.Shape[0], 1) : b;
        var (m, k, n) = (left.Shape[^2], left.Shape[^1], right.Shape[^1]);
        if (right.Shape[^2] != k) throw new ArgumentException($"[{string.Join(", ", a.Shape)}] × [{string.Join(", ", b.Shape)}]");
        var batch = Shapes.Broadcast(left.Shape[..^2], right.Shape[..^2]);
        left = left.BroadcastTo([.. batch, m, k]);
        right = right.BroadcastTo([.. batch, k, n]);
        var count = Shapes.Count(batch);
        var product = Dual.Bilinear(left, right, [.. batch, m, n], (l, r) =>
        {
            var y = new double[count * m * n];
            for (var c = 0; c < count; c++)
                for (var i = 0; i < m; i++)
                    for (var j = 0; j < k; j++)
                    {
                        var v = l[(c * m + i) * k + j];
                        if (v == 0) continue;
                        for (var q = 0; q < n; q++) y[(c * m + i) * n + q] += v * r[(c * k + j) * n + q];
                    }
            return y;
        });
        int[] shape = [.. batch, .. a.Rank == 1 ? [] : new[] { m }, .. b.Rank == 1 ? [] : new[] { n }];
        return product.Reshaped(shape);
    }
}
