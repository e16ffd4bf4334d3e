using Microsoft.ML;

namespace MLNetLinearize.Evaluation;

/// <summary>A measure of <see cref="MethodEvaluation"/>, as tables show it.</summary>
/// <param name="Name">Its name.</param>
/// <param name="HigherIsBetter">Its direction; null where it tells agreement rather than merit.</param>
/// <param name="Source">Who defined it.</param>
/// <param name="Value">Reads it.</param>
internal sealed record Measure(string Name, bool? HigherIsBetter, string Source, Func<MethodEvaluation, MeasuredValue> Value)
{
    public static IReadOnlyList<Measure> All { get; } =
    [
        new("completeness error", false, "Sundararajan et al. 2017", m => m.CompletenessError),
        new("deletion area", false, "Petsiuk et al. 2018", m => m.DeletionArea),
        new("insertion area", true, "Petsiuk et al. 2018", m => m.InsertionArea),
        new("comprehensiveness", true, "DeYoung et al. 2020", m => m.Comprehensiveness),
        new("sufficiency", false, "DeYoung et al. 2020", m => m.Sufficiency),
        new("infidelity", false, "Yeh et al. 2019", m => m.Infidelity),
        new("max-sensitivity", false, "Yeh et al. 2019", m => m.MaxSensitivity),
        new("correlation with x · ∂F/∂x", null, "central differences", m => m.GradientCorrelation),
        new("rank agreement with W∘x", null, "Spearman 1904", m => m.RankAgreement),
    ];
}

/// <summary>An evaluation as tables.</summary>
internal static class EvaluationView
{
    public static IDataView Measures(MLContext context, AttributionEvaluation evaluation) => context.Data.LoadFromEnumerable(
        from method in evaluation.Methods
        from measure in Measure.All
        let value = measure.Value(method)
        where !double.IsNaN(value.Mean)
        select new MeasureLine { Method = method.Method.ToString(), Measure = measure.Name, Mean = value.Mean, StandardError = value.StandardError, HigherIsBetter = measure.HigherIsBetter ?? true, Source = measure.Source });

    public static IDataView Curves(MLContext context, AttributionEvaluation evaluation) => context.Data.LoadFromEnumerable(
        from method in evaluation.Methods
        from i in Enumerable.Range(0, evaluation.Fractions.Count)
        select new CurveLine { Method = method.Method.ToString(), Fraction = evaluation.Fractions[i], Deletion = method.Deletion[i], Insertion = method.Insertion[i] });

    private sealed class MeasureLine
    {
        public string Method { get; set; } = "";
        public string Measure { get; set; } = "";
        public double Mean { get; set; }
        public double StandardError { get; set; }
        public bool HigherIsBetter { get; set; }
        public string Source { get; set; } = "";
    }

    private sealed class CurveLine
    {
        public string Method { get; set; } = "";
        public double Fraction { get; set; }
        public double Deletion { get; set; }
        public double Insertion { get; set; }
    }
}
