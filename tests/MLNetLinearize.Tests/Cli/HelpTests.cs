namespace MLNetLinearize.Tests.Cli;

public class HelpTests
{
    [Theory]
    [InlineData("")]
    [InlineData("inspect")]
    [InlineData("explain")]
    [InlineData("verify")]
    [InlineData("export")]
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
    [InlineData("--batch: expected a whole number of 1 or more, but got 0.", "explain", "model.onnx", "data.csv", "--batch", "0")]
    [InlineData("Cannot parse argument 'many'", "explain", "model.onnx", "data.csv", "--show", "many")]
    [InlineData("Argument 'wavy' not recognized", "inspect", "model.onnx", "--nonlinearity", "wavy")]
    public void Wrong_arguments_are_one_message_and_where_to_look(string message, params string[] arguments)
    {
        var run = CliRun.Of(arguments);
        Assert.Equal((1, ""), (run.Code, run.Out));
        Assert.StartsWith(message, run.Error, StringComparison.Ordinal);
        Assert.EndsWith("--help\n", run.Error, StringComparison.Ordinal);
    }
}
