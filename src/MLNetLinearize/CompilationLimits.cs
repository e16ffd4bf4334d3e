namespace MLNetLinearize;

/// <summary>
/// What compiling a model may take, so that a model of unknown origin cannot take the process with it. What goes beyond is refused by an
/// <see cref="InvalidModelException"/> that names the node, what it asks for, and the limit. The defaults leave networks of thousands of
/// layers and of images of many megapixels alone.
/// </summary>
public sealed record CompilationLimits
{
    /// <summary>Most nodes that the model has once its functions are written out and its loops unrolled. Default: 200,000.</summary>
    public long MaxNodes { get; init; } = 200_000;

    /// <summary>Most elements of a tensor that the network computes of one row, or takes as one. Default: 2²⁶, of 256 MiB in float32.</summary>
    public long MaxElements { get; init; } = 1L << 26;

    /// <summary>
    /// Most bytes of all tensors that the network computes of one row, which one run holds at once; and most bytes by which the process may grow
    /// during a run that compiling makes. Default: 4 GiB.
    /// </summary>
    public long MaxBytes { get; init; } = 4L << 30;

    /// <summary>
    /// Most time that compiling takes, looked at between its steps and, within a run of the network, between its nodes. Default: ten minutes.
    /// </summary>
    public TimeSpan MaxTime { get; init; } = TimeSpan.FromMinutes(10);
}
