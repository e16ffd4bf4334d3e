using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using MLNetLinearize.Cli;

namespace MLNetLinearize.Tests.Cli;

/// <summary>One run of the command line, in memory.</summary>
internal sealed partial record CliRun(int Code, string Out, string Error)
{
    public static CliRun Of(params string[] arguments) => Of(arguments, CancellationToken.None);

    public static CliRun Of(string[] arguments, CancellationToken cancel)
    {
        using StringWriter output = new(), error = new();
        var terminal = new Terminal(Terminal.Create(output, plain: true), Terminal.Create(error, plain: true));
        var code = CommandLine.RunAsync(arguments, terminal, cancel).GetAwaiter().GetResult();
        return new(code, output.ToString().ReplaceLineEndings("\n"), error.ToString().ReplaceLineEndings("\n"));
    }

    /// <summary>A run with bytes on standard input, and what it writes as data to standard output.</summary>
    public static (CliRun Run, byte[] Data) Piped(byte[] input, params string[] arguments) => Piped(new MemoryStream(input), arguments, CancellationToken.None);

    /// <summary>A run that is told to stop when so many bytes of its standard input were read.</summary>
    public static CliRun Stopped(byte[] input, int afterBytes, params string[] arguments)
    {
        using var stop = new CancellationTokenSource();
        using var from = new MemoryStream(input);
        return Piped(new Pipe(from, () => { if (from.Position >= afterBytes) stop.Cancel(); }), arguments, stop.Token).Run;
    }

    private static (CliRun Run, byte[] Data) Piped(Stream from, string[] arguments, CancellationToken cancel)
    {
        using StringWriter output = new(), error = new();
        using var to = new MemoryStream();
        var terminal = new Terminal(Terminal.Create(output, plain: true), Terminal.Create(error, plain: true)) { Input = () => from as Pipe ?? new Pipe(from), Output = () => to };
        var code = CommandLine.RunAsync(arguments, terminal, cancel).GetAwaiter().GetResult();
        return (new(code, output.ToString().ReplaceLineEndings("\n"), error.ToString().ReplaceLineEndings("\n")), to.ToArray());
    }

    /// <summary>A stream that can only be read on, a few bytes at a time.</summary>
    private sealed class Pipe(Stream inner, Action? beforeRead = null) : Stream
    {
        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }
        public override int Read(byte[] buffer, int offset, int count)
        {
            beforeRead?.Invoke();
            return inner.Read(buffer, offset, Math.Min(count, 7));
        }

        public override void Flush() { }
        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }

    /// <summary>Standard output with rounding errors, byte counts and times replaced: they differ from processor to processor and version to version.</summary>
    public string Stable => Times().Replace(Bytes().Replace(RoundingError().Replace(Out, "#.#e-##"), "# bytes"), "#").Replace(Samples.Root, ".", StringComparison.Ordinal);

    [GeneratedRegex(@"\d\.\de-\d\d|(?<=worst error .*\(row )\d+|(?<=\d   ) {6}0(?=   p\d)")]
    private static partial Regex RoundingError();

    [GeneratedRegex(@"[\d,]+(?= rows a second here)|(?<=all outputs read, on )\d+|(?<=compiled +in )[\d.]+|[\d.]+(?= s of processor time)")]
    private static partial Regex Times();

    [GeneratedRegex(@"[\d,]+ bytes")]
    private static partial Regex Bytes();
}

/// <summary>The sample networks and data of the repository.</summary>
internal static class Samples
{
    public static string Root { get; } = FindRoot();

    public static string Model(string name) => Path.Combine(Root, "samples", "models", name);

    public static string Digits { get; } = Path.Combine(Root, "samples", "data", "digits", "digits.csv");

    public static string Fashion(string name) => Path.Combine(Root, "samples", "data", "fashion-mnist", name);

    private static string FindRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "MLNetLinearize.sln"))) folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The tests run outside the repository.");
        return folder;
    }
}

/// <summary>Texts that were looked at once and must stay. Run the tests with UPDATE_GOLDEN=1 to write them anew, then look at the difference.</summary>
internal static class Golden
{
    public static void Equal(string name, string actual, [CallerFilePath] string caller = "")
    {
        var file = Path.Combine(Path.GetDirectoryName(caller)!, "Golden", name);
        if (Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
        {
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            File.WriteAllText(file, actual);
        }
        Assert.Equal(File.ReadAllText(file).ReplaceLineEndings("\n"), actual);
    }
}

/// <summary>A folder that is gone after the test.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("mlnet-linearize-").FullName;

    public string File(string name) => System.IO.Path.Combine(Path, name);

    public string Write(string name, string text)
    {
        System.IO.File.WriteAllText(File(name), text);
        return File(name);
    }

    public string Write(string name, byte[] bytes)
    {
        System.IO.File.WriteAllBytes(File(name), bytes);
        return File(name);
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
