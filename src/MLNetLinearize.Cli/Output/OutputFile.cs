using MLNetLinearize.Onnx;

namespace MLNetLinearize.Cli.Output;

/// <summary>
/// A file to write, opened before any work, so that a path that cannot be written costs no time. It appears under its name
/// only when it is complete: a stop, an error or a full disk leaves untouched what had that name.
/// </summary>
internal sealed class OutputFile : IDisposable
{
    private readonly string argument;
    private readonly string? temporary;
    private readonly Stream stream;
    private readonly string target;
    private readonly Func<Stream>? standard;
    private readonly Stream? place;
    // Whether the temporary file lies among the system's own, in a folder that the user did not name.
    private readonly bool isAside;

    /// <param name="argument">The argument that asked for it.</param>
    /// <param name="path">The file.</param>
    /// <param name="isResumed">Whether the run keeps a journal, which is open.</param>
    public OutputFile(string argument, string path, bool isResumed = false)
    {
        (this.argument, Path, target) = (argument, path, CompleteFile.Target(path));
        Stream? opened = null, kept = null;
        // A pipe or a device keeps its name; the content goes into it when it is complete.
        Try(() => kept = CompleteFile.Unnamed(target));
        if ((place = kept) is not null) (standard, isAside) = (() => place, true);
        temporary = place is null ? Paths.Temporary(target, isResumed) : TemporaryPath.New(".tmp");
        Try(() =>
        {
            if (place is null) Directory.CreateDirectory(System.IO.Path.GetDirectoryName(temporary)!);
            Hold(() => opened = File.Create(temporary));
        });
        stream = opened!;
    }

    /// <summary>Standard output in a file's place.</summary>
    /// <param name="argument">The argument that asked for it.</param>
    /// <param name="standard">Opens standard output.</param>
    /// <param name="whole">Whether the format can be written only to a file: that is then copied at the end.</param>
    public OutputFile(string argument, Func<Stream> standard, bool whole)
    {
        (this.argument, Path, target) = (argument, Paths.Standard, Paths.Standard);
        Stream? opened = null;
        if (whole)
        {
            (temporary, this.standard, isAside) = (TemporaryPath.New(".tmp"), standard, true);
            Hold(() => opened = File.Create(temporary));
        }
        stream = opened ?? standard();
    }

    /// <summary>The path as the user gave it.</summary>
    public string Path { get; }

    /// <summary>Writes to the file. A failure names the argument and the path.</summary>
    public void Write(Action<Stream> write) => Try(() => Hold(() => write(stream)));

    /// <summary>Closes the file and gives it its name.</summary>
    public void Complete() => Try(() =>
    {
        Hold(stream.Dispose);
        if (temporary is null) return;
        if (standard is null)
        {
            File.Move(temporary, target, overwrite: true);
            return;
        }
        using var from = File.OpenRead(temporary);
        using var to = standard();
        from.CopyTo(to);
    });

    public void Dispose()
    {
        try
        {
            stream.Dispose();
        }
        catch (Exception e) when (IsFailure(e))
        {
            // What could not be written is thrown away; why it could not was told when it was tried.
        }
        place?.Dispose();
        if (temporary is not null) File.Delete(temporary);
    }

    /// <summary>Whether a failure is one of the system to write, and no defect. That a file is too large, .NET tells as an argument out of range.</summary>
    public static bool IsFailure(Exception e) => e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentOutOfRangeException { ParamName: "value" };

    /// <summary>Runs what writes to <paramref name="path"/>, or to <paramref name="temporary"/> in its place. A failure names the argument and the path.</summary>
    public static void Try(string argument, string path, string? temporary, Action action)
    {
        try
        {
            action();
        }
        catch (IOException e) when (path == Paths.Standard && StandardOutput.IsGone(e))
        {
            throw new ReaderGoneException();
        }
        catch (Exception e) when (IsFailure(e))
        {
            // The system's message may name the temporary file, which the user never asked for.
            var message = e is ArgumentException ? "The file is larger than its file system, or a limit of the system, allows." : e.Message;
            var reason = Words.Sentence(temporary is null ? message : message.Replace(temporary, path, StringComparison.Ordinal));
            throw new InputException(path == Paths.Standard
                ? $"Standard output ({argument} -) cannot be written: {reason} Send it to a file on a disk with room for it, or to a program that reads it."
                : $"{argument} '{path}' cannot be written: {reason} Name a file in a folder that can be written to, on a disk with room for it.");
        }
    }

    /// <summary>Writes to where the output is until it is complete.</summary>
    private void Hold(Action action)
    {
        if (isAside) TemporaryPath.Try(temporary!, action);
        else action();
    }

    private void Try(Action action) => Try(argument, Path, temporary, action);
}
