using System.CommandLine;
using System.Globalization;
using MLNetLinearize.Cli.Data;

namespace MLNetLinearize.Cli.Commands;

/// <summary>Arguments about the data, the same in every command that reads some.</summary>
internal sealed class DataOptions(string rows = "all")
{
    public Argument<string> Data { get; } = new("DATA") { Description = "The rows: a CSV or TSV table, a Parquet file, a NumPy array (.npy), an IDX file (as MNIST comes), a folder of PNG or JPEG images, or - for standard input. What it is is told from its bytes; gzip is unpacked. For a network of several inputs it is a table: the column x is the input x, the columns x[0], x[1], … the values of a longer one." };

    public Option<string?> Labels { get; } = new("--labels") { HelpName = "FILE", Description = "True classes of the rows: IDX, or text with one a line (a class name or index)." };

    public Option<string?> LabelColumn { get; } = new("--label-column") { HelpName = "NAME", Description = "Column of the table that holds the true class." };

    public Option<string[]> IgnoreColumn { get; } = new("--ignore-column") { HelpName = "NAME", Description = "Column of the table that is no input. May be given several times.", DefaultValueFactory = _ => [] };

    public Option<string?> Header { get; } = new Option<string?>("--header") { HelpName = "yes|no", Description = "Whether the first line of a table names its columns. Default: unless it holds numbers alone." }.AcceptOnlyFromAmong("yes", "no");

    public Option<string?> Missing { get; } = new("--missing") { HelpName = "M", Description = $"What becomes of empty cells, NaN and null: {MissingValues.Spellings}. Default: network where it takes them, else refuse." };

    public Option<string?> ClassNamesFile { get; } = new("--class-names") { HelpName = "FILE", Description = "Names of the network's outputs, one a line." };

    public Option<string> ScaleBy { get; } = new("--scale") { HelpName = "S", Description = "Multiply every value by this before the network sees it: a number or a fraction such as 1/255.", DefaultValueFactory = _ => "1" };

    public Option<string?> Mean { get; } = new("--mean") { HelpName = "M[,M,M]", Description = "Subtract this after scaling: one number, one a channel of an image, or one a column of a table." };

    public Option<string?> Std { get; } = new("--std") { HelpName = "S[,S,S]", Description = "Divide by this last: one number, one a channel, or one a column." };

    public Option<string?> Layout { get; } = new Option<string?>("--layout") { HelpName = "chw|hwc", Description = "Where the channels of a folder's images go. Default: by the shape of the network's input." }.AcceptOnlyFromAmong("chw", "hwc");

    public Option<string?> Resize { get; } = new("--resize") { HelpName = "HxW", Description = "Resize a folder's images (bilinear, averaging where they shrink). Default: an image of another size is refused." };

    public Option<string?> PreprocessingFile { get; } = new("--preprocessing") { HelpName = "FILE.json", Description = "Scale, mean, std, size and crop as a Hugging Face preprocessor_config.json gives them, or what a scaler of scikit-learn learned (its attributes as JSON, such as mean_ and scale_), in place of --scale, --mean, --std and --resize." };

    public Option<string> Rows { get; } = new("--rows") { HelpName = "N|all", Description = "How many rows to read, from the first.", DefaultValueFactory = _ => rows };

    public Option<int?> Batch { get; } = new Option<int?>("--batch") { HelpName = "B", Description = "Rows of a batch, which the threads share. Default: chosen by the network's size." }.Between(1);

    public Option<bool> Quiet { get; } = new("--quiet", "-q") { Description = "No progress, no timings, no table of rows." };

    public void AddTo(Command command)
    {
        command.Add(Data);
        foreach (Option option in new Option[] { Labels, LabelColumn, IgnoreColumn, Header, Missing, ClassNamesFile, ScaleBy, Mean, Std, Layout, Resize, PreprocessingFile, Rows, Batch, Quiet }) command.Add(option);
    }

    /// <summary>The files that these arguments name.</summary>
    public IEnumerable<NamedPath> Files(ParseResult result) =>
    [
        new("DATA", Paths.File(result.GetValue(Data)), MayBeFolder: true), new("--labels", result.GetValue(Labels)), new("--class-names", result.GetValue(ClassNamesFile)),
        new("--preprocessing", result.GetValue(PreprocessingFile)),
    ];

    public ClassNames ReadClassNames(ParseResult result) => result.GetValue(ClassNamesFile) is { } file ? ClassNames.Read(file) : ClassNames.None;

    public InputPreprocessing ReadPreprocessing(ParseResult result)
    {
        bool? last = result.GetValue(Layout) is { } layout ? layout == "hwc" : null;
        if (result.GetValue(PreprocessingFile) is { } file)
        {
            if (new Option[] { ScaleBy, Mean, Std, Resize }.FirstOrDefault(o => result.GetResult(o) is { Implicit: false }) is { } twice)
                throw new InputException($"--preprocessing and {twice.Name} both say what becomes of the values. Give one of them.");
            return Cli.Data.PreprocessingFile.Read(file) with { ChannelsLast = last };
        }
        var text = result.GetValue(ScaleBy)!;
        return new()
        {
            Scale = Scale.TryParse(text) ?? throw new InputException($"--scale '{text}': expected a number other than 0, or a fraction such as 1/255."),
            Mean = Numbers(Mean, allowZero: true),
            Std = Numbers(Std, allowZero: false),
            Size = result.GetValue(Resize) is { } size ? Size(size) : null,
            ChannelsLast = last,
        };

        double[] Numbers(Option<string?> option, bool allowZero)
        {
            if (result.GetValue(option) is not { } given) return [];
            var numbers = given.Split(',').Select(n => double.TryParse(n, NumberStyles.Float, CultureInfo.InvariantCulture, out var v) && double.IsFinite(v) && (allowZero || v != 0) ? v : double.NaN).ToArray();
            return numbers.Any(double.IsNaN) ? throw new InputException($"{option.Name} '{given}': expected numbers{(allowZero ? "" : " other than 0")} with a comma between, one, one for each channel or one for each column, such as 0.485,0.456,0.406.") : numbers;
        }
    }

    public MissingValues ReadMissing(ParseResult result, LinearizationGraph graph) => MissingValues.Parse(result.GetValue(Missing), graph.Report.TakesMissingValues);

    public long ReadRows(ParseResult result)
    {
        var text = result.GetValue(Rows)!;
        if (text == "all") return long.MaxValue;
        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var rows) && rows > 0 ? rows : throw new InputException($"--rows '{text}': expected a whole number of 1 or more, or all.");
    }

    /// <summary>Opens the data for a compiled network, with its labels.</summary>
    public IRows Open(ParseResult result, Terminal terminal, LinearizationGraph graph, IReadOnlyList<InputPart> parts, InputPreprocessing preprocessing)
    {
        if (parts.FirstOrDefault(p => p.IsWhole) is { } whole && preprocessing.ChangesValues)
            throw new InputException($"--scale, --mean, --std and --preprocessing change every value, and the network's input '{whole.Name}' takes {whole.ElementType.Name} values as they are. Give the data as the network takes it.");
        var rows = DataFile.Open(result.GetValue(Data)!, Explainer.DataInput(graph), new ColumnChoice(result.GetValue(LabelColumn), result.GetValue(IgnoreColumn)!, parts) { HasHeader = result.GetValue(Header) is { } header ? header == "yes" : null }, preprocessing, terminal.Input);
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

    /// <summary>Number of all rows. A table without a count is read through for it.</summary>
    public long Count(ParseResult result, Terminal terminal, LinearizationGraph graph, IReadOnlyList<InputPart> parts, InputPreprocessing preprocessing, IRows rows)
    {
        if (rows.Count is { } count) return count;
        if (result.GetValue(Data) == Paths.Standard) throw new InputException("--shard needs the number of rows, which a table on standard input does not tell. Name a file.");
        using var again = Open(result, terminal, graph, parts, preprocessing);
        return again.Skip(long.MaxValue);
    }

    private static ImageSize Size(string text)
    {
        var sizes = text.Split('x').Select(s => int.TryParse(s, NumberStyles.None, CultureInfo.InvariantCulture, out var v) ? v : 0).ToArray();
        return sizes is [> 0 and var height, > 0 and var width] ? new(height, width, null, ResizeMethod.Linear) : throw new InputException($"--resize '{text}': expected HxW, such as 224x224.");
    }
}
