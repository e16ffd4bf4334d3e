using System.CommandLine;
using MLNetLinearize.Cli.Output;

namespace MLNetLinearize.Cli.Commands;

/// <summary>Arguments about the explanation columns that are written.</summary>
internal sealed class OutputOptions
{
    public Option<string?> Out { get; } = new("--out", "-o") { HelpName = "FILE.csv", Description = "Write the columns, one line for each row." };

    public Option<string?> Columns { get; } = new("--columns") { HelpName = "LIST", Description = "Columns of --out, with a comma between: label, predicted, target, score, bias, error, attribution, weights. Default: all but weights." };

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { Out, Columns }) command.Add(option);
    }

    /// <summary>The files that these arguments name.</summary>
    public IEnumerable<NamedPath> Files(ParseResult result) => [new("--out", result.GetValue(Out))];

    public ColumnSet ReadColumns(ParseResult result) => ColumnList.Parse(result.GetValue(Columns));
}
