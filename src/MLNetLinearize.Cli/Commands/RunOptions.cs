using System.CommandLine;
using System.Globalization;
using System.Security.Cryptography;

namespace MLNetLinearize.Cli.Commands;

/// <summary>Arguments about the run as a job: a part of the rows, and going on after an interruption.</summary>
internal sealed class RunOptions
{
    public Option<string?> Shard { get; } = new("--shard") { HelpName = "i/n", Description = "Explain only the i-th of n parts of the rows, for jobs side by side. The parts' rows, one after the other, are those of one run over all. So are files of CSV and JSON lines, as cat joins them: only the first part of a CSV has the header." };

    public Option<bool> Resume { get; } = new("--resume") { Description = "Keep what is finished in OUT.resume while the run lasts; after an interruption the same command goes on from there." };

    public void AddTo(Command command)
    {
        foreach (Option option in new Option[] { Shard, Resume }) command.Add(option);
    }

    /// <summary>The rows to explain, of those up to <paramref name="limit"/>.</summary>
    public RowRange ReadRange(ParseResult result, long limit, int rowsPerBlock, Func<long> count) =>
        result.GetValue(Shard) is { } text ? Cli.Shard.Parse(text).Of(Math.Min(limit, count()), rowsPerBlock) : RowRange.Of(limit);

    /// <summary>Whether the rows begin with the data's first: the header of a table is that part's alone, so that the parts can be joined.</summary>
    public bool IsFirst(ParseResult result) => result.GetValue(Shard) is not { } text || Cli.Shard.Parse(text).Index == 1;

    /// <summary>The rows that no other part explains, of which a run over <paramref name="range"/> can tell whether the data has them.</summary>
    public RowRange ReadOwn(ParseResult result, RowRange range) => result.GetValue(Shard) switch
    {
        null => RowRange.All,
        var text when Cli.Shard.Parse(text).IsLast => range with { Count = long.MaxValue },
        _ => range,
    };

    /// <summary>The file that the run is resumed from; null where it is not to be.</summary>
    /// <param name="result">The arguments.</param>
    /// <param name="outputs">What the run writes: the journal lies beside the first.</param>
    public NamedPath? ReadJournal(ParseResult result, IEnumerable<NamedPath> outputs)
    {
        if (!result.GetValue(Resume)) return null;
        var output = outputs.FirstOrDefault(o => o.Path is not null).Path ?? throw new InputException("--resume keeps what is finished beside the output, and no file is written. Name one with --out.");
        return new("--resume", $"{Path.TrimEndingDirectorySeparator(output)}.resume");
    }

    /// <summary>
    /// What the results of a run depend on: the files' contents and all arguments but those that only say what is written
    /// or shown. The data is known by its size here; its rows are compared one by one as they are read.
    /// </summary>
    /// <param name="result">The arguments.</param>
    /// <param name="without">Options that the results do not depend on.</param>
    /// <param name="files">Files by argument that are known by their contents.</param>
    /// <param name="data">The data.</param>
    /// <param name="explainer">What computes.</param>
    public static SortedDictionary<string, string> Identity(ParseResult result, IEnumerable<Option> without, IEnumerable<NamedPath> files, string data, Explainer explainer)
    {
        var identity = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["tool"] = typeof(RunOptions).Assembly.GetName().Version!.ToString(),
            ["ONNX Runtime"] = typeof(Microsoft.ML.OnnxRuntime.InferenceSession).Assembly.GetName().Version!.ToString(),
            ["rows a block"] = explainer.RowsPerBlock.ToString(CultureInfo.InvariantCulture),
            ["results"] = string.Join(", ", explainer.Outputs),
            ["DATA"] = Size(data),
        };
        var named = files.Where(f => f.Path is not null && !f.MayBeFolder).ToList();
        foreach (var file in named.Where(f => File.Exists(f.Path))) identity[file.Argument] = Contents(file.Path!);
        foreach (var option in result.CommandResult.Command.Options.Except(without))
            if (named.All(f => f.Argument != option.Name) && result.GetResult(option) is { Implicit: false } given)
                identity[option.Name] = string.Join(' ', given.Tokens.Select(t => t.Value));
        return identity;
    }

    private static string Contents(string file)
    {
        using var stream = File.OpenRead(file);
        return $"SHA-256 {Convert.ToHexStringLower(SHA256.HashData(stream))}";
    }

    private static string Size(string data) =>
        data == Paths.Standard ? "standard input"
        : Directory.Exists(data) ? $"a folder of {Directory.EnumerateFiles(data, "*", SearchOption.AllDirectories).Count().ToString(CultureInfo.InvariantCulture)} files"
        : $"{new FileInfo(data).Length.ToString(CultureInfo.InvariantCulture)} bytes";
}
