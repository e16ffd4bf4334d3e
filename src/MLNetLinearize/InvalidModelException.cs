namespace MLNetLinearize;

/// <summary>The model file or its use is wrong: corrupt bytes, a missing tensor, an input without a known shape. The message names what, where and the remedy.</summary>
public sealed class InvalidModelException : Exception
{
    /// <summary>Creates the exception. What the message repeats of the model is shown with its control characters escaped.</summary>
    public InvalidModelException(string message) : base(Printable.Text(message)) { }

    /// <summary>Creates the exception with its cause. What the message repeats of the model is shown with its control characters escaped.</summary>
    public InvalidModelException(string message, Exception innerException) : base(Printable.Text(message), innerException) { }

    /// <summary>
    /// Whether the model is sound and this library cannot explain it, as it stands: a limit of the library, rather than a
    /// broken file or a wrong option.
    /// </summary>
    public bool IsModelSound { get; init; }

    /// <summary>Whether one of <see cref="CompilationLimits"/> was met, which no other way around leads past.</summary>
    internal bool IsLimit { get; init; }
}
