using System.Text.Encodings.Web;
using System.Text.Json;
using CsvHelper;

namespace MLNetLinearize.Cli.Output;

/// <summary>One layer of an explained row and target.</summary>
/// <param name="Row">Number of the row.</param>
/// <param name="Label">Its true class, where known.</param>
/// <param name="Predicted">The class with the highest score, where there are several and none is NaN.</param>
/// <param name="Target">The explained output; null where none is.</param>
/// <param name="Layer">The layer's place, 0 for the input.</param>
/// <param name="Tensor">The layer's tensor.</param>
/// <param name="Operator">What made it.</param>
/// <param name="Attribution">Σ attribution of its elements.</param>
/// <param name="Bias">What is added behind it.</param>
/// <param name="Score">The explained score, the same at every layer.</param>
/// <param name="Error">By how much the two miss it.</param>
internal sealed record LayerLine(long Row, int? Label, int? Predicted, long? Target, int Layer, string Tensor, string Operator, float Attribution, float Bias, float Score, float Error);

/// <summary>The table of <c>--every-layer</c> as a file: CSV, or a JSON array of objects with the same names.</summary>
/// <param name="file">Where to write.</param>
/// <param name="classes">Names of the outputs; they are written as numbers where they have none.</param>
internal sealed class LayerTable(OutputFile file, Data.ClassNames classes)
{
    private static readonly string[] Names = ["Row", "Label", "Predicted", "Target", "Layer", "Tensor", "Operator", "Attribution", "Bias", "Score", "Error"];

    private readonly bool isJson = IsJson(file.Path);

    /// <summary>Whether a path is one of JSON rather than CSV.</summary>
    /// <exception cref="InputException">It is neither.</exception>
    public static bool IsJson(string path) => Path.GetExtension(path).ToLowerInvariant() switch
    {
        ".csv" => false,
        ".json" => true,
        var other => throw new InputException($"--layer-out '{path}': the extension '{other}' names no format. Name a file with .csv or .json."),
    };

    public void Write(IEnumerable<LayerLine> lines) => file.Write(stream =>
    {
        if (isJson) WriteJson(stream, lines);
        else WriteCsv(stream, lines);
    });

    private void WriteCsv(Stream stream, IEnumerable<LayerLine> lines)
    {
        using var csv = CsvText.Writer(stream);
        csv.WriteRecord(Names);
        foreach (var line in lines)
        {
            csv.WriteField(line.Row);
            foreach (var output in Outputs(line))
            {
                if (output is { } known && classes.NamesOrNull is not null) csv.WriteField(classes[known]);
                else csv.WriteField(output);
            }
            csv.WriteField(line.Layer);
            csv.WriteField(line.Tensor);
            csv.WriteField(line.Operator);
            foreach (var value in Values(line)) csv.WriteField(value);
            csv.EndRecord();
        }
    }

    private void WriteJson(Stream stream, IEnumerable<LayerLine> lines)
    {
        using var json = new Utf8JsonWriter(stream, new() { Indented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        json.WriteStartArray();
        foreach (var line in lines)
        {
            json.WriteStartObject();
            json.WriteNumber(Names[0], line.Row);
            foreach (var (i, output) in Outputs(line).Index()) WriteOutput(json, Names[1 + i], output);
            json.WriteNumber(Names[4], line.Layer);
            json.WriteString(Names[5], line.Tensor);
            json.WriteString(Names[6], line.Operator);
            foreach (var (i, value) in Values(line).Index())
            {
                // JSON has no NaN, which a row without a label may give.
                if (float.IsFinite(value)) json.WriteNumber(Names[7 + i], value);
                else json.WriteNull(Names[7 + i]);
            }
            json.WriteEndObject();
        }
        json.WriteEndArray();
    }

    private void WriteOutput(Utf8JsonWriter json, string name, long? output)
    {
        if (output is not { } known) json.WriteNull(name);
        else if (classes.NamesOrNull is null) json.WriteNumber(name, known);
        else json.WriteString(name, classes[known]);
    }

    private static long?[] Outputs(LayerLine line) => [line.Label, line.Predicted, line.Target];

    private static float[] Values(LayerLine line) => [line.Attribution, line.Bias, line.Score, line.Error];
}
