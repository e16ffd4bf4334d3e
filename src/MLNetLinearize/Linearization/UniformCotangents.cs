using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Rules;

namespace MLNetLinearize.Linearization;

/// <summary>
/// Cotangents that are the same for every row, with 1 for N. The affine end of a network makes them out of constants alone;
/// the first mask that they meet gives them their rows, by broadcasting, and whatever else they meet takes them repeated.
/// </summary>
internal sealed class UniformCotangents(Tape tape)
{
    private static readonly HashSet<string> Affine = new(StringComparer.Ordinal) { "Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Add", "Sub", "Gemm", "MatMul" };
    private static readonly HashSet<string> Masks = new(StringComparer.Ordinal) { "Relu", "LeakyRelu", "Abs" };

    private readonly HashSet<string> uniform = [];

    public bool Contains(string cotangent) => uniform.Contains(cotangent);

    public void Add(string cotangent) => uniform.Add(cotangent);

    /// <summary>Whether the cotangent of a tensor can be uniform: rows, one entry each, lie on an axis of their own.</summary>
    public static bool Fit(CanonicalNetwork network, IReadOnlySet<string> active, string tensor) =>
        active.Contains(tensor) && network.Shape(tensor) is { HasBatch: true } shape && shape.Dims[shape.BatchAxis] == 1;

    /// <summary>Whether the rule of a node takes the uniform cotangent of its output as it is.</summary>
    public static bool Passes(CanonicalNetwork network, IReadOnlySet<string> active, NodeProto node) =>
        (Affine.Contains(node.OpType) || Masks.Contains(node.OpType)) && Fit(network, active, node.Output[0])
        && node.Input.Where(active.Contains).All(i => Fit(network, active, i))
        && (node.OpType is not ("Gemm" or "MatMul") || MultipliesConstant(network, active, node));

    /// <summary>Whether what that rule gives is uniform as well.</summary>
    public static bool Stays(NodeProto node) => Affine.Contains(node.OpType);

    /// <summary>A cotangent of <paramref name="tensor"/> for each row.</summary>
    public string Repeated(string tensor, string cotangent)
    {
        var (e, shape) = (tape.Emit, tape.Network.Shape(tensor));
        foreach (var axis in Enumerable.Range(0, shape.Rank).Where(a => a != shape.BatchAxis)) tensor = e.Slice(tensor, 0, 1, axis);
        return e.RepeatFor(tensor, cotangent);
    }

    private static bool MultipliesConstant(CanonicalNetwork network, IReadOnlySet<string> active, NodeProto node) =>
        active.Contains(node.Input[0]) && !active.Contains(node.Input[1]) && !network.Shape(node.Input[1]).HasBatch
        && node.Int("transA", 0) == 0 && network.Shape(node.Input[0]).Rank > 1;
}
