using Microsoft.ML.OnnxRuntime;
using MLNetLinearize.Canonicalization;

namespace MLNetLinearize.Cli;

/// <summary>What scripts see.</summary>
internal static class ExitCodes
{
    public const int Success = 0;

    /// <summary>Wrong arguments, or data or a file that cannot be used: a broken model file too.</summary>
    public const int BadInput = 1;

    /// <summary>The model is sound and cannot be linearized.</summary>
    public const int ModelRefused = 2;

    /// <summary>The sums were less exact than the tolerance.</summary>
    public const int CheckFailed = 3;

    /// <summary>A defect of the tool.</summary>
    public const int Unexpected = 4;

    /// <summary>Stopped by the user, as shells report it.</summary>
    public const int Stopped = 130;

    /// <summary>Who reads standard output has gone, as shells report a program that a closed pipe ended (128 + SIGPIPE).</summary>
    public const int ReaderGone = 141;

    /// <summary>The exit code that a failure leads to.</summary>
    public static int Of(Exception failure) => failure switch
    {
        OperationCanceledException => Stopped,
        ReaderGoneException => ReaderGone,
        UnsupportedOperatorException or ModelRefusedException => ModelRefused,
        // No argument of the command line reaches a call without having been looked at: these two say that a call was wrong.
        ArgumentOutOfRangeException or ArgumentNullException => Unexpected,
        InputException or InvalidModelException or IOException or UnauthorizedAccessException or ArgumentException or OnnxRuntimeException or OutOfMemoryException => BadInput,
        _ => Unexpected,
    };
}
