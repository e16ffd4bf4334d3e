using System.CommandLine;
using System.Globalization;
using MLNetLinearize.Cli.Data;

namespace MLNetLinearize.Cli.Commands;

/// <summary>Arguments about the data, the same in every command that reads some.</summary>
internal sealed class DataOptions
{
    public Argument<string> Data { get; } = new("DATA") { Description = "The rows: an IDX file (as MNIST comes, gzipped or not), a CSV or TSV table with a header line, or a folder of PNG or JPEG images." };

    public Option<string?> Labels { get; } = new("--labels") { HelpName = "FILE", Description = "True classes of the rows: IDX, or text with one a line (a class name or index)." };

    public Option<string?> LabelColumn { get; } = new("--label-column") { HelpName = "NAME", Description = "Column of the table that holds the true class." };

    public Option<string[]> IgnoreColumn { get; } = new("--ignore-column") { HelpName = "NAME", Description = "Column of the table that is no input. May be given several times.", DefaultValueFactory = _ => [] };

    public Option<string?> ClassNamesFile { get; } = new("--class-names") { HelpName = "FILE", Description = "Names of the network's outputs, one a line." };

    public Option<string> ScaleBy { get; } = new("--scale") { HelpName = "S", Description = "Multiply every value by this before the network sees it: a number or a fraction such as 1/255.", DefaultValueFactory = _ => "1" };

    public Option<string> Rows { get; } = new("--rows") { HelpName = "N|all", Description = "How many rows to explain, from the first.", DefaultValueFactory = _ => "all" };

    public Option<int?> Batch { get; } = new Option<int?>("--batch") { HelpName = "B", Description = "Rows per run of the network. Default: chosen by the network's size." }.Between(1);

    public Option<bool> Quiet { get; } = new("--quiet", "-q") { Description = "No progress, no timings, no table of rows." };

    public void AddTo(Command command)
    {
        command.Add(Data);
        foreach (Option option in new Option[] { Labels, LabelColumn, IgnoreColumn, ClassNamesFile, ScaleBy, Rows, Batch, Quiet }) command.Add(option);
    }

    /// <summary>The files that these arguments name.</summary>
    public IEnumerable<NamedPath> Files(ParseResult result) =>
        [new("DATA", result.GetValue(Data), MayBeFolder: true), new("--labels", result.GetValue(Labels)), new("--class-names", result.GetValue(ClassNamesFile))];

    public ClassNames ReadClassNames(ParseResult result) => result.GetValue(ClassNamesFile) is { } file ? ClassNames.Read(file) : ClassNames.None;

    public Scale ReadScale(ParseResult result)
    {
        var text = result.GetValue(ScaleBy)!;
        return Scale.TryParse(text) ?? throw new InputException($"--scale '{text}': expected a number other than 0, or a fraction such as 1/255.");
    }

    public long ReadRows(ParseResult result)
    {
        var text = result.GetValue(Rows)!;
        if (text == "all") return long.MaxValue;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var rows) && rows > 0 ? rows : throw new InputException($"--rows '{text}': expected a whole number of 1 or more, or all.");
    }

    /// <summary>Opens the data for a compiled network, with its labels.</summary>
    public IRows Open(ParseResult result, LinearizationGraph graph)
    {
        var rows = DataFile.Open(result.GetValue(Data)!, Explainer.DataInput(graph), new ColumnChoice(result.GetValue(LabelColumn), result.GetValue(IgnoreColumn)!));
        try
        {
            if (result.GetValue(Labels) is { } labels) rows = new LabelFile(rows, labels);
            if (rows.HasLabels && graph.OutputCount == 1)
                throw new InputException($"'{rows.Name}' comes with labels, but the network has one output, and labels name outputs. Leave the labels out (a column of them: --ignore-column).");
            if (!rows.HasLabels && graph.Options.Targets.Kind == TargetKind.FromColumn)
                throw new InputException("--targets label explains each row's true class, but no labels are given. Add --labels FILE or --label-column NAME.");
            return rows;
        }
        catch
        {
            rows.Dispose();
            throw;
        }
    }
}
