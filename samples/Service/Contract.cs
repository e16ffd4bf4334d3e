using System.ComponentModel;

namespace Service;

/// <summary>What a client sends.</summary>
internal sealed record ExplanationRequest(
    [property: Description("All thirty measurements by name, each in standard deviations from its mean.")] IReadOnlyDictionary<string, float>? Measurements);

/// <summary>What it gets: the prediction, and what it is made of.</summary>
internal sealed record ExplanationAnswer(
    [property: Description("The diagnosis the network prefers.")] string Diagnosis,
    [property: Description("Its probability, from 0 to 1.")] double Probability,
    [property: Description("Log-odds of this diagnosis against the other; the sum of bias and contributions.")] double LogOdds,
    [property: Description("What no measurement contributed: the log-odds of the average case under the rules that hold for this one.")] double Bias,
    [property: Description("What each measurement contributed to the log-odds, strongest first.")] IReadOnlyList<Contribution> Contributions,
    [property: Description("|log-odds − (bias + contributions)|, over the log-odds where they are above 1: the check of the explanation.")] double Error);

internal sealed record Contribution(string Measurement, double Value, double LogOdds);
