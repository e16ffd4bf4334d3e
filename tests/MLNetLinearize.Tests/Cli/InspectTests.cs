using System.Text.RegularExpressions;
using Google.Protobuf;
using MLNetLinearize.Cli;
using MLNetLinearize.Tests.Rules;

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
        Golden.Equal($"inspect-{model}.txt", run.Stable);
    }

    [Fact]
    public void The_order_of_accumulation_and_what_it_saves_are_told()
    {
        using var folder = new TemporaryFolder();
        var net = new Net(17, 2);
        var hidden = net.Op("Relu", [net.Op("Gemm", [net.Input("x", "N", 40), net.Weights(40, 3), net.Weights(3)])]);
        var file = folder.Write("wide.onnx", net.Build(net.Op("Gemm", [hidden, net.Weights(3, 40)])).ToByteArray());
        var run = CliRun.Of("inspect", file, "--targets", "all", "--cache", folder.File("cache"));
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Contains("forward pass", run.Out, StringComparison.Ordinal);
        // Behind the Relu: encoder 3·(120 + 3), product 40·3·41, the decoder's weights as they are; in reverse 40·(120 + 3 + 120).
        Assert.Contains("5,289 multiply-adds a row more for 40 targets, cut at 'Relu", Regex.Replace(run.Out, @"\s+", " "), StringComparison.Ordinal);
        Assert.Contains("(3 wide), reverse mode on both sides; in reverse mode alone", Regex.Replace(run.Out, @"\s+", " "), StringComparison.Ordinal);
        Assert.Matches("batch +128 rows a run", run.Out);
        Assert.Matches(@"speed +[\d,]+ rows a second here", run.Out);
        Assert.Single(Directory.GetFiles(folder.File("cache"), "*.linearization"));
        Assert.Equal(run.Stable, CliRun.Of("inspect", file, "--targets", "all", "--cache", folder.File("cache")).Stable);
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
    public void A_broken_model_is_bad_input_in_every_command()
    {
        using var folder = new TemporaryFolder();
        var whole = File.ReadAllBytes(Samples.Model("digits-mlp.onnx"));
        var rows = folder.Write("rows.csv", "a,b,c\n1,2,3\n");
        foreach (var broken in new[] { folder.Write("cut.onnx", whole[..(whole.Length / 2)]), folder.Write("empty.onnx", ""), TinyModels.WriteBroken(folder) })
        {
            foreach (var arguments in new string[][] { ["inspect", broken], ["explain", broken, rows], ["verify", broken, rows], ["export", broken, folder.File("out.onnx")] })
            {
                var run = CliRun.Of(arguments);
                Assert.Equal((1, ""), (run.Code, run.Out));
                Assert.NotEqual("", run.Error);
            }
        }
    }

    [Theory]
    [InlineData("--max-bytes-per-row", "10")]
    [InlineData("--max-bytes-per-row", "1")]
    public void A_budget_too_small_is_wrong_use_not_a_refusal(params string[] option)
    {
        using var folder = new TemporaryFolder();
        var run = CliRun.Of(["inspect", TinyModels.WriteLinear(folder), .. option]);
        Assert.Equal((1, ""), (run.Code, run.Out));
        Assert.Contains("(1 · 3 · 4 bytes)", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_shape_left_open_is_wrong_use_not_a_refusal()
    {
        using var folder = new TemporaryFolder();
        var model = TinyModels.WriteOpen(folder);
        var run = CliRun.Of("inspect", model);
        Assert.Equal((1, ""), (run.Code, run.Out));
        Assert.Contains("--input-shape x=", run.Error, StringComparison.Ordinal);
        Assert.Equal(0, CliRun.Of("inspect", model, "--input-shape", "x=1,4").Code);
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

    [Fact]
    public void The_limit_of_unrolling_is_an_option()
    {
        using var folder = new TemporaryFolder();
        var net = new Rules.Net(17, 1);
        var steps = net.Op("Unsqueeze", [net.Op("Transpose", [net.Input("x", 1, 5)]), net.Ints(2)]);
        var model = folder.File("rnn.onnx");
        File.WriteAllBytes(model, Google.Protobuf.MessageExtensions.ToByteArray(net.Build(net.Op("RNN", [steps, net.Weights(1, 2, 1), net.Weights(1, 2, 2)], ("hidden_size", 2L)))));
        var refused = CliRun.Of("inspect", model, "--max-unrolled-steps", "4", "--json");
        Assert.Equal(2, refused.Code);
        Assert.Contains("at most 4 are unrolled (--max-unrolled-steps)", refused.Out, StringComparison.Ordinal);
        Assert.Equal(0, CliRun.Of("inspect", model, "--max-unrolled-steps", "5").Code);
    }

    [Theory]
    [InlineData("Name it in ExplainedInputs.", "Name it in --explained-input.")]
    [InlineData("ExplainedOutput 'ExplainedOutput' is no tensor", "--explained-output 'ExplainedOutput' is no tensor")]
    [InlineData("Give the sizes in InputShapes[\"image\"], the batch first.", "Give the sizes in --input-shape image=…, the batch first.")]
    [InlineData("above the budget (MaxBytesPerRow). Use Targets.Top(3) or Targets.Predicted.", "above the budget (--max-bytes-per-row). Use --targets top:3 or --targets predicted.")]
    [InlineData("at most 1,000 are unrolled (MaxUnrolledSteps)", "at most 1,000 are unrolled (--max-unrolled-steps)")]
    [InlineData("Targets.PredictedVersusRunnerUp needs two outputs", "--targets predicted-vs-runner-up needs two outputs")]
    public void Remedies_name_the_options_of_the_command_line(string library, string here) => Assert.Equal(here, OptionWords.Of(library));

    [Theory]
    [InlineData("--from", "--from names 'nope', which the model does not have.")]
    [InlineData("--explained-input", "--explained-input names 'nope', which the model does not have.")]
    [InlineData("--to", "--to 'nope' is no tensor that the model computes.")]
    [InlineData("--explained-output", "--explained-output 'nope' is no tensor that the model computes.")]
    public void An_option_of_two_names_has_the_one_that_was_typed(string option, string message)
    {
        using var folder = new TemporaryFolder();
        var model = TinyModels.WriteLinear(folder);
        foreach (var run in new[] { CliRun.Of("inspect", model, option, "nope"), CliRun.Of("inspect", model, $"{option}=nope") })
        {
            Assert.Equal((1, ""), (run.Code, run.Out));
            Assert.StartsWith(message, run.Error, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("contrast:1,1", "--targets 'contrast:1,1': a contrast is one of two different outputs, and both are output 1. Name two, such as contrast:0,3.\n")]
    [InlineData("classes:", "--targets 'classes:': an output is missing. Name each by index or class name, with a comma between, such as classes:0,3.\n")]
    [InlineData("contrast:0,", "--targets 'contrast:0,': an output is missing.")]
    [InlineData("classes:x", "--targets 'classes:x': 'x' is no output index.")]
    public void Targets_that_name_no_outputs_are_told(string targets, string message)
    {
        using var folder = new TemporaryFolder();
        var run = CliRun.Of("inspect", TinyModels.WriteLinear(folder), "--targets", targets);
        Assert.Equal((1, ""), (run.Code, run.Out));
        Assert.StartsWith(message, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void One_is_told_in_the_singular()
    {
        using var folder = new TemporaryFolder();
        var run = CliRun.Of("inspect", TinyModels.WriteLinear(folder));
        Assert.DoesNotMatch(@"\b1 (node|target|row|score)s\b", run.Out);
        Assert.Contains("a row, 1 node\n", run.Out, StringComparison.Ordinal);
        Assert.Equal(("1 column", "2 columns", "0 columns"), (MLNetLinearize.Cli.Output.Words.Number(1, "column"), MLNetLinearize.Cli.Output.Words.Number(2, "column"), MLNetLinearize.Cli.Output.Words.Number(0, "column")));
    }

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
