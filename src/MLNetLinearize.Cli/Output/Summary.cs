using System.Text.Json.Nodes;
using Spectre.Console;

namespace MLNetLinearize.Cli.Output;

/// <summary>Counts right answers and measures exactness while rows stream by.</summary>
internal sealed class Summary : IRowSink
{
    public long Rows { get; private set; }

    public long Labelled { get; private set; }

    public long Right { get; private set; }

    /// <summary>Rows without an explanation: a score, contribution or bias came out as NaN or infinite.</summary>
    public long NotFinite { get; private set; }

    public ErrorStatistics Errors { get; } = new();

    /// <summary>Of them, those whose scores are finite: at a point where the network has no finite slope.</summary>
    private long steep;

    private long firstNotFinite;

    public void Add(ExplainedBlock block)
    {
        for (var i = 0; i < block.Count; i++)
        {
            Rows++;
            if (block.Truth(i) is { } label)
            {
                Labelled++;
                if (label == block.Predicted(i)) Right++;
            }
            var hasScores = IsFinite(block.Scores(i));
            var finite = hasScores;
            for (var k = 0; k < block.Targets; k++)
            {
                Errors.Add(block.RowNumber(i), block.Target(i, k), block.Score(i, k), block.Attribution(i, k), block.Bias(i, k));
                finite = finite && float.IsFinite(block.Bias(i, k)) && IsFinite(block.Attribution(i, k));
            }
            if (finite) continue;
            if (NotFinite++ == 0) firstNotFinite = block.RowNumber(i);
            if (hasScores) steep++;
        }
    }

    public void Write(IAnsiConsole console, IEnumerable<(string Name, string Value)> more)
    {
        var grid = new Grid().AddColumn(new GridColumn().NoWrap().PadRight(3)).AddColumn();
        foreach (var (name, value) in Lines().Concat(more)) grid.AddRow($"[grey]{name}[/]", Words.Markup(value));
        console.Write(grid);
    }

    /// <summary>The same for programs.</summary>
    public JsonObject ToJson()
    {
        var json = new JsonObject { ["rows"] = Rows, ["rowsWithoutExplanation"] = NotFinite };
        if (Labelled > 0) (json["labelled"], json["right"], json["accuracy"]) = (Labelled, Right, (double)Right / Labelled);
        json["error"] = new JsonObject { ["scaled"] = ToJson(Errors.Scaled), ["absolute"] = ToJson(Errors.Absolute), ["relative"] = ToJson(Errors.Relative), ["worstRow"] = Worst(Errors.WorstRow), ["worstTarget"] = Worst(Errors.WorstTarget) };
        return json;
    }

    /// <summary>Worst, 99th percentile, median and number; null where they are not finite.</summary>
    public static JsonObject ToJson(LogQuantiles quantiles) => new()
    {
        ["worst"] = Number(quantiles.Count == 0 ? double.NaN : quantiles.Worst),
        ["p99"] = Number(quantiles.Quantile(0.99)),
        ["median"] = Number(quantiles.Quantile(0.5)),
        ["values"] = quantiles.Count,
    };

    /// <summary>The row or the target of the worst error; null where none was measured.</summary>
    private JsonNode? Worst(long number) => Errors.WorstRow < 0 ? null : JsonValue.Create(number);

    private static JsonNode? Number(double value) => double.IsFinite(value) ? JsonValue.Create(value) : null;

    /// <summary>What the user must know of rows without an explanation.</summary>
    public string Warning()
    {
        var why = steep == NotFinite ? "their scores are finite, but at that very point the network has no finite slope, as √x has none at 0"
            : steep == 0 ? "their scores are NaN or infinite, since numbers exceed float32 or an operator gets what it is not defined for, such as the logarithm of −1"
            : $"of {Words.Count(NotFinite - steep)} the scores are NaN or infinite, since numbers exceed float32 or an operator gets what it is not defined for; of {Words.Count(steep)} they are finite, but the network has no finite slope there, as √x has none at 0";
        return $"{Words.Rows(NotFinite)} came out as NaN or infinite (the first: row {firstNotFinite}) and {(NotFinite == 1 ? "has" : "have")} no explanation: {why}. Check --scale and the data.";
    }

    private static bool IsFinite(ReadOnlySpan<float> values)
    {
        foreach (var value in values)
            if (!float.IsFinite(value)) return false;
        return true;
    }

    private IEnumerable<(string Name, string Value)> Lines()
    {
        if (Rows == 0)
        {
            yield return ("rows", "0: this part is empty, since there are more parts than blocks of rows");
            yield break;
        }
        yield return ("rows", Words.Count(Rows));
        if (NotFinite > 0) yield return ("warning", Warning());
        if (Labelled > 0) yield return ("accuracy", $"{Words.Percent((double)Right / Labelled)} ({Words.Count(Right)} of {Words.Count(Labelled)})");
        yield return ("exactness", $"contributions + bias = score: worst error {Words.Error(Errors.Scaled.Worst)} (row {Errors.WorstRow}), median {Words.Error(Errors.Scaled.Quantile(0.5))}, of |F − (Σ attribution + bias)| / max(1, |F|)");
        if (Errors.Relative.Count > 0) yield return ("", $"worst relative to |F|: {Words.Error(Errors.Relative.Worst)} (over scores of {Words.Plain(ErrorStatistics.RelativeFrom)} or more in size)");
    }
}
