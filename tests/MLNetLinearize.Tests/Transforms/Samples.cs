namespace MLNetLinearize.Tests.Transforms;

/// <summary>Files of the repository's samples folder, found from wherever the tests run.</summary>
internal static class Samples
{
    public static string Path(string file)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "MLNetLinearize.sln"))) return System.IO.Path.Combine(folder.FullName, "samples", file);
        throw new DirectoryNotFoundException($"No solution above '{AppContext.BaseDirectory}'. Run the tests inside the repository.");
    }
}
