namespace MLNetLinearize;

/// <summary>On which side of a chain of factors the Jacobian is accumulated.</summary>
public enum AccumulationMode
{
    /// <summary>From the explained output to the input, one vector–Jacobian product for each target: right for few targets.</summary>
    Reverse,

    /// <summary>From the input to the explained output, one Jacobian–vector product for each element of the input: right for narrow inputs.</summary>
    Forward,
}

/// <summary>
/// In which order the factors of the Jacobian are multiplied. Every order gives the same W and b up to rounding; they differ in
/// multiply-adds. Where all paths from the explained inputs to the explained output lead through one narrow tensor, the
/// Jacobian is the product of two, which are accumulated each on its own (A. Griewank and A. Walther, "Evaluating
/// Derivatives", 2nd edition, chapters 9 and 10: cross-country elimination).
/// </summary>
public sealed record JacobianAccumulation
{
    /// <summary>Tensor at which the Jacobian is cut into two factors; null where it is accumulated in one piece.</summary>
    public string? CutTensor { get; init; }

    /// <summary>Elements a row of the cut tensor; null without a cut.</summary>
    public int? CutWidth { get; init; }

    /// <summary>Mode from the cut to the explained output; without a cut, of the whole.</summary>
    public required AccumulationMode Mode { get; init; }

    /// <summary>Mode from the explained inputs to the cut; null without a cut.</summary>
    public AccumulationMode? ModeBeforeCut { get; init; }

    /// <summary>Multiply-adds of one row, beyond the forward pass; elementwise operators count one per element.</summary>
    public required long MultiplyAdds { get; init; }

    /// <summary>Multiply-adds of one row that reverse mode without a cut takes.</summary>
    public required long ReverseMultiplyAdds { get; init; }

    /// <summary>Elements of all cotangents, tangents and factors of one row.</summary>
    public required long Elements { get; init; }

    /// <summary>The order in words, such as <c>cut at 'features' (512 wide), reverse mode on both sides</c>.</summary>
    public override string ToString() => (CutTensor, Mode, ModeBeforeCut) switch
    {
        (null, _, _) => $"{Word(Mode)} mode",
        (_, var after, var before) when after == before => $"cut at '{CutTensor}' ({CutWidth} wide), {Word(after)} mode on both sides",
        (_, var after, var before) => $"cut at '{CutTensor}' ({CutWidth} wide), {Word(before)} mode before it, {Word(after)} mode behind it",
    };

    private static string Word(AccumulationMode? mode) => mode == AccumulationMode.Forward ? "forward" : "reverse";
}
