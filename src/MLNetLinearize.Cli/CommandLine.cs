using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using MLNetLinearize.Canonicalization;
using MLNetLinearize.Cli.Commands;

namespace MLNetLinearize.Cli;

/// <summary>The whole command line: arguments to exit code. Every failure is one message on the error stream.</summary>
internal static class CommandLine
{
    private const string TraceVariable = "MLNETLINEARIZE_TRACE";

    /// <summary>The name that the tool is called by.</summary>
    public const string Name = "mlnet-linearize";

    private const string JsonOption = "--json";

    public static async Task<int> RunAsync(IReadOnlyList<string> arguments, Terminal given, CancellationToken cancel = default)
    {
        // Before the arguments are understood: what is wrong with them is told to programs too.
        var terminal = given with { IsJson = arguments.Contains(JsonOption) };
        var parsed = Root(terminal).Parse(arguments.Count == 0 ? ["--help"] : arguments);
        // The library's own handler would print the usage again below each error, and a stack trace below each exception.
        if (parsed.Errors.Count > 0 && parsed.Action is ParseErrorAction)
        {
            foreach (var message in Mistakes(parsed)) terminal.Fail(message, ExitCodes.BadInput);
            if (!terminal.IsJson) terminal.Complain($"Try: {string.Join(' ', Names(parsed.CommandResult))} --help");
            return ExitCodes.BadInput;
        }
        // The library of this command line stops a run at SIGINT and SIGTERM. A terminal that is closed sends another signal.
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        using var closed = PosixSignalRegistration.Create(PosixSignal.SIGHUP, signal =>
        {
            signal.Cancel = true;
            stop.Cancel();
        });
        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration
            {
                Output = terminal.Out.Profile.Out.Writer,
                Error = terminal.Error.Profile.Out.Writer,
                EnableDefaultExceptionHandler = false,
            }, stop.Token);
        }
        catch (Exception e)
        {
            var code = ExitCodes.Of(e);
            // A reader who has read enough need not be told.
            if (code != ExitCodes.ReaderGone) terminal.Fail(OptionWords.Of(code == ExitCodes.Unexpected ? Defect(e) : Message(e), arguments), code);
            return code;
        }
    }

    private static string Message(Exception e) => e switch
    {
        OperationCanceledException => "Stopped.",
        OnnxRuntimeException => $"ONNX Runtime: {e.Message}",
        OutOfMemoryException => "Out of memory. Explain fewer rows a run (--batch) or fewer targets (--targets).",
        _ => e.Message,
    };

    /// <summary>Nobody foresaw this one. Who reads the message cannot do much with a trace of calls; who mends the tool can.</summary>
    private static string Defect(Exception e) => Environment.GetEnvironmentVariable(TraceVariable) == "1" ? e.ToString()
        : $"Unexpected {e.GetType().Name}: {e.Message.ReplaceLineEndings(" ")} This is a defect of the tool; {TraceVariable}=1 shows where.";

    /// <summary>What is wrong with the arguments. A mistyped word makes what follows it look wrong as well, and what it stands for look missing: only itself is told, with what may have been meant.</summary>
    private static IEnumerable<string> Mistakes(ParseResult parsed)
    {
        var unknown = parsed.UnmatchedTokens;
        var mistyped = unknown.Where(t => t.StartsWith('-')).ToList();
        if (mistyped.Count == 0) mistyped = [.. unknown.Take(1)];
        if (mistyped.Count == 0) return parsed.Errors.Select(e => e.Message);
        var known = parsed.CommandResult.Command.Subcommands.Select(c => c.Name).ToList();
        for (System.CommandLine.Parsing.SymbolResult? result = parsed.CommandResult; result is System.CommandLine.Parsing.CommandResult command; result = command.Parent) known.AddRange(command.Command.Options.SelectMany(o => o.Aliases.Prepend(o.Name)));
        return mistyped.SelectMany(word => parsed.Errors.Select(e => e.Message).Where(m => m.Contains($"'{word}'", StringComparison.Ordinal)).Take(1).Select(m => $"{m}{NearestNames.Hint(word, known)}"));
    }

    private static RootCommand Root(Terminal terminal)
    {
        var root = new RootCommand("""
            Explains the predictions of a neural network in ONNX form, exactly: at each row the network is an affine map,
            score = Σ weight · input + bias, and this tool writes it down. Each input's share of the score is its contribution.
            """)
        {
            new InspectCommand(terminal).Create(),
            new ExplainCommand(terminal).Create(),
            new VerifyCommand(terminal).Create(),
            new EvaluateCommand(terminal).Create(),
            new ExportCommand(terminal).Create(),
            new CompletionCommand(terminal).Create(),
        };
        root.Add(new Option<bool>(JsonOption) { Description = "For programs: one JSON object on standard output; progress and errors as JSON lines on standard error.", Recursive = true });
        var help = root.Options.OfType<HelpOption>().Single();
        help.Action = new HelpWithExamples((HelpAction)help.Action!);
        return root;
    }

    private static IEnumerable<string> Names(System.CommandLine.Parsing.SymbolResult? result)
    {
        var names = new Stack<string>();
        for (; result is System.CommandLine.Parsing.CommandResult command; result = command.Parent) names.Push(command.Parent is null ? Name : command.Command.Name);
        return names;
    }
}
