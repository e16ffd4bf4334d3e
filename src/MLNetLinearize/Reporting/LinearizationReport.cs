using System.Text.Json;
using Microsoft.ML;
using MLNetLinearize.Onnx;
using MLNetLinearize.Transforms;

namespace MLNetLinearize.Reporting;

/// <summary>
/// Writes an HTML report of what a network says of a data set, and why: one file that needs no network and no other file.
/// It shows accuracy and exactness, what matters over all rows, a table of rows to sort and filter, and for each row its
/// features' or pixels' contributions from the bias to the score. Rows stream to the file; memory does not grow with them.
/// </summary>
/// <remarks>
/// A row is shown by the outputs that the graph explains: with <see cref="Targets.All"/> every class can be compared with
/// every other, with <c>Targets.Top(2)</c> the predicted with its runner-up, with <see cref="Targets.Predicted"/> only the
/// predicted class is shown. "Why 3 and not 8" is the difference of the two explanations.
/// </remarks>
public sealed class LinearizationReport
{
    private readonly LinearizationGraph graph;
    private readonly ReportOptions options;
    private readonly ImageShape? image;
    private readonly ReportStatistics statistics;
    private readonly ReportData data;
    private readonly string tail;
    private readonly int length;
    private AttributionEvaluation? evaluation;
    private bool isComplete;

    /// <summary>Begins a report. Nothing of it can be read before <see cref="Complete"/>.</summary>
    /// <param name="stream">Where to write; stays open.</param>
    /// <param name="graph">The graph that explains the rows.</param>
    /// <param name="options">Names and limits.</param>
    /// <exception cref="ArgumentException">The graph explains differences of outputs, or names or shape do not fit its explained input.</exception>
    public LinearizationReport(Stream stream, LinearizationGraph graph, ReportOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(graph);
        (this.graph, this.options) = (graph, options ?? new());
        evaluation = this.options.Evaluation;
        if (graph.Options.Targets.Kind is TargetKind.Contrast or TargetKind.PredictedVersusRunnerUp)
            throw new ArgumentException($"A report explains the scores of outputs and shows their differences itself, but the graph explains {graph.Options.Targets}. Compile it with Targets.Top(2), Targets.All or Targets.Classes.", nameof(graph));
        length = graph.ExplainedInputs.Sum(i => i.RowLength);
        if (this.options.FeatureNames is { } names && names.Count != length)
            throw new ArgumentException($"ReportOptions.FeatureNames has {names.Count} names, but the explained input has {length} elements a row. Give one name for each.", nameof(options));
        image = ImageOf(this.options.ImageShape);
        statistics = new(image is null ? length : image.Height * image.Width, image);
        data = new(stream, image, this.options.MaxRows, this.options.MaxDetailBytes);
        (var head, tail) = ReportPage.Parts(Title);
        data.Text(head);
        data.Json("header", WriteHeader);
    }

    private string Title => options.Title ?? $"Why {(options.Model is { } model ? Path.GetFileNameWithoutExtension(model) : "the network")} says what it says";

    /// <summary>Explains the rows of a data view and writes their report to a file, which gets its name when it is complete; folders on the way are made.</summary>
    /// <param name="path">The file, such as <c>report.html</c>.</param>
    /// <param name="transformer">What explains the rows.</param>
    /// <param name="data">Rows as <see cref="LinearizingTransformer.Transform"/> takes them.</param>
    /// <param name="options">Names and limits.</param>
    /// <exception cref="ArgumentException">A column is missing or does not fit, or the transformer explains differences of outputs.</exception>
    /// <exception cref="IOException">The file cannot be written; what was there before is untouched.</exception>
    public static void Write(string path, LinearizingTransformer transformer, IDataView data, ReportOptions? options = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        CompleteFile.Write(path, stream => Write(stream, transformer, data, options));
    }

    /// <summary>Explains the rows of a data view and writes their report to a stream, which stays open.</summary>
    /// <inheritdoc cref="Write(string, LinearizingTransformer, IDataView, ReportOptions?)"/>
    public static void Write(Stream stream, LinearizingTransformer transformer, IDataView data, ReportOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(transformer);
        ArgumentNullException.ThrowIfNull(data);
        ReportFeed.Write(stream, transformer.Sessions, data, options ?? new());
    }

    /// <summary>Adds the next row.</summary>
    /// <param name="map">Its explanation, by <see cref="Linearizer"/> over the report's graph.</param>
    /// <param name="label">Its true class, where known.</param>
    /// <exception cref="ArgumentException">The map is of another network.</exception>
    public void Add(LinearMap map, int? label = null)
    {
        ArgumentNullException.ThrowIfNull(map);
        if (map.Input.Count != length || map.Scores.Count != graph.OutputCount)
            throw new ArgumentException($"The map is of {map.Input.Count} inputs and {map.Scores.Count} outputs, the report's graph of {length} and {graph.OutputCount}. Explain the rows with that graph.", nameof(map));
        var attribution = map.Attribution;
        Add(new ReportRow(statistics.Rows, map.Input.ToArray(), label, map.Scores.ToArray(),
            [.. map.Targets.Select((output, k) => new ReportTarget((int)output, map.ExplainedScores[k], map.Bias[k], attribution.Row(k).ToArray()))]));
    }

    /// <summary>Adds how faithful the explanations are, in place of <see cref="ReportOptions.Evaluation"/>: where it is known only behind the rows.</summary>
    /// <param name="evaluation">What was measured.</param>
    public void Add(AttributionEvaluation evaluation)
    {
        ArgumentNullException.ThrowIfNull(evaluation);
        ObjectDisposedException.ThrowIf(isComplete, this);
        this.evaluation = evaluation;
    }

    internal void Add(ReportRow row)
    {
        ObjectDisposedException.ThrowIf(isComplete, this);
        var targets = row.Ordered();
        data.Add(row, targets);
        statistics.Add(row, targets);
    }

    /// <summary>Writes what belongs behind the rows. The report can be read then.</summary>
    public void Complete()
    {
        if (isComplete) return;
        isComplete = true;
        data.Flush();
        data.Json("statistics", json => new ReportSummary(statistics, image).Write(json, data));
        if (evaluation is not null) data.Json("evaluation", json => ReportEvaluation.Write(json, evaluation));
        data.Text(tail);
    }

    private ImageShape? ImageOf(IReadOnlyList<int>? given)
    {
        if (given is null) return graph.ExplainedInputs is [var input] ? ImageShape.Of(input.RowShape) : null;
        var shape = ImageShape.Of(given);
        return shape?.Length == length ? shape : throw new ArgumentException($"ReportOptions.ImageShape is [{string.Join(", ", given)}], but the explained input has {length} elements a row. Expected [H, W], [C, H, W] or [H, W, C] (1 or 3 channels) of that many.", nameof(given));
    }

    private void WriteHeader(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("title", Title);
        json.WriteString("model", options.Model);
        json.WriteString("data", options.Data);
        json.WriteString("output", graph.Report.ExplainedOutput);
        json.WriteString("cut", graph.Report.CutActivation);
        json.WriteNumber("outputs", graph.OutputCount);
        json.WriteBoolean("piecewiseLinear", graph.Report.IsPiecewiseLinear);
        Strings("notes", graph.Report.Notes);
        Strings("classes", graph.Options.ClassNames ?? []);
        if (image is not null)
        {
            json.WriteStartArray("image");
            foreach (var size in new[] { image.Height, image.Width, image.Channels }) json.WriteNumberValue(size);
            json.WriteEndArray();
            json.WriteNumber("sigma", Regions.Sigma(image));
        }
        else
        {
            Strings("features", options.FeatureNames ?? [.. graph.ExplainedInputs.SelectMany(Positions)]);
        }
        json.WriteBase64String("palette", DivergingColors.Palette());
        json.WriteEndObject();

        void Strings(string name, IEnumerable<string> texts)
        {
            json.WriteStartArray(name);
            foreach (var text in texts) json.WriteStringValue(text);
            json.WriteEndArray();
        }
    }

    private IEnumerable<string> Positions(GraphInput input) => FeatureNames.Positions(input).Select(n => graph.ExplainedInputs.Count == 1 ? n : $"{input.Name}.{n}");
}
