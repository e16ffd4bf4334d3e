namespace MLNetLinearize;

/// <summary>
/// A tensor that all influence of the explained inputs on the score passes through: a cut of the network. A chain's every
/// tensor is one; of a residual block only the ends are, since between them the shortcut goes by.
/// </summary>
/// <param name="Tensor">Its name, which <see cref="LinearizeOptions.ExplainedInputs"/> and <see cref="LinearizeOptions.ExplainedOutput"/> may name.</param>
/// <param name="Operator">Operator that makes it in the canonical network; <c>Input</c> where none does.</param>
/// <param name="RowShape">Shape of one row, without the batch axis.</param>
public sealed record NetworkLayer(string Tensor, string Operator, IReadOnlyList<int> RowShape)
{
    /// <summary>The properties by name.</summary>
    public override string ToString() => RecordText.Of(this);

    /// <summary>Number of elements of one row.</summary>
    public int RowLength => RowShape.Aggregate(1, (a, d) => a * d);
}
