using System.Text.RegularExpressions;

namespace MLNetLinearize.Cli;

/// <summary>The library's messages name its own options as remedies; at the command line those are spelled otherwise.</summary>
internal static partial class OptionWords
{
    /// <summary>Options of two names, the longer and the shorter.</summary>
    private static readonly (string Long, string Short)[] Aliases = [("--explained-input", "--from"), ("--explained-output", "--to")];

    /// <summary>A message in the words of a command line: an option of two names has the one that was typed.</summary>
    public static string Of(string message, IReadOnlyList<string> arguments)
    {
        message = Of(message);
        foreach (var (longer, shorter) in Aliases)
            if (arguments.Any(a => a == shorter || a.StartsWith($"{shorter}=", StringComparison.Ordinal))) message = message.Replace(longer, shorter, StringComparison.Ordinal);
        return message;
    }

    public static string Of(string message)
    {
        foreach (var (library, here) in Spellings) message = library.Replace(message, here);
        return message;
    }

    private static readonly (Regex Library, string Here)[] Spellings =
    [
        (IndexedShape(), "--input-shape $1=…"), (Shape(), "--input-shape"), (Input(), "--explained-input"), (Output(), "--explained-output"), (Bytes(), "--max-bytes-per-row"), (Steps(), "--max-unrolled-steps"), (Cache(), "--cache"),
        (Top(), "--targets top:$1"), (All(), "--targets all"), (RunnerUp(), "--targets predicted-vs-runner-up"), (Predicted(), "--targets predicted"),
    ];

    // A quote before the word marks a tensor of that name, not the option.
    [GeneratedRegex("""(?<!')\bInputShapes\["(.+?)"\]""")]
    private static partial Regex IndexedShape();

    [GeneratedRegex(@"(?<!')\bInputShapes\b")]
    private static partial Regex Shape();

    [GeneratedRegex(@"(?<!')\bExplainedInputs?\b")]
    private static partial Regex Input();

    [GeneratedRegex(@"(?<!')\bExplainedOutput\b")]
    private static partial Regex Output();

    [GeneratedRegex(@"(?<!')\bMaxBytesPerRow\b")]
    private static partial Regex Bytes();

    [GeneratedRegex(@"\b(LinearizeOptions\.)?MaxUnrolledSteps\b")]
    private static partial Regex Steps();

    [GeneratedRegex(@"\b(LinearizeOptions\.)?CacheDirectory\b")]
    private static partial Regex Cache();

    [GeneratedRegex(@"\bTargets\.Top\((\d+)\)")]
    private static partial Regex Top();

    [GeneratedRegex(@"\bTargets\.All\b")]
    private static partial Regex All();

    [GeneratedRegex(@"\bTargets\.PredictedVersusRunnerUp\b")]
    private static partial Regex RunnerUp();

    [GeneratedRegex(@"\bTargets\.Predicted\b")]
    private static partial Regex Predicted();
}
