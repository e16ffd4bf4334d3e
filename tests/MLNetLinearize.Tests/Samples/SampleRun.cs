using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using MLNetLinearize.Tests.Documentation;

namespace MLNetLinearize.Tests.SamplePrograms;

/// <summary>A sample started as its user starts it, as a process of its own, with pictures and files going to a folder that is deleted afterwards.</summary>
internal sealed partial class SampleRun : IDisposable
{
    private readonly string name;

    /// <param name="name">Folder and assembly of the sample.</param>
    /// <param name="arguments">What stands before the output folder, which is the last argument of every sample.</param>
    public SampleRun(string name, params string[] arguments)
    {
        this.name = name;
        Folder = Directory.CreateTempSubdirectory($"sample-{name}-").FullName;
        var (code, output, errors) = Start(name, [.. arguments, Folder]);
        Output = output.TrimEnd();
        Assert.True(code == 0, $"{name} ended with {code}: {errors}");
    }

    public string Folder { get; }

    public string Output { get; }

    /// <summary>What a sample says on standard error when it ends with exit code 1, as it must.</summary>
    public static string Refusal(string name, params string[] arguments)
    {
        var (code, _, errors) = Start(name, arguments);
        Assert.True(code == 1, $"{name} ended with {code}: {errors}");
        return errors.TrimEnd();
    }

    private static (int Code, string Output, string Errors) Start(string name, string[] arguments)
    {
        // The tests stand in tests/MLNetLinearize.Tests/bin/<configuration>/<framework>/.
        var here = new DirectoryInfo(AppContext.BaseDirectory);
        var dll = Repository.File($"samples/{name}/bin/{here.Parent!.Name}/net10.0/{name}.dll");
        using var process = Process.Start(new ProcessStartInfo("dotnet", [dll, .. arguments]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output.ReplaceLineEndings("\n"), errors.Result.ReplaceLineEndings("\n"));
    }

    public void Dispose() => Directory.Delete(Folder, recursive: true);

    /// <summary>The numbers of the first line that starts with <paramref name="start"/> (after blanks), in order, after those of the start itself.</summary>
    public static double[] Figures(string text, string start)
    {
        var line = text.Split('\n').Select(l => l.TrimStart()).First(l => l.StartsWith(start, StringComparison.Ordinal));
        return [.. Number().Matches(line[start.Length..]).Select(m => Parse(m.Value))];
    }

    /// <summary>
    /// The run prints what the sample's README shows: the same words, and the same figures up to what another processor's
    /// rounding may change: two units of the last digit printed; rounding errors themselves (1.2e-7) up to a factor of ten.
    /// </summary>
    public void PrintsWhatItsReadmeShows()
    {
        var readme = File.ReadAllText(Repository.File($"samples/{name}/README.md")).ReplaceLineEndings("\n");
        var shown = Repository.Part(readme, "output").Trim('`', '\n', ' ');
        Assert.Equal(Number().Replace(shown, "0"), Number().Replace(Output, "0"));
        foreach (var (expected, actual) in Number().Matches(shown).Zip(Number().Matches(Output)))
        {
            var (e, a) = (Parse(expected.Value), Parse(actual.Value));
            var near = expected.Value.Contains('e', StringComparison.Ordinal)
                ? a <= 10 * e && e <= 10 * a
                : Math.Abs(e - a) <= 2.001 * Unit(expected.Value);
            Assert.True(near, $"README of {name} shows {expected.Value} where the run prints {actual.Value}.");
        }
    }

    /// <summary>A picture that shows something: of at least the given size, and of many colours.</summary>
    public void Draws(string picture, int width, int height)
    {
        using var bitmap = SkiaSharp.SKBitmap.Decode(Path.Combine(Folder, picture));
        Assert.True(bitmap is not null, $"{picture} is no picture.");
        Assert.True(bitmap.Width >= width && bitmap.Height >= height, $"{picture} is {bitmap.Width} x {bitmap.Height}.");
        Assert.True(bitmap.Pixels.Distinct().Take(50).Count() == 50, $"{picture} is nearly empty.");
    }

    private static double Unit(string number) => Math.Pow(10, -(number.Length - 1 - (number.IndexOf('.', StringComparison.Ordinal) is >= 0 and var dot ? dot : number.Length - 1)));

    private static double Parse(string number) => double.Parse(number.Replace(",", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);

    [GeneratedRegex(@"(?<![\w.])\d[\d,]*(\.\d+)?(e[-+]\d+)?(?!\w)")]
    private static partial Regex Number();
}
