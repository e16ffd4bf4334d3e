using MLNetLinearize.Benchmarks.Networks;
using MLNetLinearize.Benchmarks.Peers;

namespace MLNetLinearize.Benchmarks.Comparison;

/// <summary>Who answers the same question as we do for a network, before anything is timed.</summary>
internal sealed class Ways
{
    private const int Rows = 3;

    private readonly List<(string Peer, Agreement Agreement, string Verdict)> lines = [];
    private readonly List<LibTorchVariant> wrong = [];
    private readonly List<LibTorchVariant> peers = [];

    /// <summary>What was compared, with a word where it differs.</summary>
    public IReadOnlyList<(string Peer, Agreement Agreement, string Verdict)> Lines => lines;

    /// <summary>
    /// Whether our answer is the peer's. A way of libtorch that does not give libtorch's own scores says nothing of ours: it is left
    /// out, and named in the table.
    /// </summary>
    public bool Hold { get; private set; } = true;

    /// <summary>The ways of libtorch to be timed.</summary>
    public IReadOnlyList<LibTorchVariant> Peers => peers;

    /// <summary>The ways of libtorch that are left out; null where none is.</summary>
    public string? Wrong => wrong.Count > 0 ? string.Join("; ", wrong) : null;

    public static Ways Of(Network network)
    {
        var ways = new Ways();
        if (!LibTorchNetwork.IsAvailable) ways.Add("ONNX Runtime's scores", Agreement.WithScoring(network, Rows), counts: true);
        else
            foreach (var variant in LibTorchVariant.For(network))
            {
                var isOwn = variant == LibTorchVariant.Plain || Agreement.IsLibTorchsOwn(network, variant, Rows);
                (isOwn ? ways.peers : ways.wrong).Add(variant);
                ways.Add($"libtorch {variant}", Agreement.WithLibTorch(network, variant, Rows), isOwn);
            }
        return ways;
    }

    private void Add(string peer, Agreement agreement, bool counts)
    {
        lines.Add((peer, agreement, !counts ? ": left out, these are not libtorch's own scores" : agreement.Holds ? "" : ": DIFFERENT"));
        Hold &= !counts || agreement.Holds;
    }
}
