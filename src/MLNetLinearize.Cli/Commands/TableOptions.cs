using System.CommandLine;
using MLNetLinearize.Cli.Data;
using MLNetLinearize.Cli.Output;

namespace MLNetLinearize.Cli.Commands;

/// <summary>Arguments about the table of rows that the terminal shows.</summary>
internal sealed class TableOptions
{
    public Option<int?> TopFeatures { get; } = new Option<int?>("--top-features") { HelpName = "K", Description = "Strongest contributions to show in the table.", DefaultValueFactory = _ => 5 }.Between(0);

    public Option<int?> Show { get; } = new Option<int?>("--show") { HelpName = "N", Description = "Rows to show in the table: the first, then half as many of the first mistakes.", DefaultValueFactory = _ => 10 }.Between(0);

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { TopFeatures, Show }) command.Add(option);
    }

    public RowTable Create(ParseResult result, bool quiet, IReadOnlyList<string> features, ClassNames classes, LinearizationGraph graph) =>
        new(quiet ? 0 : result.GetValue(Show)!.Value, result.GetValue(TopFeatures)!.Value, features, classes, graph);
}
