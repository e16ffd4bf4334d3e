namespace MLNetLinearize.Tests.Assets;

/// <summary>Real networks and data, which are not part of the repository: a folder named by an environment variable.</summary>
internal static class AssetFolder
{
    public const string Variable = "MLNETLINEARIZE_ASSETS";

    public static string? Path { get; } = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } folder && Directory.Exists(folder) ? System.IO.Path.GetFullPath(folder) : null;

    public static string? SkipReason => Path is null ? $"{Variable} names no folder with networks and data." : null;

    public static string File(string relative) => System.IO.Path.Combine(Path ?? throw new InvalidOperationException(SkipReason), relative);
}

/// <summary>A test over real networks and data; skipped, visibly, where they are absent.</summary>
internal sealed class AssetFactAttribute : FactAttribute
{
    public AssetFactAttribute() => Skip = AssetFolder.SkipReason;
}

/// <inheritdoc cref="AssetFactAttribute"/>
internal sealed class AssetTheoryAttribute : TheoryAttribute
{
    public AssetTheoryAttribute() => Skip = AssetFolder.SkipReason;
}
