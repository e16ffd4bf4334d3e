using System.Globalization;
using MLNetLinearize.Cli.Data;
using MLNetLinearize.Reporting;

namespace MLNetLinearize.Cli.Output;

/// <summary>Chooses rows for the contact sheet as they stream by, and draws it at the end.</summary>
internal sealed class Sheet : IRowSink
{
    private const int MostConfusions = 8, PerClass = 2;
    private readonly string modelFile;
    private readonly LinearizationGraph graph;
    private readonly ClassNames classes;
    private readonly Func<Targets, LinearizationGraph> compile;
    private readonly ImageShape shape;
    private readonly SheetTopic topic;
    private readonly ExampleSelection selection = new(PerClass);

    public Sheet(string modelFile, LinearizationGraph graph, ClassNames classes, ImageShape shape, Func<Targets, LinearizationGraph> compile)
    {
        (this.modelFile, this.graph, this.classes, this.shape, this.compile) = (modelFile, graph, classes, shape, compile);
        topic = SheetTopic.Of(graph.Options.Targets, classes);
        if (graph.OutputCount == 1) throw new InputException("--picture shows classes, and the network has one output.");
    }

    public void Add(ExplainedBlock block)
    {
        for (var i = 0; i < block.Count; i++) selection.Add(block.RowNumber(i), block.Input(i), block.Scores(i), block.Predicted(i), block.Truth(i));
    }

    public void Save(Stream stream, string data, Summary summary)
    {
        using var main = Maps(topic.IsGiven ? graph.Options.Targets : Targets.Predicted);
        var sections = new List<SheetSection> { Right(main, summary.Labelled > 0) };
        var confusions = selection.Confusions.Take(MostConfusions).ToList();
        if (confusions.Count > 0 && topic.IsGiven) sections.Add(Mistakes(main, confusions, summary));
        else if (confusions.Count > 0)
        {
            using var truth = Maps(Targets.FromColumn(TargetsParser.Label));
            sections.Add(Mistakes(main, truth, confusions, summary));
        }
        string[] subtitle =
        [
            $"{topic.Colors}: their contributions and the bias add up to the score itself, "
                + $"not to an approximation (worst error {Words.Error(summary.Errors.Scaled.Worst)} over {Words.Rows(summary.Rows)}).",
            $"{Path.GetFileName(data)}: {Words.Rows(summary.Rows)}{(summary.Labelled > 0 ? $", {Words.Percent((double)summary.Right / summary.Labelled)} right" : "")}.",
        ];
        var sheet = new ContactSheet($"Why {Path.GetFileNameWithoutExtension(modelFile)} says what it says", subtitle, shape, sections);
        sheet.SavePng(stream);
    }

    private SheetSection Right(MapSource maps, bool labelled)
    {
        var how = $"the photograph as the network saw it, what each pixel contributed to {topic.Score}, and the same contributions by region: "
            + $"each spread over its neighbourhood (Gaussian, σ = {Words.Plain(Regions.Sigma(shape))} pixels), so that what neighbours say for and against one another cancels and the total stays.";
        var rows = selection.Right.Select(r => new SheetRow(classes[r.Key], Share(r.Key), [.. r.Value.Select(e => Card(maps.Explain(e), e))]));
        return labelled
            ? new("Right answers", $"The first rows of each class that the network got right: {how}", [.. rows])
            : new("Answers", $"The first rows of each predicted class: {how}", [.. rows]);
    }

    private SheetCard Card(Explanation e, Example example, bool isMistake = false) =>
        new(example.Input, $"row {example.Row}", [new("by pixel", e.Pixels), new("by region", e.Pixels, ByRegion: true)], $"{topic.Name} {Sum(e)}", isMistake);

    private SheetSection Mistakes(MapSource maps, IReadOnlyList<Confusion> confusions, Summary summary) => new(Heading(summary),
        $"Of each confusion, most frequent first, the row the network was surest of: what each pixel contributed to {topic.Score}.",
        [.. confusions.Select(c => new SheetRow(classes[c.Label], Taken(c), [Card(maps.Explain(c.Surest), c.Surest, isMistake: true)]))]);

    private SheetSection Mistakes(MapSource predicted, MapSource truth, IReadOnlyList<Confusion> confusions, Summary summary)
    {
        return new(Heading(summary),
            "Of each confusion, most frequent first, the row the network was surest of: what spoke for the class it said, what spoke for the true class, "
                + "and the difference of the two. It and the difference of the biases decided.",
            [.. confusions.Select(c => Mistake(c, predicted.Explain(c.Surest), truth.Explain(c.Surest)))]);
    }

    private SheetRow Mistake(Confusion c, Explanation said, Explanation true_) => new(
        classes[c.Label],
        Taken(c),
        [
            new(c.Surest.Input, $"row {c.Surest.Row}",
            [
                new($"says {classes[c.Predicted]}", said.Pixels), new("by region", said.Pixels, ByRegion: true),
                new($"true: {classes[c.Label]}", true_.Pixels), new("by region", true_.Pixels, ByRegion: true),
                new("said − true", [.. said.Pixels.Zip(true_.Pixels, (a, b) => a - b)], ByRegion: true),
            ],
            $"{classes[c.Predicted]} {Sum(said)};  {classes[c.Label]} {Sum(true_)}", true),
        ]);

    private static string Heading(Summary summary) => $"Mistakes: {Words.Count(summary.Labelled - summary.Right)} of {Words.Count(summary.Labelled)}";

    private string[] Taken(Confusion c) => ["taken for", classes[c.Predicted], c.Count == 1 ? "once" : $"{Words.Count(c.Count)} times"];

    /// <summary>Score, pixels and bias, rounded so that the printed numbers add up as the exact ones do.</summary>
    private static string Sum(Explanation e)
    {
        var (score, bias) = (Math.Round(e.Score, 2), Math.Round(e.Bias, 2));
        return $"{Number(score)} = pixels {Number(Math.Round(score - bias, 2))} {(bias < 0 ? "−" : "+")} {Number(Math.Abs(bias))} bias";
    }

    private string[] Share(int label) => selection.Counts.TryGetValue(label, out var count) ? [$"{Words.Count(count.Right)} of {Words.Count(count.Rows)} right"] : [];

    private MapSource Maps(Targets targets) => new(graph.Options.Targets.Kind == targets.Kind ? graph : compile(targets), shape);

    private static string Number(double value) => (value < 0 ? "−" : "") + Math.Abs(value).ToString("0.00", CultureInfo.InvariantCulture);
}
