using Google.Protobuf;
using MathNet.Numerics.LinearAlgebra;
using Microsoft.ML.OnnxRuntime;
using MLNetLinearize.Tests.Linearization;
using static MLNetLinearize.Tests.Rules.Agreement;

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
        Assert.Matches(@"\nThe sum is off most in row \d+, output \d\.\n", run.Out);
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
    public void A_network_of_double_precision_is_compared_in_its_own()
    {
        using var folder = new TemporaryFolder();
        var run = CliRun.Of("verify", TinyModels.WriteDouble(folder), folder.Write("rows.csv", "a,b,c\n1,2,3\n"), "--quiet");
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Matches(@"\|score − the model's own score\| / the row's largest \|score\| +\d", run.Out);
    }

    [Fact]
    public void The_compiler_s_notes_are_told_by_every_command()
    {
        using var folder = new TemporaryFolder();
        var (model, rows) = (TinyModels.WriteDouble(folder), folder.Write("rows.csv", "a,b,c\n1,2,3\n"));
        foreach (var arguments in new string[][] { ["inspect", model], ["explain", model, rows], ["verify", model, rows], ["export", model, folder.File("out.onnx")] })
        {
            var run = CliRun.Of(arguments);
            Assert.Equal(0, run.Code);
            Assert.Contains("The model holds Double numbers; it is computed, and explained, in float32.", run.Out, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void No_relative_error_is_shown_where_no_score_is_large_enough()
    {
        using var folder = new TemporaryFolder();
        // Both scores are 0 at this row.
        var run = CliRun.Of("verify", TinyModels.WriteLinear(folder), folder.Write("rows.csv", "a,b,c\n1,1,-2\n"), "--quiet");
        Assert.Equal(0, run.Code);
        Assert.Matches(@"where \|F\| ≥ 0\.01 +– +– +– +0\n", run.Out);
    }

    [Fact]
    public void Rows_beyond_float32_fail_with_a_warning()
    {
        using var folder = new TemporaryFolder();
        var run = CliRun.Of("verify", TinyModels.WriteLinear(folder), folder.Write("rows.csv", "a,b,c\n4,4,1\n"), "--scale", "1e38", "--quiet");
        Assert.Equal(3, run.Code);
        Assert.Contains("Warning: 1 row came out as NaN or infinite (the first: row 0) and has no explanation", run.Out, StringComparison.Ordinal);
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
    public void The_exported_file_of_a_network_that_is_cut_gives_the_same_map()
    {
        using var folder = new TemporaryFolder();
        var (file, rows) = (folder.File("autoencoder.onnx"), 3);
        File.WriteAllBytes(file, NarrowestCutTests.Autoencoder().ToByteArray());
        var run = CliRun.Of("export", file, folder.File("out.onnx"), "--targets", "all");
        Assert.Equal((0, ""), (run.Code, run.Error));

        using var linearizer = new Linearizer(file, new() { Targets = Targets.All });
        Assert.Equal(4, linearizer.Graph.Report.Accumulation!.CutWidth);
        var random = new Random(5);
        var x = Enumerable.Range(0, rows * 48).Select(_ => random.NextSingle() * 2 - 1).ToArray();
        var maps = linearizer.ExplainBatch(x, rows);

        using var session = new InferenceSession(folder.File("out.onnx"));
        using var input = OrtValue.CreateTensorValueFromMemory(x, [rows, 48]);
        using var options = new RunOptions();
        using var results = session.Run(options, ["x"], [input], ["Weights", "Bias", "LinearizationError"]);
        Assert.Equal([rows, 48, 48], results[0].GetTensorTypeAndShape().Shape);
        AssertClose([.. maps.SelectMany(m => m.Weights.ToRowMajorArray().Widened())], results[0].GetTensorDataAsSpan<float>().ToArray().Widened(), "W", 1e-6);
        AssertClose([.. maps.SelectMany(m => m.Bias.Widened())], results[1].GetTensorDataAsSpan<float>().ToArray().Widened(), "b", 1e-6);
        Assert.All(results[2].GetTensorDataAsSpan<float>().ToArray(), e => Assert.InRange(e, 0, 1e-6f));
        // The map differs from row to row, and is no constant that any file would give.
        Assert.NotEqual(maps[0].Weights, maps[1].Weights);
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
