using MathNet.Numerics.LinearAlgebra;

namespace Layers;

/// <summary>
/// Singular values of a map W, largest first, its numerical rank, and the input patterns (right singular vectors, as
/// columns) that belong to the largest: W stretches the k-th pattern by the k-th value.
/// </summary>
/// <remarks>
/// From the eigenvectors of the smaller of WᵀW and WWᵀ, in double precision: W itself is often thousands of rows high. Rank
/// counts values above max(m, n)·ε·σ₁ with float's ε, since W was computed in float (G. Golub, C. Van Loan, "Matrix Computations", 5.5).
/// </remarks>
internal sealed record Spectrum(double[] Values, int Rank, Matrix<double> Patterns)
{
    private const double Epsilon = 1.0 / (1 << 23);

    public static Spectrum Of(Matrix<float> map, int patterns)
    {
        var w = map.ToDouble();
        var tall = w.RowCount >= w.ColumnCount;
        var evd = (tall ? w.TransposeThisAndMultiply(w) : w.TransposeAndMultiply(w)).Evd(Symmetricity.Symmetric);
        var n = evd.EigenValues.Count;
        double[] values = [.. Enumerable.Range(1, n).Select(i => Math.Sqrt(Math.Max(0, evd.EigenValues[n - i].Real)))];
        var count = Math.Min(patterns, n);
        var strongest = Matrix<double>.Build.DenseOfColumnVectors(Enumerable.Range(1, count).Select(i => evd.EigenVectors.Column(n - i)));
        if (!tall) strongest = w.TransposeThisAndMultiply(strongest).NormalizeColumns(2);
        return new(values, values.Count(v => v > Math.Max(w.RowCount, w.ColumnCount) * Epsilon * values[0]), strongest);
    }
}
