using Spectre.Console;

namespace MLNetLinearize.Cli;

/// <summary>Where results go, and where progress, timings and errors go. Tests bring their own.</summary>
internal sealed record Terminal(IAnsiConsole Out, IAnsiConsole Error)
{
    /// <summary>Columns of text where the output is no terminal: wide enough for the tables, and the same everywhere.</summary>
    private const int FileWidth = 160;

    public static Terminal System()
    {
        Console.OutputEncoding = new System.Text.UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        return new(Create(Console.Out, Console.IsOutputRedirected), Create(Console.Error, Console.IsErrorRedirected));
    }

    /// <summary>Writes a message as it stands. Consoles break lines by width, which cuts paths in two and hinders searching a log.</summary>
    public void Complain(string message) => Error.Profile.Out.Writer.WriteLine(message);

    /// <summary>A console that writes plain text.</summary>
    public static IAnsiConsole Create(TextWriter writer, bool plain)
    {
        var settings = new AnsiConsoleSettings { Out = new AnsiConsoleOutput(plain ? new TrimmingWriter(writer) : writer) };
        if (!plain) return AnsiConsole.Create(settings);
        (settings.Ansi, settings.ColorSystem, settings.Interactive) = (AnsiSupport.No, ColorSystemSupport.NoColors, InteractionSupport.No);
        var console = AnsiConsole.Create(settings);
        console.Profile.Width = FileWidth;
        return console;
    }
}
