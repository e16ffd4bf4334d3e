using System.CommandLine;
using System.Globalization;
using MLNetLinearize.Cli.Output;

namespace MLNetLinearize.Cli.Commands;

/// <summary>Arguments about explaining by every layer.</summary>
internal sealed class LayerOptions
{
    public Option<bool> EveryLayer { get; } = new("--every-layer") { Description = "Explain chosen rows by every layer as well: what its units contributed, and the bias added behind it, which always make up the same score. --picture then draws these rows, layer by layer." };

    public Option<string?> Rows { get; } = new("--layer-rows") { HelpName = "LIST", Description = "Rows that --every-layer shows, by number, with a comma between. Default: the first, and the first mistake." };

    public Option<string?> Out { get; } = new("--layer-out") { HelpName = "FILE", Description = "Write the table of --every-layer, one line for each row, target and layer, by extension as .csv or .json." };

    public IEnumerable<Option> All => [EveryLayer, Rows, Out];

    public void AddTo(Command command)
    {
        foreach (var option in All) command.Add(option);
    }

    /// <summary>The file that these arguments name.</summary>
    public NamedPath File(ParseResult result)
    {
        if (result.GetValue(Out) is not { } path) return new("--layer-out", null);
        if (!result.GetValue(EveryLayer)) throw new InputException("--layer-out is the table of --every-layer, which is not given. Give both, or leave it out.");
        LayerTable.IsJson(path);
        return new("--layer-out", path);
    }

    /// <summary>The chosen rows; null where none are named.</summary>
    public IReadOnlySet<long>? ReadRows(ParseResult result)
    {
        if (result.GetValue(Rows) is not { } text) return null;
        if (!result.GetValue(EveryLayer)) throw new InputException("--layer-rows says which rows --every-layer shows. Give both, or leave it out.");
        return text.Split(',').Select(t => long.TryParse(t, NumberStyles.None, CultureInfo.InvariantCulture, out var row) ? row : throw new InputException($"--layer-rows '{text}': expected numbers of rows with a comma between, counted from 0, such as 0,17.")).ToHashSet();
    }
}
