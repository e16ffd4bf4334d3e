namespace MLNetLinearize.Cli.Output;

/// <summary>The formats of <c>--out</c>.</summary>
internal enum OutputFormat
{
    Csv,
    Parquet,
    Npy,
    Npz,
    JsonLines,
    Png,
    Overlay,
}

/// <summary>Formats by name and by extension.</summary>
internal static class OutputFormats
{
    /// <summary>Names as <c>--format</c> takes them.</summary>
    public static IReadOnlyDictionary<string, OutputFormat> Names { get; } = new Dictionary<string, OutputFormat>
    {
        ["csv"] = OutputFormat.Csv,
        ["parquet"] = OutputFormat.Parquet,
        ["npy"] = OutputFormat.Npy,
        ["npz"] = OutputFormat.Npz,
        ["jsonl"] = OutputFormat.JsonLines,
        ["png"] = OutputFormat.Png,
        ["overlay"] = OutputFormat.Overlay,
    };

    /// <summary>Whether a format is a folder of files.</summary>
    public static bool IsFolder(this OutputFormat format) => format is OutputFormat.Npy or OutputFormat.Png or OutputFormat.Overlay;

    /// <summary>Whether a format is pictures of maps.</summary>
    public static bool IsPicture(this OutputFormat format) => format is OutputFormat.Png or OutputFormat.Overlay;

    /// <summary>The format of a path, by the name given or else its extension; CSV on standard output.</summary>
    public static OutputFormat Of(string path, string? name)
    {
        if (name is not null) return Names[name];
        if (path == Paths.Standard) return OutputFormat.Csv;
        return Path.GetExtension(path).ToLowerInvariant() switch
        {
            ".csv" => OutputFormat.Csv,
            ".parquet" => OutputFormat.Parquet,
            ".npz" => OutputFormat.Npz,
            ".jsonl" or ".ndjson" => OutputFormat.JsonLines,
            var other => throw new InputException($"--out '{path}': the extension '{other}' names no format. Name a file with .csv, .parquet, .npz or .jsonl, or say --format {string.Join('|', Names.Keys)} (npy, png and overlay write a folder)."),
        };
    }
}
