using MLNetLinearize.Cli.Data;

namespace MLNetLinearize.Cli.Output;

/// <summary>Which score the maps of a contact sheet explain.</summary>
/// <param name="Score">The score in words.</param>
/// <param name="Colors">What red and blue mean.</param>
/// <param name="Name">The score's name under a card.</param>
/// <param name="IsGiven">Whether the user named it: every map explains it then, while the class that the network said is shown beside the true one else.</param>
internal sealed record SheetTopic(string Score, string Colors, string Name, bool IsGiven)
{
    /// <exception cref="InputException">The targets are several scores, of which a map can show one.</exception>
    public static SheetTopic Of(Targets targets, ClassNames classes) => (targets.Kind, targets.Indices) switch
    {
        (TargetKind.Contrast, [var a, var b]) => new($"the score of {classes[a]} less that of {classes[b]}", $"Red pixels spoke for {classes[a]} rather than {classes[b]}, blue pixels for {classes[b]} rather than {classes[a]}", $"{classes[a]} − {classes[b]}", true),
        (TargetKind.PredictedVersusRunnerUp, _) => new("the predicted class's score less the runner-up's", "Red pixels spoke for the predicted class rather than the runner-up, blue pixels the other way round", "predicted − runner-up", true),
        (TargetKind.Classes, [var one]) => new($"the score of {classes[one]}", $"Red pixels spoke for {classes[one]}, blue pixels against it", classes[one], true),
        (TargetKind.Classes, var several) => throw new InputException($"--picture draws one score a row, and --targets {targets} asks for {several.Count}. Name one class, or the contrast of two, or leave --picture out."),
        _ => new("the class's score", "Red pixels spoke for the class, blue pixels against it", "score", false),
    };
}
