namespace MLNetLinearize.Tests.Cli;

public class InspectTests
{
    [Theory]
    [InlineData("digits-cnn")]
    [InlineData("digits-mlp")]
    public void A_network_is_told_node_by_node(string model)
    {
        var run = CliRun.Of("inspect", Samples.Model($"{model}.onnx"));
        Assert.Equal((0, ""), (run.Code, run.Error));
        Golden.Equal($"inspect-{model}.txt", run.Out);
    }

    [Fact]
    public void A_refused_network_names_its_nodes_reasons_and_remedies()
    {
        using var folder = new TemporaryFolder();
        var run = CliRun.Of("inspect", TinyModels.WriteRefused(folder));
        Assert.Equal((2, ""), (run.Code, run.Error));
        Golden.Equal("inspect-refused.txt", run.Out);
    }

    [Fact]
    public void The_other_commands_refuse_it_with_the_same_code()
    {
        using var folder = new TemporaryFolder();
        var run = CliRun.Of("export", TinyModels.WriteRefused(folder), folder.File("out.onnx"));
        Assert.Equal((2, ""), (run.Code, run.Out));
        Assert.Contains("'pick'", run.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(folder.File("out.onnx")));
    }

    [Fact]
    public void A_file_that_is_no_model_is_bad_input()
    {
        var run = CliRun.Of("inspect", Samples.Digits);
        Assert.Equal((1, ""), (run.Code, run.Out));
        Assert.Contains("digits.csv' is not an ONNX model", run.Error, StringComparison.Ordinal);
    }
}
