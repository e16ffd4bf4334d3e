using System.Text.Json;

namespace MLNetLinearize.Reporting;

/// <summary>How faithful the explanations are, as the JSON that the report's page reads. What was left out or not finite is null.</summary>
internal static class ReportEvaluation
{
    public static void Write(Utf8JsonWriter json, AttributionEvaluation evaluation)
    {
        json.WriteStartObject();
        json.WriteNumber("rows", evaluation.Rows);
        json.WriteNumber("explanations", evaluation.Explanations);
        json.WriteNumber("skipped", evaluation.Skipped);
        json.WriteNumber("units", evaluation.Units);
        json.WriteString("unit", Measure.NameOf(evaluation.Unit));
        json.WriteString("scale", Measure.NameOf(evaluation.Scale));
        json.WriteBoolean("isProbability", evaluation.Scale != EvaluationScale.Score);
        if (evaluation.Baseline is { } baseline) json.WriteNumber("baseline", baseline);
        Numbers(json, "fractions", evaluation.Fractions);
        json.WriteStartArray("measures");
        foreach (var measure in Measure.All) WriteMeasure(json, measure);
        json.WriteEndArray();
        json.WriteStartArray("methods");
        foreach (var method in evaluation.Methods) WriteMethod(json, method);
        json.WriteEndArray();
        json.WriteStartArray("stages");
        foreach (var stage in evaluation.RandomizedStages) WriteStage(json, stage);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteMeasure(Utf8JsonWriter json, Measure measure)
    {
        json.WriteStartObject();
        json.WriteString("name", measure.Name);
        if (measure.HigherIsBetter is { } higher) json.WriteBoolean("higherIsBetter", higher);
        json.WriteString("source", measure.Source);
        json.WriteString("meaning", measure.Meaning);
        json.WriteEndObject();
    }

    private static void WriteMethod(Utf8JsonWriter json, MethodEvaluation method)
    {
        json.WriteStartObject();
        json.WriteString("name", Measure.NameOf(method.Method));
        Numbers(json, "deletion", method.Deletion);
        Numbers(json, "insertion", method.Insertion);
        json.WriteStartArray("values");
        foreach (var measure in Measure.All) Value(json, measure.Value(method));
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteStage(Utf8JsonWriter json, RandomizedStage stage)
    {
        json.WriteStartObject();
        json.WriteString("layer", stage.Layers[^1]);
        json.WriteStartArray("values");
        foreach (var value in new[] { stage.RankCorrelation, stage.AbsoluteRankCorrelation, stage.StructuralSimilarity }) Value(json, value);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Value(Utf8JsonWriter json, MeasuredValue value)
    {
        json.WriteStartArray();
        Number(json, value.Mean);
        Number(json, value.StandardError);
        json.WriteEndArray();
    }

    private static void Numbers(Utf8JsonWriter json, string name, IEnumerable<double> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values) Number(json, value);
        json.WriteEndArray();
    }

    private static void Number(Utf8JsonWriter json, double value)
    {
        if (double.IsFinite(value)) json.WriteNumberValue(value);
        else json.WriteNullValue();
    }
}
