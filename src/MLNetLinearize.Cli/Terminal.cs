using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace MLNetLinearize.Cli;

/// <summary>Where results go, and where progress, timings and errors go. Tests bring their own.</summary>
internal sealed record Terminal(IAnsiConsole Out, IAnsiConsole Error)
{
    /// <summary>Opens standard input, for data.</summary>
    public Func<Stream> Input { get; init; } = Console.OpenStandardInput;

    /// <summary>Opens standard output, for data.</summary>
    public Func<Stream> Output { get; init; } = StandardOutput.Open;

    /// <summary>Whether programs read along: one JSON object on the output, and one on the error stream for each thing told there.</summary>
    public bool IsJson { get; init; }

    /// <summary>Columns of text where the output is no terminal: wide enough for the tables, and the same everywhere.</summary>
    private const int FileWidth = 160;

    private static readonly JsonSerializerOptions JsonFormat = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static Terminal System()
    {
        Console.OutputEncoding = new System.Text.UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        // In the console's place, since a console of the table library is a terminal only where it writes to that.
        Console.SetOut(new StandardWriter(Console.Out, mayBeLost: !Console.IsOutputRedirected));
        Console.SetError(new StandardWriter(Console.Error, mayBeLost: true));
        return new(Create(Console.Out, Console.IsOutputRedirected), Create(Console.Error, Console.IsErrorRedirected));
    }

    /// <summary>The same with people's text on the error stream: standard output takes the data.</summary>
    public Terminal WithDataOnOutput() => this with { Out = Error };

    /// <summary>Writes the one object that <c>--json</c> promises.</summary>
    public void WriteJson(JsonObject summary) => Out.Profile.Out.Writer.WriteLine(Printable.Text(summary.ToJsonString(JsonFormat)));

    /// <summary>Writes a failure with the exit code that it leads to.</summary>
    public void Fail(string message, int code) =>
        Complain(IsJson ? new JsonObject { ["error"] = new JsonObject { ["code"] = code, ["message"] = message } }.ToJsonString(JsonFormat) : message);

    /// <summary>Writes a message in its own lines. Consoles break lines by width, which cuts paths in two and hinders searching a log.</summary>
    public void Complain(string message) => Error.Profile.Out.Writer.WriteLine(Printable.Text(message, keepsLines: true));

    /// <summary>A console that writes plain text.</summary>
    public static IAnsiConsole Create(TextWriter writer, bool plain)
    {
        var settings = new AnsiConsoleSettings { Out = new AnsiConsoleOutput(plain ? new TrimmingWriter(writer) : writer) };
        if (plain) (settings.Ansi, settings.ColorSystem, settings.Interactive) = (AnsiSupport.No, ColorSystemSupport.NoColors, InteractionSupport.No);
        var console = AnsiConsole.Create(settings);
        if (plain) console.Profile.Width = FileWidth;
        console.Pipeline.Attach(new PrintableHook());
        return console;
    }
}
