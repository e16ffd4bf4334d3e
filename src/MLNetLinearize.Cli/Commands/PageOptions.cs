using System.CommandLine;
using MLNetLinearize.Cli.Data;
using MLNetLinearize.Cli.Output;
using MLNetLinearize.Reporting;

namespace MLNetLinearize.Cli.Commands;

/// <summary>Arguments about the report that is read in a browser.</summary>
internal sealed class PageOptions
{
    private const int BytesPerMegabyte = 1 << 20;

    private static readonly ReportOptions Defaults = new();

    public Option<string?> Report { get; } = new("--report", "-r") { HelpName = "FILE.html", Description = "Write a report to read in a browser: accuracy, exactness, what matters overall, and every row with what spoke for and against each class. One file that needs no network." };

    public Option<int?> Rows { get; } = new Option<int?>("--report-rows") { HelpName = "N", Description = $"Most rows in the report's table, from the first. Its figures count every row. Default: {Words.Count(Defaults.MaxRows)}." }.Between(1);

    public Option<int?> Megabytes { get; } = new Option<int?>("--report-size") { HelpName = "MB", Description = $"Most megabytes of the report for explanations of single rows; those of wrong rows are kept longest. Default: {Defaults.MaxDetailBytes / BytesPerMegabyte}." }.Between(1);

    public IEnumerable<Option> All => [Report, Rows, Megabytes];

    public void AddTo(Command command)
    {
        foreach (var option in All) command.Add(option);
    }

    /// <summary>The file that these arguments name.</summary>
    public NamedPath File(ParseResult result) => new("--report", result.GetValue(Report));

    /// <summary>Refuses a report whose name says another format.</summary>
    public void Check(ParseResult result) => Paths.CheckExtension(File(result), "HTML", ".html", ".htm");

    /// <summary>The file to write; null where none is asked for.</summary>
    public OutputFile? Open(ParseResult result, bool isResumed = false)
    {
        if (result.GetValue(Report) is { } path) return new("--report", path, isResumed);
        return new Option[] { Rows, Megabytes }.FirstOrDefault(o => result.GetResult(o) is { Implicit: false }) is { } without
            ? throw new InputException($"{without.Name} is about --report, which is not given. Name a file with --report, or leave it out.") : null;
    }

    /// <summary>The report.</summary>
    /// <param name="result">The arguments.</param>
    /// <param name="file">Where to write.</param>
    /// <param name="model">The model.</param>
    /// <param name="rows">The data.</param>
    /// <param name="labelled">Whether its labels name the explained scores.</param>
    /// <param name="graph">The compiled graph.</param>
    /// <param name="imageShape">Shape of the images as the user gives it.</param>
    /// <param name="compile">Compiles the model for other targets.</param>
    public Report Create(ParseResult result, OutputFile file, ModelOptions model, IRows rows, bool labelled, LinearizationGraph graph, string? imageShape, Func<Targets, LinearizationGraph> compile) => new(file, graph, labelled, compile, new()
    {
        Model = Path.GetFileName(result.GetValue(model.Model)!),
        Data = Path.GetFileName(rows.Name.TrimEnd('/', '\\')),
        FeatureNames = ExplanationColumns.FeaturesOf(rows, graph, model, FeatureNames.Positions),
        ImageShape = imageShape is null ? null : MapShape.Sizes(imageShape, graph.ExplainedInputs.Single()),
        MaxRows = result.GetValue(Rows) ?? Defaults.MaxRows,
        MaxDetailBytes = result.GetValue(Megabytes) is { } megabytes ? (long)megabytes * BytesPerMegabyte : Defaults.MaxDetailBytes,
    });
}
