using System.Text.Json.Nodes;

namespace MLNetLinearize.Cli.Output;

/// <summary>What an explain run was of and what it wrote: the last lines of its summary.</summary>
internal sealed record RunFacts(string Model, string Data, RowRange Range, long Replayed, LinearizationGraph Graph, IColumnOutput? Columns, string? Picture, string? Report, string? Layers, AttributionEvaluation? Evaluation)
{
    /// <summary>What became of missing values; null where there were none.</summary>
    public string? Missing { get; init; }

    /// <summary>What is worth telling of how the data was read; null where nothing is.</summary>
    public string? DataNote { get; init; }

    /// <summary>For people.</summary>
    public IEnumerable<(string, string)> Lines()
    {
        yield return ("explained", $"'{Graph.Report.ExplainedOutput}', {(Graph.OutputCount == 1 ? "the only score" : Which(Graph.Options.Targets))}{(Graph.Report.CutActivation is { } cut ? $" before the final {cut}" : "")}");
        if (Missing is not null) yield return ("missing", Missing);
        if (DataNote is not null) yield return ("note", DataNote);
        foreach (var note in Graph.Report.Notes) yield return ("note", note);
        if (Range.First > 0) yield return ("part", $"from row {Words.Count(Range.First)}");
        if (Replayed > 0) yield return ("resumed", $"{Words.Rows(Replayed)} taken over from the interrupted run");
        if (Columns is not null) yield return ("columns", $"{(Columns.Path == Paths.Standard ? "standard output" : Columns.Path)} ({Columns.Contents})");
        if (Picture is not null) yield return ("picture", Picture);
        if (Layers is not null) yield return ("layers", Layers);
        if (Report is not null) yield return ("report", Evaluation is null ? Report : $"{Report} (with an evaluation of {Words.Rows(Evaluation.Rows)})");
    }

    /// <summary>For programs, with the summary, and the rows explained by every layer where any are.</summary>
    public JsonObject ToJson(Summary summary, TimeSpan time, LayerRows? layers)
    {
        var json = summary.ToJson();
        (json["model"], json["data"], json["firstRow"], json["resumedRows"], json["seconds"]) = (Model, Data, Range.First, Replayed, time.TotalSeconds);
        (json["explainedOutput"], json["cutActivation"], json["targets"]) = (Graph.Report.ExplainedOutput, Graph.Report.CutActivation, Graph.Options.Targets.ToString());
        (json["out"], json["picture"], json["report"], json["notes"]) = (Columns?.Path, Picture, Report, new JsonArray([.. Graph.Report.Notes.Select(n => (JsonNode)n)]));
        if (Missing is not null) json["missing"] = Missing;
        if (DataNote is not null) json["dataNote"] = DataNote;
        if (layers is not null) (json["layerRows"], json["layerOut"]) = (layers.ToJson(), Layers);
        if (Evaluation is not null) json["evaluation"] = EvaluationTable.ToJson(Evaluation);
        return json;
    }

    private static string Which(Targets targets) => targets.Kind switch
    {
        TargetKind.Predicted => "the predicted class",
        TargetKind.PredictedVersusRunnerUp => "the predicted class against the runner-up",
        TargetKind.FromColumn => "the true class",
        TargetKind.All => "every class",
        _ => targets.ToString(),
    };
}
