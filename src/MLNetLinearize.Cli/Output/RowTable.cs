using MLNetLinearize.Cli.Data;
using MLNetLinearize.Reporting;
using Spectre.Console;

namespace MLNetLinearize.Cli.Output;

/// <summary>The first rows and the first mistakes, with their explanations, as a table for the terminal.</summary>
internal sealed class RowTable(int rows, int topFeatures, IReadOnlyList<string> features, ClassNames classes, LinearizationGraph graph) : IRowSink
{
    private readonly List<string[]> lines = [], mistakes = [];
    private bool labelled;
    private int shown, mistaken;

    public void Add(ExplainedBlock block)
    {
        for (var i = 0; i < block.Count; i++)
        {
            var first = shown < rows;
            var mistake = !first && mistaken < rows / 2 && block.Truth(i) is { } label && label != block.Predicted(i);
            if (first) shown++;
            if (mistake) mistaken++;
            for (var k = 0; k < block.Targets && (first || mistake); k++) (first ? lines : mistakes).Add(Line(block, i, k));
        }
    }

    public void Write(IAnsiConsole console)
    {
        if (lines.Count == 0)
        {
            console.WriteLine();
            return;
        }
        var table = new Table().Border(TableBorder.Simple);
        string[] heads = ["row", "label", "predicted", "explains", "score", "bias", "Σ attribution", "error", $"strongest {topFeatures}"];
        bool[] used = [true, labelled, graph.OutputCount > 1, graph.Options.Targets.Kind != TargetKind.Predicted, true, true, true, true, topFeatures > 0];
        for (var c = 0; c < heads.Length; c++)
        {
            if (!used[c]) continue;
            var column = new TableColumn(heads[c]) { NoWrap = c < 8 };
            table.AddColumn(c is 0 or (>= 4 and <= 7) ? column.RightAligned() : column);
        }
        foreach (var line in lines) table.AddRow([.. line.Where((_, c) => used[c])]);
        if (mistakes.Count > 0) table.AddRow("…");
        foreach (var line in mistakes) table.AddRow([.. line.Where((_, c) => used[c])]);
        console.Write(table);
    }

    private string[] Line(ExplainedBlock block, int i, int k)
    {
        labelled |= block.Label(i) is not null;
        var predicted = block.Predicted(i) is { } best ? Words.Markup(classes[best]) : "–";
        var wrong = block.Truth(i) is { } label && label != block.Predicted(i);
        var attribution = block.Attribution(i, k);
        var strongest = TopFeatures.Strongest(attribution, topFeatures).Select(t => $"{Words.Markup(features[t.Index])}\u00A0[{(t.Value < 0 ? "blue" : "red")}]{Words.Value(t.Value, signed: true)}[/]");
        return
        [
            Words.Count(block.RowNumber(i)),
            block.Label(i) is { } truth ? Words.Markup(classes[truth]) : "",
            wrong ? $"[bold red]{predicted} ✗[/]" : predicted,
            Words.Markup(classes[block.Target(i, k)]),
            Words.Value(block.Score(i, k)),
            Words.Value(block.Bias(i, k)),
            Words.Value(ErrorStatistics.Sum(attribution)),
            Words.Error(block.Error(i, k)),
            string.Join("  ", strongest),
        ];
    }
}
