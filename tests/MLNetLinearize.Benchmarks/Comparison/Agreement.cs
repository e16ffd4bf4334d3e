using MLNetLinearize.Benchmarks.Networks;
using MLNetLinearize.Benchmarks.Peers;

namespace MLNetLinearize.Benchmarks.Comparison;

/// <summary>
/// Whether all engines answer the same question: their scores, and the rows of W of some classes, as relative differences
/// in the Euclidean norm.
/// </summary>
/// <param name="Scores">Of our scores to the peer's.</param>
/// <param name="Closest">Of our rows of W to the peer's gradients, for the input row where they are closest.</param>
/// <param name="Farthest">The same where they are farthest.</param>
/// <param name="Error">Largest <c>LinearizationError</c>: contributions and bias against the score.</param>
internal sealed record Agreement(double Scores, double Closest, double Farthest, double Error)
{
    /// <summary>Rounding of float32, added up over the layers.</summary>
    public const double Rounding = 1e-5;

    /// <summary>
    /// Two engines round differently, so that among the millions of units of a large network one that lies within rounding of
    /// its kink may take the other branch; that changes W by this unit's share. A wrong rule changes every row of W, the
    /// closest one too.
    /// </summary>
    public const double FewKinks = 1e-2;

    public bool Holds => Scores <= Rounding && Closest <= Rounding && Farthest <= FewKinks && Error <= Rounding;

    private const int Classes = 8;

    /// <summary>Compares with libtorch.</summary>
    public static Agreement WithLibTorch(Network network, LibTorchVariant variant, int count)
    {
        var rows = network.Rows(count);
        using var torch = new LibTorchNetwork(network, variant, rows, count);
        var classes = Spread(network);
        return Of(network, rows, count, classes, torch.Score(), torch.Weights(classes));
    }

    /// <summary>
    /// Whether libtorch's scores in this way are those of its plain way. Where they are not, at least one of the two is wrong, and the
    /// plain one is held against ours; oneDNN's AVX-512 convolutions of channels-last images are wrong on an EPYC of AMD's family 26,
    /// and right there when told to keep to AVX2.
    /// </summary>
    public static bool IsLibTorchsOwn(Network network, LibTorchVariant variant, int count)
    {
        var rows = network.Rows(count);
        using var plain = new LibTorchNetwork(network, LibTorchVariant.Plain, rows, count);
        using var torch = new LibTorchNetwork(network, variant, rows, count);
        return Distance(plain.Score(), torch.Score()) <= Rounding;
    }

    /// <summary>Compares scores with ONNX Runtime's of the network alone; W is left to its own sum, which must be the score.</summary>
    public static Agreement WithScoring(Network network, int count)
    {
        var rows = network.Rows(count);
        using var scoring = new OnnxScoring(network, OnnxWriter.Write(network), rows, count, threads: 1);
        scoring.Run();
        return Of(network, rows, count, Spread(network), scoring.Scores, null);
    }

    /// <summary>Compares with a peer's scores [N, C], and its rows of W [class][N · d] where it has them.</summary>
    public static Agreement Of(Network network, float[] rows, int count, int[] classes, float[] scores, float[][]? weights)
    {
        string[] outputs = [OutputNames.Score, OutputNames.Weights, OutputNames.LinearizationError];
        using var ours = new Explaining(network, OnnxWriter.Write(network), Targets.Classes(classes), outputs, rows, count, threads: 1);
        ours.Run();
        double[] distances = weights is null ? [0] : [.. Enumerable.Range(0, count).Select(r => Distance(ByRow(weights, r, network.RowLength), ours.Outputs.Single(OutputNames.Weights, r)))];
        return new(
            Distance(scores, ours.Outputs.AllSingle(OutputNames.Score)),
            distances.Min(),
            distances.Max(),
            ours.Outputs.AllSingle(OutputNames.LinearizationError).Max());
    }

    /// <summary>Some classes, from the first to the last.</summary>
    private static int[] Spread(Network network) =>
        [.. Enumerable.Range(0, Math.Min(Classes, network.Outputs)).Select(i => i * (network.Outputs - 1) / Math.Max(1, Math.Min(Classes, network.Outputs) - 1)).Distinct()];

    /// <summary>One row's part of [class][N · d], as [class · d].</summary>
    private static float[] ByRow(float[][] weights, int row, int length) => [.. weights.SelectMany(w => w.AsSpan(row * length, length).ToArray())];

    private static double Distance(ReadOnlySpan<float> reference, ReadOnlySpan<float> values)
    {
        if (reference.Length != values.Length) throw new InvalidOperationException($"{reference.Length} values are compared with {values.Length}.");
        var (difference, size) = (0.0, 0.0);
        for (var i = 0; i < values.Length; i++)
        {
            difference += Math.Pow((double)reference[i] - values[i], 2);
            size += Math.Pow(reference[i], 2);
        }
        return Math.Sqrt(difference / size);
    }
}
