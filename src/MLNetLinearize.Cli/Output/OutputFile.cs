namespace MLNetLinearize.Cli.Output;

/// <summary>
/// A file to write, opened before any work, so that a path that cannot be written costs no time. It appears under its name
/// only when it is complete: a stop, an error or a full disk leaves untouched what had that name.
/// </summary>
internal sealed class OutputFile : IDisposable
{
    private readonly string argument, temporary;
    private readonly FileStream stream;

    public OutputFile(string argument, string path)
    {
        (this.argument, Path) = (argument, path);
        var folder = System.IO.Path.GetDirectoryName(System.IO.Path.GetFullPath(path))!;
        temporary = System.IO.Path.Combine(folder, $".{System.IO.Path.GetFileName(path)}.{Guid.NewGuid():N}.tmp");
        stream = Try(() =>
        {
            Directory.CreateDirectory(folder);
            return File.Create(temporary);
        });
    }

    /// <summary>The path as the user gave it.</summary>
    public string Path { get; }

    /// <summary>Writes to the file. A failure names the argument and the path.</summary>
    public void Write(Action<Stream> write) => Try(() =>
    {
        write(stream);
        return true;
    });

    /// <summary>Closes the file and gives it its name.</summary>
    public void Complete() => Try(() =>
    {
        stream.Dispose();
        File.Move(temporary, Path, overwrite: true);
        return true;
    });

    public void Dispose()
    {
        try
        {
            stream.Dispose();
        }
        catch (IOException)
        {
            // What could not be written is thrown away; why it could not was told when it was tried.
        }
        File.Delete(temporary);
    }

    private T Try<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            // The system's message may name the temporary file, which the user never asked for.
            var reason = e.Message.Replace(temporary, Path, StringComparison.Ordinal);
            throw new InputException($"{argument} '{Path}' cannot be written: {reason} Name a file in a folder that can be written to, on a disk with room for it.");
        }
    }
}
