using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Rules;

/// <summary>Matrix products.</summary>
internal static class Matrices
{
    public static void Gemm(Vjp v)
    {
        var (transA, transB) = (v.Node.Int("transA", 0) != 0, v.Node.Int("transB", 0) != 0);
        var (alpha, beta) = (v.Node.Float("alpha", 1), v.Node.Float("beta", 1));
        var both = v.Active(0) && v.Active(1);
        var (first, second) = v.Shares();
        if (v.Active(0) && first > 0)
        {
            var g = v.E.Scaled(v.G, alpha * first);
            // Y = A·B: dA = g·Bᵀ; with A stored transposed, its cotangent is transposed as well.
            var b = v.Finite(v.In(1));
            var toA = Times(v, g, transB ? b : Swap(v, b, 2), 2);
            v.Give(0, transA ? Swap(v, toA, 2 + v.P) : toA);
        }
        if (v.Active(1) && second > 0)
        {
            var g = v.E.Scaled(v.G, alpha * second);
            var a = v.Finite(v.In(0));
            var toB = v.E.MatMul(transA ? a : Swap(v, a, 2), g);
            v.Give(1, transB ? Swap(v, toB, 2 + v.P) : toB);
        }
        if (v.HasInput(2) && v.Active(2)) v.Give(2, v.Unbroadcast(v.E.Scaled(v.G, beta), v.OutShape(), v.InShape(2)));
        else if (v.HasInput(2)) v.OffsetInput(2, beta);
        if (!v.Active(0) && !v.Active(1))
        {
            // Only C is explained: the product of the two others is an offset.
            var product = v.E.MatMul(transA ? Swap(v, v.In(0), 2) : v.In(0), transB ? Swap(v, v.In(1), 2) : v.In(1));
            v.Offset(v.G, v.OutShape(), product, v.OutShape(), alpha);
        }
        if (!both || v.Mode == Nonlinearity.Frozen) return;
        // The product's tangent remainder is −α·A·B; what C adds is no part of it.
        v.Offset(v.G, v.OutShape(), v.Out(), v.OutShape(), -1);
        if (v.HasInput(2)) v.OffsetInput(2, beta);
    }

    public static void MatMul(Vjp v)
    {
        // Vectors are matrices of one row (on the left) or one column (on the right).
        var (a, b) = (Matrix(v.InShape(0), left: true), Matrix(v.InShape(1), left: false));
        var y = Matrix(v.OutShape(), v.InShape(0).Rank == 1, v.InShape(1).Rank == 1);
        var both = v.Active(0) && v.Active(1);
        var g = y.Rank == v.OutShape().Rank ? v.G : v.ReshapeTo(v.G, y);
        var (first, second) = v.Shares();
        if (v.Active(0) && first > 0) GiveMatrix(v, 0, Times(v, v.E.Scaled(g, first), Swap(v, AsMatrix(v, 1, b), b.Rank), b.Rank), y, a);
        if (v.Active(1) && second > 0) GiveMatrix(v, 1, v.E.MatMul(Swap(v, AsMatrix(v, 0, a), a.Rank), v.E.Scaled(g, second)), y, b);
        if (both && v.Mode == Nonlinearity.Tangent) v.Offset(v.G, v.OutShape(), v.Out(), v.OutShape(), -1);
    }

    /// <summary>
    /// Slope: the cofactors, by the determinants of the minors. A determinant is linear in each of its n rows, so the tangent's
    /// remainder is y − n·y, and in <see cref="Nonlinearity.Frozen"/> each row carries an equal part.
    /// </summary>
    public static void Determinant(Vjp v)
    {
        var (e, shape) = (v.E, v.InShape(0));
        var n = (int)shape.Dims[^1];
        long[] leading = [.. shape.Open.SkipLast(2)];
        string slope;
        if (n == 1)
        {
            slope = e.Scalar(1);
        }
        else
        {
            int[] Without(int k) => [.. Enumerable.Range(0, n).Where(i => i != k)];
            var minors = Enumerable.Range(0, n * n).SelectMany(at => Without(at / n).SelectMany(i => Without(at % n).Select(j => (long)(i * n + j)))).ToArray();
            var signs = Enumerable.Range(0, n * n).Select(at => (at / n + at % n) % 2 == 0 ? 1f : -1).ToArray();
            var taken = e.Op("Gather", [e.Reshape(v.In(0), [.. leading, n * n]), e.Ints(minors)], ("axis", leading.Length));
            var determinants = e.Op("Det", [e.Reshape(taken, [.. leading, n * n, n - 1, n - 1])]);
            slope = e.Reshape(e.Mul(determinants, e.Floats(signs, n * n)), shape.Open);
        }
        var g = v.ReshapeTo(v.G, shape with { Dims = [.. shape.Dims.SkipLast(2), 1, 1] });
        v.Give(0, v.E.Scaled(e.Mul(g, slope), v.Mode == Nonlinearity.Frozen ? 1f / n : 1));
        if (v.Mode == Nonlinearity.Tangent && n > 1) v.Offset(v.G, v.OutShape(), v.Out(), v.OutShape(), 1 - n);
    }

    /// <summary>The product has the leading axes of the output and the two matrix axes of the operand, which may have fewer.</summary>
    private static void GiveMatrix(Vjp v, int i, string g, TensorShape y, TensorShape matrix)
    {
        var product = y with { Dims = [.. y.Dims.SkipLast(2), .. matrix.Dims.TakeLast(2)] };
        var reduced = v.Unbroadcast(g, product, matrix);
        v.Give(i, matrix.Rank == v.InShape(i).Rank ? reduced : v.ReshapeTo(reduced, v.InShape(i)));
    }

    /// <summary>A cotangent times a matrix. A one-hot cotangent, where targets are chosen row by row, names a row of the matrix.</summary>
    private static string Times(Vjp v, string g, string matrix, int rank) =>
        rank == 2 && v.E.Maker(g) is { OpType: "OneHot" } hot ? v.E.Op("Gather", [matrix, hot.Input[0]], ("axis", 0)) : v.E.MatMul(g, matrix);

    private static string AsMatrix(Vjp v, int i, TensorShape matrix) => v.Finite(v.InShape(i).Rank == matrix.Rank ? v.In(i) : v.E.Reshape(v.In(i), matrix.Open));

    private static TensorShape Matrix(TensorShape shape, bool left) => shape.Rank != 1 ? shape : left ? Inserted(shape, 0) : Inserted(shape, 1);

    private static TensorShape Matrix(TensorShape shape, bool noRows, bool noColumns)
    {
        if (noColumns) shape = Inserted(shape, shape.Rank);
        return noRows ? Inserted(shape, shape.Rank - 1) : shape;
    }

    private static TensorShape Inserted(TensorShape shape, int axis) =>
        new([.. shape.Dims.Take(axis), 1, .. shape.Dims.Skip(axis)], shape.BatchAxis >= axis ? shape.BatchAxis + 1 : shape.BatchAxis);

    private static string Swap(Vjp v, string matrix, int rank)
    {
        var perm = Enumerable.Range(0, rank).Select(i => (long)i).ToArray();
        (perm[^1], perm[^2]) = (perm[^2], perm[^1]);
        return v.E.Transpose(matrix, perm);
    }
}
