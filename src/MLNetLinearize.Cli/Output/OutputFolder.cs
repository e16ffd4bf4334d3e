namespace MLNetLinearize.Cli.Output;

/// <summary>A folder of files to write. Like <see cref="OutputFile"/> it appears under its name only when it is complete; it replaces nothing but an empty folder.</summary>
internal sealed class OutputFolder : IDisposable
{
    private readonly string argument, full, temporary;
    private readonly bool isAside;

    /// <param name="argument">The argument that asked for it.</param>
    /// <param name="path">The folder.</param>
    /// <param name="isResumed">Whether the run keeps a journal, which is open.</param>
    /// <param name="named">What the user named, where that is not the folder: messages speak of it.</param>
    /// <param name="isAside">Whether the folder lies among the system's temporary ones.</param>
    public OutputFolder(string argument, string path, bool isResumed = false, string? named = null, bool isAside = false)
    {
        (this.argument, Path, this.isAside) = (argument, named ?? path, isAside);
        full = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(path));
        if (Directory.Exists(full) && Directory.EnumerateFileSystemEntries(full).Any()) throw new InputException($"{argument} '{path}' is a folder that is not empty. Name a new one.");
        temporary = Paths.Temporary(path, isResumed);
        Try(() =>
        {
            Dispose();
            Directory.CreateDirectory(temporary);
        });
    }

    /// <summary>The path as the user gave it.</summary>
    public string Path { get; }

    /// <summary>Where a file of the folder is until the folder is complete.</summary>
    public string File(string name) => System.IO.Path.Combine(temporary, name);

    public FileStream Create(string name)
    {
        FileStream? stream = null;
        Try(() => stream = System.IO.File.Create(File(name)));
        return stream!;
    }

    /// <summary>Gives the folder its name.</summary>
    public void Complete() => Try(() =>
    {
        if (Directory.Exists(full)) Directory.Delete(full);
        Directory.Move(temporary, full);
    });

    /// <summary>Writes to the folder. A failure names the argument and the path.</summary>
    public void Try(Action action)
    {
        if (isAside) TemporaryPath.Try(temporary, action);
        else OutputFile.Try(argument, Path, temporary, action);
    }

    public void Dispose()
    {
        if (Directory.Exists(temporary)) Directory.Delete(temporary, recursive: true);
    }
}
