using System.Text.Json;

namespace MLNetLinearize.Reporting;

/// <summary>What a report tells of all rows, as the JSON that its page reads.</summary>
internal sealed class ReportSummary(ReportStatistics statistics, ImageShape? image)
{
    private const int MostFeatures = 20, SwarmFeatures = 12, MostClasses = 40, MostConfusions = 200, MatrixClasses = 32;

    public void Write(Utf8JsonWriter json, ReportData data)
    {
        json.WriteStartObject();
        json.WriteNumber("rows", statistics.Rows);
        json.WriteNumber("labelled", statistics.Labelled);
        json.WriteNumber("right", statistics.Right);
        json.WriteNumber("notFinite", statistics.NotFinite);
        json.WriteNumber("firstNotFinite", statistics.FirstNotFinite);
        json.WriteNumber("listed", data.Listed);
        json.WriteNumber("stored", data.Stored);
        WriteErrors(json, statistics.Errors);
        WriteConfusions(json);
        if (image is null) WriteFeatures(json);
        else WriteMaps(json);
        json.WriteEndObject();
    }

    private static void WriteErrors(Utf8JsonWriter json, ErrorStatistics errors)
    {
        json.WriteStartObject("errors");
        json.WriteNumber("count", errors.Scaled.Count);
        json.WriteNumber("worstRow", errors.WorstRow);
        Value(json, "worst", errors.Scaled.Worst);
        Value(json, "median", errors.Scaled.Quantile(0.5));
        json.WriteEndObject();
    }

    /// <summary>How often each class was taken for which: all where a matrix of them can be read, else the most frequent mistakes.</summary>
    private void WriteConfusions(Utf8JsonWriter json)
    {
        var ordered = statistics.Confusions.OrderByDescending(c => c.Value).ThenBy(c => c.Key).ToList();
        var classes = ordered.Select(c => c.Key.Label).Concat(ordered.Select(c => c.Key.Predicted)).Distinct().Order().ToList();
        var isMatrix = classes.Count <= MatrixClasses;
        json.WriteStartArray("matrix");
        foreach (var c in isMatrix ? classes : []) json.WriteNumberValue(c);
        json.WriteEndArray();
        json.WriteStartArray("confusions");
        foreach (var ((label, predicted), count) in isMatrix ? ordered : ordered.Where(c => c.Key.Label != c.Key.Predicted).Take(MostConfusions))
        {
            json.WriteStartArray();
            json.WriteNumberValue(label);
            json.WriteNumberValue(predicted);
            json.WriteNumberValue(count);
            json.WriteEndArray();
        }
        json.WriteEndArray();
    }

    private void WriteFeatures(Utf8JsonWriter json)
    {
        json.WriteStartArray("importance");
        WriteImportance(json, -1, statistics.All);
        foreach (var (output, sums) in statistics.Classes.Take(MostClasses)) WriteImportance(json, output, sums);
        json.WriteEndArray();
        if (statistics.All.Rows == 0) return;
        var features = TopFeatures.Strongest(statistics.All.MeanAbsolute(), SwarmFeatures).Select(t => t.Index).ToArray();
        json.WriteStartObject("swarm");
        json.WriteStartArray("rows");
        foreach (var row in statistics.Sample) json.WriteNumberValue((long)row[^1]);
        json.WriteEndArray();
        json.WriteStartArray("features");
        foreach (var feature in features)
        {
            json.WriteStartObject();
            json.WriteNumber("index", feature);
            Numbers(json, "contributions", statistics.Sample.Select(r => r[feature]));
            Numbers(json, "values", statistics.Sample.Select(r => r[r.Length / 2 + feature]));
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>The features with the largest mean absolute contribution to an output's score over the rows that explain it (−1: all rows, each by its own output).</summary>
    private static void WriteImportance(Utf8JsonWriter json, int output, ClassSums sums)
    {
        json.WriteStartObject();
        json.WriteNumber("output", output);
        json.WriteNumber("rows", sums.Rows);
        json.WriteStartArray("features");
        var mean = sums.Mean();
        foreach (var (index, absolute) in sums.Rows == 0 ? [] : TopFeatures.Strongest(sums.MeanAbsolute(), MostFeatures))
        {
            json.WriteStartArray();
            json.WriteNumberValue(index);
            ReportData.Number(json, absolute);
            ReportData.Number(json, mean[index]);
            json.WriteEndArray();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>The mean image and the mean map of each output's rows, stored as rows are (<see cref="ReportDetails"/>).</summary>
    private void WriteMaps(Utf8JsonWriter json)
    {
        json.WriteStartArray("maps");
        foreach (var (output, sums) in statistics.Classes.Take(MostClasses))
        {
            json.WriteStartObject();
            json.WriteNumber("output", output);
            json.WriteNumber("rows", sums.Rows);
            json.WriteBase64String("image", sums.MeanImage().Select(s => (byte)MathF.Round(s)).ToArray());
            using var map = new MemoryStream();
            using (var writer = new BinaryWriter(map)) ReportDetails.WriteMap(writer, sums.Mean());
            json.WriteBase64String("map", map.ToArray());
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private static void Numbers(Utf8JsonWriter json, string name, IEnumerable<float> values)
    {
        json.WriteStartArray(name);
        foreach (var value in values) ReportData.Number(json, value);
        json.WriteEndArray();
    }

    private static void Value(Utf8JsonWriter json, string name, double value)
    {
        json.WritePropertyName(name);
        ReportData.Number(json, (float)value);
    }
}
