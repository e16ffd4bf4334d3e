using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Canonicalization;

/// <summary>A network in one spelling, with every shape known: what the rules work on.</summary>
internal sealed class CanonicalNetwork(Graph graph, IReadOnlyList<InputPlan> inputs, string output, IReadOnlyDictionary<string, TensorShape> shapes, IReadOnlyDictionary<string, DataType> types, string? rowByRowReason)
{
    public Graph Graph { get; } = graph;

    public IReadOnlyList<InputPlan> Inputs { get; } = inputs;

    public string Output { get; } = output;

    /// <summary>Why a run takes one row only; null where runs take batches.</summary>
    public string? RowByRowReason { get; } = rowByRowReason;

    /// <summary>A network over a graph of its own, to be written to.</summary>
    public CanonicalNetwork Copy() => new(Graph.Clone(), Inputs, Output, shapes, types, RowByRowReason);

    public TensorShape Shape(string tensor) => shapes.TryGetValue(tensor, out var shape) ? shape : throw new InvalidOperationException($"No shape is known of '{tensor}'.");

    public DataType Type(string tensor) => types[tensor];

    public bool IsKnown(string tensor) => shapes.ContainsKey(tensor);

    /// <summary>The stored value of a constant tensor, or null where it is computed.</summary>
    public TensorProto? Constant(string? tensor) => tensor is null ? null : Graph.Initializers.GetValueOrDefault(tensor);
}
