namespace MLNetLinearize.Cli.Output;

/// <summary>The columns a user asks for.</summary>
internal static class ColumnList
{
    public static ColumnSet Parse(string? text)
    {
        if (text is null) return ColumnSet.Default;
        var columns = ColumnSet.None;
        foreach (var name in text.Split(',', StringSplitOptions.TrimEntries))
            columns |= Enum.TryParse<ColumnSet>(name, ignoreCase: true, out var column) && Enum.GetNames<ColumnSet>().Skip(1).Contains(name, StringComparer.OrdinalIgnoreCase)
                ? column
                : throw new InputException($"--columns: '{name}' is none of label, predicted, target, score, bias, error, attribution, weights.");
        return columns;
    }
}
