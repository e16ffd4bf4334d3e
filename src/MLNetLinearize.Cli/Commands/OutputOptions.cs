using System.CommandLine;
using MLNetLinearize.Cli.Output;
using MLNetLinearize.Reporting;

namespace MLNetLinearize.Cli.Commands;

/// <summary>Arguments about the explanation columns that are written.</summary>
internal sealed class OutputOptions
{
    public Option<string?> Out { get; } = new("--out", "-o") { HelpName = "PATH", Description = "Write the columns, by extension as .csv, .parquet, .npz or .jsonl; - for standard output." };

    public Option<string?> Format { get; } = new Option<string?>("--format") { HelpName = string.Join('|', OutputFormats.Names.Keys), Description = "Format of --out where its extension does not say it. npy: a folder of arrays; png: a folder of maps, one a row and target; overlay: the same over the images." }.AcceptOnlyFromAmong([.. OutputFormats.Names.Keys]);

    public Option<string?> Columns { get; } = new("--columns") { HelpName = "LIST", Description = "Columns of --out, with a comma between: label, predicted, target, score, bias, error, attribution, weights. Default: all but weights." };

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { Out, Format, Columns }) command.Add(option);
    }

    /// <summary>The files that these arguments name.</summary>
    public IEnumerable<NamedPath> Files(ParseResult result) =>
        [new("--out", Paths.File(result.GetValue(Out)), MayBeFolder: result.GetValue(Format) is { } format && OutputFormats.Names[format].IsFolder())];

    /// <summary>Whether the columns go to standard output.</summary>
    public bool IsStandard(ParseResult result) => result.GetValue(Out) == Paths.Standard;

    /// <summary>The columns to write.</summary>
    public ColumnSet ReadColumns(ParseResult result) => ColumnList.Parse(result.GetValue(Columns));

    /// <summary>The format to write; null where nothing is written.</summary>
    public OutputFormat? ReadFormat(ParseResult result)
    {
        if (result.GetValue(Out) is not { } path)
            return new Option[] { Format, Columns }.FirstOrDefault(o => result.GetResult(o) is { Implicit: false }) is { } without
                ? throw new InputException($"{without.Name} is about --out, which is not given. Name a file with --out, or leave it out.") : null;
        var format = OutputFormats.Of(path, result.GetValue(Format));
        if (format.IsFolder() && path == Paths.Standard) throw new InputException($"--format {result.GetValue(Format)} writes a folder, which standard output cannot be. Name one with --out.");
        if (format.IsPicture() && result.GetValue(Columns) is not null) throw new InputException($"--format {result.GetValue(Format)} draws pictures, which have no --columns. Leave one of them out.");
        return format;
    }

    /// <summary>Opens the output.</summary>
    /// <param name="result">The arguments.</param>
    /// <param name="terminal">Has standard output.</param>
    /// <param name="format">The format.</param>
    /// <param name="columns">The columns.</param>
    /// <param name="isResumed">Whether the run keeps a journal, which is open.</param>
    /// <param name="isFirst">Whether no other part of the rows comes before this run's.</param>
    /// <param name="shape">The image that maps are drawn over.</param>
    public IColumnOutput Create(ParseResult result, Terminal terminal, OutputFormat format, ExplanationColumns columns, bool isResumed, bool isFirst, Func<ImageShape> shape)
    {
        var path = result.GetValue(Out)!;
        return format switch
        {
            OutputFormat.Parquet => new ParquetColumns(Open(whole: true), columns),
            OutputFormat.JsonLines => new JsonLines(Open(whole: false), columns),
            OutputFormat.Npy => new NpyColumns(new OutputFolder("--out", path, isResumed), null, columns),
            OutputFormat.Npz => Npz(),
            OutputFormat.Png or OutputFormat.Overlay => Pictures(shape()),
            _ => new CsvColumns(Open(whole: false), columns, isFirst),
        };

        OutputFile Open(bool whole) => path == Paths.Standard ? new("--out", terminal.Output, whole) : new("--out", path, isResumed);

        PictureFolder Pictures(ImageShape image) => new(new OutputFolder("--out", path, isResumed), columns, image, format == OutputFormat.Overlay);

        NpyColumns Npz()
        {
            var archive = Open(whole: true);
            // Beside the archive, or among the system's temporary files.
            var arrays = path == Paths.Standard ? TemporaryPath.New(".npz") : $"{path}.arrays";
            OutputFolder folder;
            try
            {
                folder = path == Paths.Standard ? new OutputFolder("--out", arrays, isAside: true) : new OutputFolder("--out", arrays, isResumed, named: path);
            }
            catch
            {
                archive.Dispose();
                throw;
            }
            return new(folder, archive, columns);
        }
    }
}
