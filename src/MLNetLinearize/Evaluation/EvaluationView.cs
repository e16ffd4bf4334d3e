using Microsoft.ML;
using MLNetLinearize.Reporting;

namespace MLNetLinearize.Evaluation;

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
