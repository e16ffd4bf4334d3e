using MLNetLinearize.Cli;

namespace MLNetLinearize.Tests.Cli;

public class HelpTests
{
    [Theory]
    [InlineData("")]
    [InlineData("inspect")]
    [InlineData("explain")]
    [InlineData("verify")]
    [InlineData("evaluate")]
    [InlineData("export")]
    [InlineData("completion")]
    public void Help_is_as_it_was_when_last_read(string command)
    {
        var run = CliRun.Of([.. command.Length > 0 ? [command] : Array.Empty<string>(), "--help"]);
        Assert.Equal((0, ""), (run.Code, run.Error));
        Golden.Equal($"help{(command.Length > 0 ? "-" : "")}{command}.txt", run.Out);
    }

    [Fact]
    public void No_arguments_give_the_help() => Assert.Equal(CliRun.Of("--help"), CliRun.Of());

    [Theory]
    [InlineData("Unrecognized command or argument 'explode'", "explode")]
    [InlineData("Required argument 'DATA' missing", "explain", "model.onnx")]
    [InlineData("--batch: expected a whole number of 1 or more, but got '0'.", "explain", "model.onnx", "data.csv", "--batch", "0")]
    [InlineData("--batch: expected a whole number of 1 or more, but got '3000000000'.", "explain", "model.onnx", "data.csv", "--batch", "3000000000")]
    [InlineData("--show: expected a whole number of 0 or more, but got 'many'.", "explain", "model.onnx", "data.csv", "--show", "many")]
    [InlineData("--show: expected a whole number of 0 or more, but got '-3'.", "explain", "model.onnx", "data.csv", "--show", "-3")]
    [InlineData("--top-features: expected a whole number of 0 or more, but got '-3'.", "explain", "model.onnx", "data.csv", "--top-features", "-3")]
    [InlineData("--threads: expected a whole number of 1 to 1024, but got 'x'.", "inspect", "model.onnx", "--threads", "x")]
    [InlineData("--threads: expected a whole number of 1 to 1024, but got '-1'.", "verify", "model.onnx", "data.csv", "--threads", "-1")]
    [InlineData("--threads: expected a whole number of 1 to 1024, but got '1000000'.", "inspect", "model.onnx", "--threads", "1000000")]
    [InlineData("Required argument missing for option: '--threads'.", "inspect", "model.onnx", "--threads")]
    [InlineData("--max-bytes-per-row: expected a whole number of 1 or more, but got '-5'.", "inspect", "model.onnx", "--max-bytes-per-row", "-5")]
    [InlineData("Argument 'wavy' not recognized", "inspect", "model.onnx", "--nonlinearity", "wavy")]
    public void Wrong_arguments_are_one_message_and_where_to_look(string message, params string[] arguments)
    {
        var run = CliRun.Of(arguments);
        Assert.Equal((1, ""), (run.Code, run.Out));
        Assert.StartsWith(message, run.Error, StringComparison.Ordinal);
        Assert.EndsWith("--help\n", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Unrecognized command or argument 'explian'. Nearest: 'explain'.\nTry: mlnet-linearize --help\n", "explian", "model.onnx", "data.csv")]
    [InlineData("Unrecognized command or argument '--label-colum'. Nearest: '--label-column'.\nTry: mlnet-linearize explain --help\n", "explain", "model.onnx", "data.csv", "--label-colum", "label")]
    [InlineData("Unrecognized command or argument '--jsn'. Nearest: '--json'.\nTry: mlnet-linearize inspect --help\n", "inspect", "model.onnx", "--jsn")]
    public void A_mistyped_word_is_told_alone_with_what_was_meant(string message, params string[] arguments) => Assert.Equal(new(1, "", message), CliRun.Of(arguments));

    [Fact]
    public async Task What_nobody_foresaw_is_one_line_and_a_code_of_its_own()
    {
        using StringWriter error = new();
        using var broken = new BrokenWriter();
        var terminal = new Terminal(Terminal.Create(broken, plain: true), Terminal.Create(error, plain: true));
        Assert.Equal(4, await CommandLine.RunAsync(["inspect", Samples.Model("digits-mlp.onnx")], terminal));
        Assert.Equal("Unexpected InvalidOperationException: The writer is broken. This is a defect of the tool; MLNETLINEARIZE_TRACE=1 shows where.\n", error.ToString().ReplaceLineEndings("\n"));
    }

    private sealed class BrokenWriter : StringWriter
    {
        public override void Write(char value) => throw new InvalidOperationException("The writer\nis broken.");
    }
}
