namespace MLNetLinearize.Reporting;

/// <summary>A measure of <see cref="MethodEvaluation"/>, as tables show it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="HigherIsBetter">Its direction; null where it tells agreement rather than merit.</param>
/// <param name="Source">Who defined it.</param>
/// <param name="Meaning">What it tells, in one sentence.</param>
/// <param name="Value">Reads it.</param>
internal sealed record Measure(string Name, bool? HigherIsBetter, string Source, string Meaning, Func<MethodEvaluation, MeasuredValue> Value)
{
    public static IReadOnlyList<Measure> All { get; } =
    [
        new("completeness error", false, "Sundararajan et al. 2017", "By how much the contributions and the bias miss the score; a method without a bias gets the baseline's score for one.", m => m.CompletenessError),
        new("deletion area", false, "Petsiuk et al. 2018", "Area under the curve of deletion: small where taking away what ranks first makes the output fall at once.", m => m.DeletionArea),
        new("insertion area", true, "Petsiuk et al. 2018", "Area under the curve of insertion: large where what ranks first is enough to bring the output back.", m => m.InsertionArea),
        new("comprehensiveness", true, "DeYoung et al. 2020", "By how much the output falls without what ranks first, on average over several shares of it.", m => m.Comprehensiveness),
        new("sufficiency", false, "DeYoung et al. 2020", "By how much the output falls where what ranks first is all that is kept.", m => m.Sufficiency),
        new("infidelity", false, "Yeh et al. 2019", "Squared difference between what random parts are said to contribute and what removing them takes from the score.", m => m.Infidelity),
        new("max-sensitivity", false, "Yeh et al. 2019", "How much the explanation changes, at worst, when the row changes a little.", m => m.MaxSensitivity),
        new("correlation with x · ∂F/∂x", null, "central differences", "Agreement with slopes measured on the network's scores, which know nothing of the explanation.", m => m.GradientCorrelation),
        new("rank agreement with W∘x", null, "Spearman 1904", "Agreement with the linearization on what ranks before what.", m => m.RankAgreement),
    ];

    /// <summary>A method's name.</summary>
    public static string NameOf(AttributionMethod method) => method switch
    {
        AttributionMethod.Linearization => "linearization",
        AttributionMethod.InputTimesGradient => "input × gradient",
        AttributionMethod.Occlusion => "occlusion",
        _ => "random",
    };

    /// <summary>What the curves follow.</summary>
    public static string NameOf(EvaluationScale scale) => scale switch
    {
        EvaluationScale.Softmax => "probability of the output (softmax)",
        EvaluationScale.Sigmoid => "probability of the output (sigmoid)",
        _ => "score of the output",
    };

    /// <summary>What is removed, in the plural.</summary>
    public static string NameOf(EvaluationUnit unit) => unit switch { EvaluationUnit.Pixel => "pixels", EvaluationUnit.Column => "columns", _ => "inputs" };
}
