using MLNetLinearize.Canonicalization;
using MLNetLinearize.Rules;

namespace MLNetLinearize.Linearization;

/// <summary>What a reverse pass walks over, and where it writes.</summary>
/// <param name="Network">The network; its graph receives the pass's nodes.</param>
/// <param name="Emit">Writes to that graph.</param>
/// <param name="Active">Tensors that depend on what is explained.</param>
/// <param name="Mode">How smooth operators are read.</param>
/// <param name="Opset">The file's opset, for errors.</param>
internal sealed record Tape(CanonicalNetwork Network, Emitter Emit, IReadOnlySet<string> Active, Nonlinearity Mode, long Opset)
{
    /// <summary>Where its numbers may not be finite.</summary>
    public required Singularities Singularities { get; init; }
}
