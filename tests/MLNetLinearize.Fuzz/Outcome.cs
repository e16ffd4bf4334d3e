namespace MLNetLinearize.Fuzz;

/// <summary>What became of a mutant.</summary>
internal enum Outcome
{
    /// <summary>Explained, and the score is ONNX Runtime's own.</summary>
    Explained,

    /// <summary>Explained; there was nothing to compare the score with, or rounding decides it.</summary>
    ExplainedUncompared,

    /// <summary>Refused by an exception that the API documents: InvalidModelException, UnsupportedOperatorException, IOException.</summary>
    Refused,

    /// <summary>Compiled, and no row of it runs, in ONNX Runtime as well.</summary>
    RowFails,

    /// <summary>Refused as malformed by the last guard, which names no node.</summary>
    Guarded,

    /// <summary>ONNX Runtime crashed or hung on the mutant itself, which the library had explained.</summary>
    RuntimeAlone,

    /// <summary>Another exception.</summary>
    Undocumented,

    /// <summary>The score, or the sum of the contributions, is off.</summary>
    Wrong,

    /// <summary>The process died.</summary>
    Crash,

    /// <summary>No answer within the time.</summary>
    Hang,

    /// <summary>The process grew beyond what is allowed.</summary>
    Memory,
}

/// <summary>What became of one mutant.</summary>
/// <param name="Outcome">In a word.</param>
/// <param name="Message">The first line of what there is to say.</param>
internal sealed record Verdict(Outcome Outcome, string Message)
{
    public bool IsFailure => Outcome is Outcome.Undocumented or Outcome.Wrong or Outcome.Crash or Outcome.Hang or Outcome.Memory;
}
