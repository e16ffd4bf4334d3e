using System.Globalization;
using MLNetLinearize.Cli.Data;

namespace MLNetLinearize.Cli;

/// <summary>What to explain, as written at the command line.</summary>
internal static class TargetsParser
{
    public const string Spellings = "predicted, all, top:K, classes:A,B,…, contrast:A,B, predicted-vs-runner-up, label";

    /// <summary>Column name that stands for the row's own label.</summary>
    public const string Label = "label";

    /// <summary>Reads a spelling. Classes are indices or, where class names are known, names.</summary>
    public static Targets Parse(string text, ClassNames classes)
    {
        var (kind, rest) = text.Split(':', 2) is [var k, var r] ? (k, r) : (text, null);
        return (kind, rest) switch
        {
            ("predicted", null) => Targets.Predicted,
            ("all", null) => Targets.All,
            ("predicted-vs-runner-up", null) => Targets.PredictedVersusRunnerUp,
            ("label", null) => Targets.FromColumn(Label),
            ("top", not null) when int.TryParse(rest, NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0 => Targets.Top(count),
            ("classes", not null) => Targets.Classes([.. rest.Split(',').Select(c => Class(c, text, classes))]),
            ("contrast", not null) when rest.Split(',') is [var a, var b] => Contrast(Class(a, text, classes), Class(b, text, classes), text),
            _ => throw new InputException($"--targets: '{text}' is none of {Spellings}. Examples: top:3, classes:0,3, contrast:Shirt,Coat."),
        };
    }

    private static Targets Contrast(int a, int b, string text) => a != b ? Targets.Contrast(a, b)
        : throw new InputException($"--targets '{text}': a contrast is one of two different outputs, and both are output {a}. Name two, such as contrast:0,3.");

    private static int Class(string name, string text, ClassNames classes) => name.Trim().Length == 0
        ? throw new InputException($"--targets '{text}': an output is missing. Name each by index or class name, with a comma between, such as classes:0,3.")
        : classes.Find(name.Trim()) ?? throw new InputException($"--targets '{text}': '{name.Trim()}' is no output index{(classes.NamesOrNull is { } known ? $" and no class name. Names: {string.Join(", ", known.Take(12).Select(Names.Short))}" : ". Class names need --class-names FILE")}.");
}
