using CsvHelper;

namespace MLNetLinearize.Cli.Output;

/// <summary>How every table of the tool is written as CSV.</summary>
internal static class CsvText
{
    /// <summary>
    /// A text that begins with one of <c>= + - @</c>, a tab or a carriage return gets an apostrophe in front, since spreadsheets
    /// run it as a formula, and names come from whoever made the model and the data (OWASP, "CSV Injection"). Numbers stay numbers.
    /// </summary>
    private static readonly CsvWriterOptions Options = CsvWriterOptions.Default with { Injection = CsvInjection.Escape };

    /// <summary>What writes a table to a stream, which stays open.</summary>
    public static CsvWriter Writer(Stream stream) => CsvWriter.Create(stream, Options, leaveOpen: true);
}
