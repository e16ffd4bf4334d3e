using System.Runtime.CompilerServices;

namespace MLNetLinearize.Tests.Documentation;

/// <summary>The checkout the tests run from. Samples are named relative to it, as in README.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    public static string File(string relative) => Path.Combine(Root, relative);

    /// <summary>README, with the given generated part between its markers.</summary>
    public static string Part(string readme, string name)
    {
        var (start, end) = ($"<!-- {name} -->", $"<!-- /{name} -->");
        var from = readme.IndexOf(start, StringComparison.Ordinal) + start.Length;
        var to = readme.IndexOf(end, StringComparison.Ordinal);
        return to < from ? throw new InvalidOperationException($"README has no part '{name}'.") : readme[from..to].Trim();
    }

    [ModuleInitializer]
    internal static void StartAtRoot() => Environment.CurrentDirectory = Root;

    private static string Find()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !System.IO.File.Exists(Path.Combine(folder.FullName, "MLNetLinearize.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("The tests run outside a checkout.");
    }
}
