using MLNetLinearize.Cli.Data;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Cli;

/// <summary>A path as the user gave it, and the argument that it was given for; the path is null where the argument was left out.</summary>
internal readonly record struct NamedPath(string Argument, string? Path, bool MayBeFolder = false);

/// <summary>Looks at all paths of a command before any work is done: what a command writes must never be what it reads.</summary>
internal static class Paths
{
    /// <summary>Standard input or output in a path's place.</summary>
    public const string Standard = "-";

    private static readonly StringComparison Comparison = OperatingSystem.IsWindows() || OperatingSystem.IsMacOS() ? StringComparison.OrdinalIgnoreCase : StringComparison.Ordinal;

    public static void Check(IEnumerable<NamedPath> reads, params NamedPath[] writes)
    {
        var (inputs, outputs) = (Given(reads), Given(writes));
        foreach (var input in inputs)
            if (!input.MayBeFolder && Directory.Exists(input.Path)) throw new InputException($"{input.Argument} '{input.Path}' is a folder. Expected a file.");
        for (var i = 0; i < outputs.Count; i++)
        {
            var output = outputs[i];
            if (!output.MayBeFolder && Directory.Exists(output.Path)) throw new InputException($"{output.Argument} '{output.Path}' is a folder. Expected the name of the file to write.");
            // Outputs replace what has their name, which would take the device away from every program.
            if (!OperatingSystem.IsWindows() && Path.GetDirectoryName(Real(output.Path!)) == "/dev") throw new InputException($"{output.Argument} '{output.Path}' is a device. Name a file.");
            foreach (var input in inputs)
            {
                if (Same(output, input)) throw new InputException($"{output.Argument} '{output.Path}' is {input.Argument} itself, which writing would destroy. Name another file.");
                if (Directory.Exists(input.Path) && ImageFolder.Holds(Real(input.Path!), output.MayBeFolder ? Path.Combine(Real(output.Path!), "0.png") : Real(output.Path!), Comparison))
                    throw new InputException($"{output.Argument} '{output.Path}' would lie among the images of {input.Argument}. Name a file elsewhere.");
            }
            if (outputs.Take(i).FirstOrDefault(o => Same(o, output)) is { Path: not null } twin) throw new InputException($"{twin.Argument} and {output.Argument} both name '{output.Path}'. Name two files.");
        }
    }

    /// <summary>Refuses a file to write whose name says another format than the one that is written.</summary>
    /// <param name="output">The file.</param>
    /// <param name="format">What is written.</param>
    /// <param name="extensions">Its extensions.</param>
    public static void CheckExtension(NamedPath output, string format, params string[] extensions)
    {
        if (output.Path is { } path && !extensions.Contains(Path.GetExtension(path).ToLowerInvariant()))
            throw new InputException($"{output.Argument} '{path}' is written as {format}, which its name does not say. Name a file with {string.Join(" or ", extensions)}.");
    }

    /// <summary>A path for <see cref="Check"/>: null for standard input and output, which are no files.</summary>
    public static string? File(string? path) => path == Standard ? null : path;

    /// <summary>
    /// Where an output is until it is complete: beside its name, hidden. A resumed run gives all that go on with it the same
    /// place, so that what one left that was killed is overwritten; the journal lets one of them run at a time. Any other run
    /// has a place of its own.
    /// </summary>
    public static string Temporary(string path, bool isResumed) =>
        CompleteFile.Beside(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)), isResumed ? "resume" : $"{Guid.NewGuid():N}");

    private static List<NamedPath> Given(IEnumerable<NamedPath> paths)
    {
        var given = paths.Where(p => p.Path is not null).ToList();
        foreach (var path in given)
            if (string.IsNullOrWhiteSpace(path.Path)) throw new InputException($"{path.Argument} is empty. Expected a path.");
        return given;
    }

    private static bool Same(NamedPath a, NamedPath b) => string.Equals(Real(a.Path!), Real(b.Path!), Comparison);

    /// <summary>The full path behind all links: a model is not to be overwritten by another of its names either.</summary>
    private static string Real(string path)
    {
        var full = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        if (Path.GetDirectoryName(full) is not { } folder) return full;
        var real = Path.Combine(Real(folder), Path.GetFileName(full));
        try
        {
            return System.IO.File.ResolveLinkTarget(real, returnFinalTarget: true)?.FullName ?? real;
        }
        catch (IOException)
        {
            // Nothing is there, or a link leads nowhere: nothing that could be overwritten.
            return real;
        }
    }
}
