namespace MLNetLinearize;

/// <summary>
/// How smooth or data-dependent factors are read as an affine map. Both give <c>W·x + b = F(x)</c> exactly, and both
/// give the same answer for piecewise-linear networks.
/// </summary>
public enum Nonlinearity
{
    /// <summary>W is the Jacobian; what an operator's tangent leaves over, <c>f(z) − f'(z)·z</c>, goes to the bias.</summary>
    Tangent,

    /// <summary>
    /// The network is read as <c>A(x)·x</c>: a pointwise activation is its slope <c>(f(z) − f(0)) / z</c> plus <c>f(0)</c>,
    /// and in a product of two data-dependent factors a gate is held at its value, or each factor carries half.
    /// </summary>
    Frozen,
}
