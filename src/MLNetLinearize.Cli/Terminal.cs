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

    /// <summary>A console that writes plain text.</summary>
    public static IAnsiConsole Create(TextWriter writer, bool plain)
    {
        var settings = new AnsiConsoleSettings { Out = new AnsiConsoleOutput(writer) };
        if (plain) settings.Ansi = AnsiSupport.No;
        if (plain) settings.ColorSystem = ColorSystemSupport.NoColors;
        if (plain) settings.Interactive = InteractionSupport.No;
        var console = AnsiConsole.Create(settings);
        if (plain) console.Profile.Width = FileWidth;
        return console;
    }
}
