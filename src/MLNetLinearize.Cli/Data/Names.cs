namespace MLNetLinearize.Cli.Data;

/// <summary>What messages repeat of names and cells, which are as long as whoever made the data likes.</summary>
internal static class Names
{
    /// <summary>Most characters of one that a message repeats.</summary>
    private const int MostRepeated = 80;

    /// <summary>Most characters of a library's message that one of this tool repeats.</summary>
    private const int MostOfReason = 200;

    /// <summary>All names, or the first and the last where they are many; each as <see cref="Short"/> has it.</summary>
    public static string Some(IReadOnlyList<string> names) =>
        names.Count <= 8 ? string.Join(", ", names.Select(Short)) : $"{string.Join(", ", names.Take(6).Select(Short))}, … {Short(names[^1])}";

    /// <summary>A text, or where it is long its beginning.</summary>
    public static string Short(string text) => Start(text, MostRepeated);

    /// <summary>What a library says of data that it cannot read, and may repeat of it: one line that ends like a sentence.</summary>
    public static string Reason(Exception e) => Output.Words.Sentence(Start(e.Message.ReplaceLineEndings(" ").Trim(), MostOfReason));

    private static string Start(string text, int most) =>
        text.Length <= most ? text : $"{text[..(most - (char.IsHighSurrogate(text[most - 1]) ? 1 : 0))]}…";
}
