namespace MLNetLinearize.Onnx;

/// <summary>
/// A file that gets its name when it is complete: it is written beside that name first, so that a full disk leaves what was there
/// untouched. What a link points to is written, not the link; a pipe or a device, which keeps nothing, is written to as it stands.
/// </summary>
internal static class CompleteFile
{
    /// <param name="path">The file; folders on the way are made.</param>
    /// <param name="write">Writes the content.</param>
    /// <exception cref="IOException">It cannot be written; the message names it, and what was there before is untouched.</exception>
    public static void Write(string path, Action<Stream> write)
    {
        var target = Target(path);
        var folder = Path.GetDirectoryName(target)!;
        var temporary = Beside(target, $"{Guid.NewGuid():N}");
        try
        {
            if (Unnamed(target) is { } stream)
            {
                using (stream) write(stream);
                return;
            }
            Directory.CreateDirectory(folder);
            using (var file = File.Create(temporary)) write(file);
            File.Move(temporary, target, overwrite: true);
        }
        catch (IOException e) when (e.Message.Contains(folder, StringComparison.Ordinal))
        {
            var why = e.Message.Replace($" : '{temporary}'", "", StringComparison.Ordinal).Replace(temporary, target, StringComparison.Ordinal).TrimEnd('.');
            throw new IOException($"'{path}' cannot be written: {why}. What was there before is untouched. Free space on that disk, or name a file elsewhere.", e);
        }
        finally
        {
            if (File.Exists(temporary)) File.Delete(temporary);
        }
    }

    /// <summary>Where a file, or a folder, is until it is complete: beside its name, hidden.</summary>
    /// <param name="target">Its full path.</param>
    /// <param name="mark">Tells it from what others write there.</param>
    public static string Beside(string target, string mark) => Path.Combine(Path.GetDirectoryName(target)!, $".{Path.GetFileName(target)}.{mark}.tmp");

    /// <summary>Where a path leads: the last of its links.</summary>
    public static string Target(string path)
    {
        var full = Path.GetFullPath(path);
        return new FileInfo(full).LinkTarget is null ? full : File.ResolveLinkTarget(full, returnFinalTarget: true)?.FullName ?? full;
    }

    /// <summary>A stream to what is not replaced by a file: a device of this machine, or a pipe. Else null.</summary>
    public static Stream? Unnamed(string target)
    {
        // A pipe cannot be sought; a device may seem to be, but has its place among the others. Neither has a length.
        if (OperatingSystem.IsWindows() || !File.Exists(target) || new FileInfo(target).Length > 0) return null;
        var isDevice = target.StartsWith("/dev/", StringComparison.Ordinal) && !target.StartsWith("/dev/shm/", StringComparison.Ordinal);
        try
        {
            var stream = new FileStream(target, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            if (isDevice || !stream.CanSeek) return stream;
            stream.Dispose();
        }
        catch (UnauthorizedAccessException)
        {
            // A file that may be replaced, though not written to.
        }
        return null;
    }
}
