using Spectre.Console;

namespace MLNetLinearize.Cli.Output;

/// <summary>Counts right answers and measures exactness while rows stream by.</summary>
internal sealed class Summary : IRowSink
{
    public long Rows { get; private set; }

    public long Labelled { get; private set; }

    public long Right { get; private set; }

    public ErrorStatistics Errors { get; } = new();

    public void Add(ExplainedBlock block)
    {
        for (var i = 0; i < block.Count; i++)
        {
            Rows++;
            if (block.Label(i) is { } label)
            {
                Labelled++;
                if (label == block.Predicted(i)) Right++;
            }
            for (var k = 0; k < block.Targets; k++)
                Errors.Add(block.RowNumber(i), block.Target(i, k), block.Score(i, k), block.Attribution(i, k), block.Bias(i, k));
        }
    }

    public void Write(IAnsiConsole console, IEnumerable<(string Name, string Value)> more)
    {
        var grid = new Grid().AddColumn(new GridColumn().NoWrap().PadRight(3)).AddColumn();
        foreach (var (name, value) in Lines().Concat(more)) grid.AddRow($"[grey]{name}[/]", Markup.Escape(value));
        console.Write(grid);
    }

    private IEnumerable<(string Name, string Value)> Lines()
    {
        yield return ("rows", Words.Count(Rows));
        if (Labelled > 0) yield return ("accuracy", $"{Words.Percent((double)Right / Labelled)} ({Words.Count(Right)} of {Words.Count(Labelled)})");
        yield return ("exactness", $"contributions + bias = score: worst error {Words.Error(Errors.Scaled.Worst)} (row {Errors.WorstRow}), median {Words.Error(Errors.Scaled.Quantile(0.5))}, of |F − (Σ attribution + bias)| / max(1, |F|)");
        if (Errors.Relative.Count > 0) yield return ("", $"worst relative to |F|: {Words.Error(Errors.Relative.Worst)} (over scores of {Words.Plain(ErrorStatistics.RelativeFrom)} or more in size)");
    }
}
