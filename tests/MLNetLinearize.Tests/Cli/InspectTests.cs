using MLNetLinearize.Cli;

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

    [Fact]
    public void A_sound_model_that_cannot_be_explained_is_refused_too()
    {
        using var folder = new TemporaryFolder();
        var run = CliRun.Of("inspect", TinyModels.WriteIntegers(folder));
        Assert.Equal((2, ""), (run.Code, run.Error));
        Assert.StartsWith("integers.onnx cannot be linearized: 1 node stands in the way.", run.Out, StringComparison.Ordinal);
        Assert.Contains("--explained-input", run.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Name it in ExplainedInputs.", "Name it in --explained-input.")]
    [InlineData("ExplainedOutput 'ExplainedOutput' is no tensor", "--explained-output 'ExplainedOutput' is no tensor")]
    [InlineData("Give the sizes in InputShapes[\"image\"], the batch first.", "Give the sizes in --input-shape image=…, the batch first.")]
    [InlineData("above the budget (MaxBytesPerRow). Use Targets.Top(3) or Targets.Predicted.", "above the budget (--max-bytes-per-row). Use --targets top:3 or --targets predicted.")]
    [InlineData("Targets.PredictedVersusRunnerUp needs two outputs", "--targets predicted-vs-runner-up needs two outputs")]
    public void Remedies_name_the_options_of_the_command_line(string library, string here) => Assert.Equal(here, OptionWords.Of(library));

    [Fact]
    public void A_result_beyond_the_budget_is_refused_with_the_number()
    {
        using var folder = new TemporaryFolder();
        var run = CliRun.Of("export", TinyModels.WriteLinear(folder), folder.File("out.onnx"), "--targets", "all", "--max-bytes-per-row", "20");
        Assert.Equal((1, ""), (run.Code, run.Out));
        Assert.Contains("(2 · 3 · 4 bytes)", run.Error, StringComparison.Ordinal);
        Assert.Contains("--max-bytes-per-row", run.Error, StringComparison.Ordinal);
    }
}
