using Microsoft.ML.OnnxRuntime;

namespace MLNetLinearize.Tests.Cli;

public class VerifyAndExportTests
{
    private static readonly string[] Verify = ["verify", Samples.Model("digits-mlp.onnx"), Samples.Digits, "--label-column", "label", "--scale", "1/16", "--targets", "all"];

    [Fact]
    public void Sums_and_scores_are_within_tolerance()
    {
        var run = CliRun.Of([.. Verify, "--quiet"]);
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Contains("17,970", run.Out, StringComparison.Ordinal);
        Assert.EndsWith("OK: within the tolerance of 1.0e-05.\n", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Anything_above_the_tolerance_fails_with_a_code_of_its_own()
    {
        var run = CliRun.Of([.. Verify, "--tolerance", "1e-9"]);
        Assert.Equal(3, run.Code);
        Assert.EndsWith("FAILED: above the tolerance of 1.0e-09.\n", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void The_table_of_a_network_without_rounding_is_all_zero()
    {
        using var folder = new TemporaryFolder();
        var run = CliRun.Of("verify", TinyModels.WriteLinear(folder), folder.Write("rows.csv", "a,b,c\n1,2,3\n0,-1,4\n"), "--tolerance", "0", "--quiet");
        Assert.Equal("", run.Code == 0 ? "" : run.Out);
        Golden.Equal("verify-linear.txt", run.Out);
    }

    [Fact]
    public void The_exported_file_runs_in_bare_onnx_runtime()
    {
        using var folder = new TemporaryFolder();
        var run = CliRun.Of("export", TinyModels.WriteLinear(folder), folder.File("out.onnx"), "--targets", "all");
        Assert.Equal((0, ""), (run.Code, run.Error));
        Golden.Equal("export-linear.txt", run.Stable.Replace(folder.Path, ".", StringComparison.Ordinal));
        using var session = new InferenceSession(folder.File("out.onnx"));
        using var x = OrtValue.CreateTensorValueFromMemory([1f, 2, 3, 0, -1, 4], [2, 3]);
        using var options = new RunOptions();
        using var results = session.Run(options, ["x"], [x], ["Attribution", "Bias"]);
        Assert.Equal([2f, -6, 0, -1, 8, 1.5f, 0, 3, 0, 0, -4, 2], results[0].GetTensorDataAsSpan<float>().ToArray());
        Assert.Equal([1f, -2, 1, -2], results[1].GetTensorDataAsSpan<float>().ToArray());
    }

    [Fact]
    public void The_model_is_never_overwritten_by_its_own_export()
    {
        using var folder = new TemporaryFolder();
        var model = TinyModels.WriteLinear(folder);
        var before = File.ReadAllBytes(model);
        var run = CliRun.Of("export", model, model);
        Assert.Equal(1, run.Code);
        Assert.Equal(before, File.ReadAllBytes(model));
    }
}
