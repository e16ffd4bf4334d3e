using MLNetLinearize.Cli;
using MLNetLinearize.Onnx;
using Spectre.Console;

namespace MLNetLinearize.Tests.Cli;

/// <summary>Names from models and data reach no terminal and no log as they are where that would obey them: escapes are shown, files keep the names.</summary>
public class PrintableTests
{
    private const string Escape = "\u001b[2J", Reversed = "\u202Etxt.exe\u2066", Hostile = Escape + Reversed + "\u009b31m\r\nOK: all is well", Shown = @"\u001b[2J\u202etxt.exe\u2066\u009b31m\u000d\u000aOK: all is well";

    [Theory]
    [InlineData("plain name/Relu_0 – größer 日本 👍", "plain name/Relu_0 – größer 日本 👍")]
    [InlineData(Hostile, Shown)]
    [InlineData("\0\t\u007f\u2028", @"\u0000\u0009\u007f\u2028")]
    public void Names_are_shown_with_what_would_be_obeyed_escaped(string name, string shown) => Assert.Equal(shown, Printable.Text(name));

    [Fact]
    public void Lines_of_a_text_stay_lines()
    {
        Assert.Equal("a\nb\\u001b", Printable.Text("a\r\nb\u001b", keepsLines: true));
    }

    [Theory]
    [InlineData("inspect")]
    [InlineData("inspect", "--tensors")]
    [InlineData("inspect", "--json")]
    [InlineData("inspect", "--to", "nothing")]
    [InlineData("explain")]
    [InlineData("explain", "--every-layer")]
    [InlineData("explain", "--json")]
    [InlineData("verify")]
    [InlineData("evaluate", "--rows", "1")]
    public void No_command_writes_them_raw(string command, params string[] options)
    {
        using var folder = new TemporaryFolder();
        var model = WriteHostile(folder);
        string[] data = command == "inspect" ? [] : [folder.Write("rows.csv", $"longer than sixteen bytes,{Escape},{Reversed}\n1,2,3\n")];
        string[] classes = command is "inspect" ? [] : ["--class-names", folder.Write("names.txt", $"no{Escape}\nyes{Reversed}\n")];
        var run = CliRun.Of([command, model, .. data, .. classes, .. options]);
        Assert.DoesNotContain(run.Out + run.Error, c => c != '\n' && char.IsControl(c) || c is '\u202E' or '\u2066');
        if (command is not ("verify" or "evaluate")) Assert.Contains(@"\u001b[2J", run.Out + run.Error, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("\nOK: all is well", run.Out + run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_terminal_s_own_escapes_pass()
    {
        using var text = new StringWriter();
        var console = AnsiConsole.Create(new AnsiConsoleSettings { Ansi = AnsiSupport.Yes, ColorSystem = ColorSystemSupport.Standard, Out = new AnsiConsoleOutput(text) });
        console.Pipeline.Attach(new PrintableHook());
        console.MarkupLine($"[red]failed[/] {Markup.Escape(Escape)}");
        console.WriteLine(Reversed);
        Assert.Contains("\u001b[91mfailed\u001b[0m", text.ToString(), StringComparison.Ordinal);
        Assert.Contains(@"\u001b[2J", text.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(Escape, text.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("\u202E", text.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Exceptions_of_the_library_escape_what_they_repeat()
    {
        using var folder = new TemporaryFolder();
        var wrong = Assert.Throws<InvalidModelException>(() => LinearizationGraph.Compile(WriteHostile(folder), new() { ExplainedOutput = Hostile }));
        Assert.Contains(Shown, wrong.Message, StringComparison.Ordinal);
        var model = OnnxFile.Read(WriteHostile(folder));
        model.Graph.Node[0].OpType = "Det" + Escape;
        OnnxFile.Write(model, folder.File("refused.onnx"));
        var refused = Assert.ThrowsAny<Exception>(() => LinearizationGraph.Compile(folder.File("refused.onnx")));
        Assert.DoesNotContain('\u001b', refused.Message);
        using var linearizer = new Linearizer(WriteHostile(folder), new() { Targets = Targets.All });
        Assert.Contains(@"\u001b[2J", Assert.Throws<ArgumentException>(() => linearizer.Explain(new float[7])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Files_keep_the_names()
    {
        using var folder = new TemporaryFolder();
        var names = folder.Write("names.txt", $"no{Escape}\nyes{Escape}\n");
        var run = CliRun.Of("explain", TinyModels.WriteLinear(folder), folder.Write("rows.csv", "a,b,c\n1,2,3\n"), "--class-names", names, "--quiet", "--out", folder.File("out.csv"));
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Contains(Escape, File.ReadAllText(folder.File("out.csv")), StringComparison.Ordinal);
    }

    /// <summary>The network of <see cref="TinyModels.WriteLinear"/> with names that clear the screen, turn the writing round and forge a line.</summary>
    private static string WriteHostile(TemporaryFolder folder)
    {
        var model = OnnxFile.Read(TinyModels.WriteLinear(folder));
        var node = model.Graph.Node[0];
        (node.Name, node.Output[0], model.Graph.Output[0].Name) = (Hostile, $"y{Hostile}", $"y{Hostile}");
        (node.Input[0], model.Graph.Input[0].Name) = ($"x{Hostile}", $"x{Hostile}");
        OnnxFile.Write(model, folder.File("hostile.onnx"));
        return folder.File("hostile.onnx");
    }
}
