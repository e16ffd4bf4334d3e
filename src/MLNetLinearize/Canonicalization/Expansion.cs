using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Canonicalization;

/// <summary>A replacement that takes shapes, or stored values, to write: what one run of the network on one row told of the node's inputs.</summary>
/// <param name="graph">The network.</param>
/// <param name="node">The node.</param>
/// <param name="facts">Every tensor's type and dimensions for one row, and values where they are the same for every row.</param>
internal sealed class Expansion(Graph graph, NodeProto node, IReadOnlyDictionary<string, TensorFact> facts) : Replacement(graph, node)
{
    /// <summary>Most steps that are written out one after the other.</summary>
    public required int MaxSteps { get; init; }

    /// <summary>An input's dimensions for one row.</summary>
    public long[] Dims(int i) => facts[In(i)].Dims;

    /// <summary>Whether input <paramref name="i"/> is a tensor, and not a sequence or an optional value.</summary>
    public bool IsKnown(int i) => facts.ContainsKey(In(i));

    public int Rank(int i) => Dims(i).Length;

    public DataType Type(int i) => facts[In(i)].Type;

    /// <summary>An input's value where it is the same for every row; null where it is computed from the row.</summary>
    public TensorProto? Value(int i) => InOrNull(i) is { } name ? facts[name].Value : null;

    /// <summary>The integers of an input that is the same for every row; null where it is left out.</summary>
    /// <exception cref="ExpansionException">It is computed from the row.</exception>
    public long[]? StoredInts(int i) => InOrNull(i) is null ? null : Value(i)?.ToInt64() ?? throw new ExpansionException($"its input {i} '{In(i)}' is computed from the row", "export the model so that it is a constant");

    public int Axis(int i, long axis) => (int)(axis < 0 ? axis + Rank(i) : axis);
}

/// <summary>Why a node cannot be written out in others; told to the user where the node turns out to matter.</summary>
internal sealed class ExpansionException(string reason, string remedy) : Exception(reason)
{
    public string Remedy { get; } = remedy;

    /// <param name="limit">Most steps: <see cref="LinearizeOptions.MaxUnrolledSteps"/>.</param>
    /// <param name="steps">How many it takes.</param>
    /// <param name="what">What has as many.</param>
    /// <exception cref="ExpansionException">They are more.</exception>
    public static void ThrowIfAbove(int limit, long steps, string what)
    {
        if (steps > limit)
            throw new ExpansionException($"{what}, each of which becomes nodes of its own, and at most {limit:N0} are unrolled (MaxUnrolledSteps)", "shorten the sequence (InputShapes, where it is open), or raise the limit");
    }
}
