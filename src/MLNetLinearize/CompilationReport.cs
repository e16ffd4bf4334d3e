using System.Text.Json.Serialization;
using MLNetLinearize.Canonicalization;
using MLNetLinearize.Linearization;

namespace MLNetLinearize;

/// <summary>What the compiler found in a model and did with it.</summary>
public sealed record CompilationReport
{
    /// <summary>The properties by name.</summary>
    public override string ToString() => RecordText.Of(this);

    /// <summary>Version of the default operator set in the file.</summary>
    public required long OriginalOpset { get; init; }

    /// <summary>Version of the default operator set of the linearization graph.</summary>
    public required long Opset { get; init; }

    /// <summary>Name of the explained tensor; where a final activation was cut, of the output that it led to.</summary>
    public required string ExplainedOutput { get; init; }

    /// <summary>The final Softmax, LogSoftmax or Sigmoid that was cut, or null.</summary>
    public string? CutActivation { get; init; }

    /// <summary>The same, with what went with it.</summary>
    [JsonInclude]
    internal CutActivation? Cut { get; init; }

    /// <summary>Why the graph runs row by row, or null where it runs in batches.</summary>
    public string? RowByRowReason { get; init; }

    /// <summary>Whether every operator on the way is piecewise linear, so that W is constant in the linear region around x.</summary>
    public required bool IsPiecewiseLinear { get; init; }

    /// <summary>Whether the network makes something of missing values (NaN), as an Imputer and trees do: what it puts in their place is bias, and they contribute nothing.</summary>
    public bool TakesMissingValues { get; init; }

    /// <summary>The reading that was asked for; where it applies, and how, each node's <see cref="NodeReport.Reading"/> says.</summary>
    public Nonlinearity Nonlinearity { get; init; }

    /// <summary>The nodes of the canonical network in order.</summary>
    public required IReadOnlyList<NodeReport> Nodes { get; init; }

    /// <summary>In which order the Jacobian is accumulated, and what that costs; null in graphs saved before that was told.</summary>
    public JacobianAccumulation? Accumulation { get; init; }

    /// <summary>Other things worth telling, one sentence each.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}

/// <summary>One node of the canonical network.</summary>
/// <param name="Name">Its name, else the name of its first output.</param>
/// <param name="Operator">Operator type.</param>
/// <param name="OutputShape">Shape of its first output at batch 1.</param>
/// <param name="Rule">How it is linearized: the kind of its rule, or <c>constant</c> where nothing explained passes through.</param>
/// <param name="MultiplyAdds">Multiply-adds of one row, forward.</param>
public sealed record NodeReport(string Name, string Operator, IReadOnlyList<int> OutputShape, string Rule, long MultiplyAdds)
{
    /// <summary>The properties by name.</summary>
    public override string ToString() => RecordText.Of(this);

    /// <summary>Tensors that it reads, constants left out.</summary>
    public IReadOnlyList<string> Inputs { get; init; } = [];

    /// <summary>Tensors that it makes. <see cref="LinearizeOptions.ExplainedInputs"/> and <see cref="LinearizeOptions.ExplainedOutput"/> may name them.</summary>
    public IReadOnlyList<string> Outputs { get; init; } = [];

    /// <summary>
    /// How an affine map was made of the node: <c>exact</c> where it is one on its piece, <c>tangent</c>, <c>frozen</c>,
    /// <c>frozen gate</c> where a factor is held at its value, and for what makes that factor, <c>tangent instead of frozen</c> where that has no finite
    /// slope, and <c>constant</c> where nothing explained passes through (slope 0).
    /// </summary>
    public string Reading { get; init; } = Readings.Exact;
}
