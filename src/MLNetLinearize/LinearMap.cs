using MathNet.Numerics.LinearAlgebra;

namespace MLNetLinearize;

/// <summary>The affine map <c>F(x) = W·x + b</c> that a network is at one row, for K targets and n inputs.</summary>
public sealed class LinearMap
{
    internal LinearMap(Matrix<float> weights, Vector<float> bias, Vector<float> input, Vector<float> scores, Vector<float> explainedScores, IReadOnlyList<long> targets, Vector<float> error)
    {
        Weights = weights;
        Bias = bias;
        Input = input;
        Scores = scores;
        ExplainedScores = explainedScores;
        Targets = targets;
        Error = error;
    }

    /// <summary>W, K × n.</summary>
    public Matrix<float> Weights { get; }

    /// <summary>b, length K: what no input contributed.</summary>
    public Vector<float> Bias { get; }

    /// <summary>The row x, length n: the model's input, or the value of the inner tensor that is explained.</summary>
    public Vector<float> Input { get; }

    /// <summary>All C scores of the row.</summary>
    public Vector<float> Scores { get; }

    /// <summary>F(x) of each target, length K.</summary>
    public Vector<float> ExplainedScores { get; }

    /// <summary>Index of the output that each target explains, length K.</summary>
    public IReadOnlyList<long> Targets { get; }

    /// <summary><c>|F − (Σ attribution + b)| / max(1, |F|)</c> of each target, length K.</summary>
    public Vector<float> Error { get; }

    /// <summary>W∘x, K × n: how much each input contributed to each target.</summary>
    public Matrix<float> Attribution => Matrix<float>.Build.Dense(Weights.RowCount, Weights.ColumnCount, (k, i) => Weights[k, i] * Input[i]);

    /// <summary>The map at another point: <c>W·x + b</c>. Equal to the network inside this row's linear region.</summary>
    /// <exception cref="ArgumentException">The length differs from n.</exception>
    public Vector<float> Apply(Vector<float> x)
    {
        ArgumentNullException.ThrowIfNull(x);
        if (x.Count != Weights.ColumnCount) throw new ArgumentException($"The map takes {Weights.ColumnCount} inputs; got {x.Count}.", nameof(x));
        return Weights * x + Bias;
    }

    /// <summary>Singular values of W, largest first: how strongly the map stretches its most sensitive directions.</summary>
    public Vector<float> SingularValues() => Weights.Svd(computeVectors: false).S;
}
