namespace MLNetLinearize.Cli.Data;

/// <summary>Lists of names in messages.</summary>
internal static class Names
{
    /// <summary>All names, or the first and the last where they are many.</summary>
    public static string Some(IReadOnlyList<string> names) => names.Count <= 8 ? string.Join(", ", names) : $"{string.Join(", ", names.Take(6))}, … {names[^1]}";
}
