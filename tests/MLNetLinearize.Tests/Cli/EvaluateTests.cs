using System.Globalization;
using System.Text.Json.Nodes;
using MLNetLinearize.Cli;
using MLNetLinearize.Tests.Reporting;
using SkiaSharp;

namespace MLNetLinearize.Tests.Cli;

/// <summary><c>evaluate</c> on networks small enough to work out by hand, and on a real one.</summary>
public sealed class EvaluateTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    /// <summary>Lines of the written table by method and measure.</summary>
    private static Dictionary<(string, string), string[]> Read(string file) =>
        File.ReadAllLines(file).Skip(1).Select(l => l.Split(',')).ToDictionary(f => (f[0], f[1]));

    private static double Mean(Dictionary<(string, string), string[]> table, string method, string measure) => double.Parse(table[(method, measure)][2], CultureInfo.InvariantCulture);

    [Fact]
    public void FiguresAreThoseOnPaper()
    {
        // y0 = 2·a − 3·b + 0·c + 1 at (1, 1, 2): contributions 2, −3 and 0, score 0; y1 = −1 + 4 + 1 − 2 = 2 is predicted: contributions −1, 4, 1, ranked b, c, a.
        var (model, data, table) = (TinyModels.WriteLinear(folder), folder.Write("rows.csv", "a,b,c\n1,1,2\n"), folder.File("table.csv"));
        var run = CliRun.Of("evaluate", model, data, "--measure-in", "score", "--out", table, "-q");

        Assert.Equal((ExitCodes.Success, ""), (run.Code, run.Error));
        var read = Read(table);
        // y1: all 2; without b −2; without b and c −3; without all −2. With b alone 2; b and c 3.
        Assert.Equal(((2 - 2) / 2.0 + (-2 - 3) / 2.0 + (-3 - 2) / 2.0) / 3, Mean(read, "linearization", "deletion area"), 1e-6);
        Assert.Equal(((-2 + 2) / 2.0 + (2 + 3) / 2.0 + (3 + 2) / 2.0) / 3, Mean(read, "linearization", "insertion area"), 1e-6);
        Assert.Equal(0, Mean(read, "linearization", "infidelity"), 1e-9);
        Assert.Equal("lower", read[("linearization", "deletion area")][4]);
        Assert.Contains("1 explanation of 1 row", run.Out, StringComparison.Ordinal);
        Assert.Contains("score of the output. 3 inputs a row; a removed one takes the value 0.", run.Out.ReplaceLineEndings(" "), StringComparison.Ordinal);
    }

    [Fact]
    public void TheSameFiguresForPrograms()
    {
        var (model, data) = (TinyModels.WriteLinear(folder), folder.Write("rows.csv", "a,b,c\n1,1,2\n"));
        var run = CliRun.Of("evaluate", model, data, "--measure-in", "score", "--json", "--report", folder.File("report.html"));

        Assert.Equal((ExitCodes.Success, ""), (run.Code, run.Error));
        var json = JsonNode.Parse(run.Out)!;
        var area = json["measures"]!.AsArray().Single(m => (string)m!["method"]! == "linearization" && (string)m["measure"]! == "deletion area")!;
        Assert.Equal(((2 - 2) / 2.0 + (-2 - 3) / 2.0 + (-3 - 2) / 2.0) / 3, (double)area["mean"]!, 1e-6);
        Assert.False((bool)area["higherIsBetter"]!);
        Assert.Equal((1, folder.File("report.html")), ((int)json["explanations"]!, (string)json["report"]!));
    }

    [Fact]
    public void ARealNetworkInTableAndPlot()
    {
        var (table, plot) = (folder.File("table.csv"), folder.File("plot.png"));
        var run = CliRun.Of("evaluate", Samples.Model("digits-cnn.onnx"), Samples.Digits, "--label-column", "label", "--scale", "1/16", "--rows", "12", "--targets", "label", "--out", table, "--plot", plot, "-q");

        Assert.Equal((ExitCodes.Success, ""), (run.Code, run.Error));
        var read = Read(table);
        Assert.Equal(4 * 9, read.Count);
        // What any explanation worth the name does.
        Assert.True(Mean(read, "linearization", "deletion area") < Mean(read, "random", "deletion area"));
        Assert.True(Mean(read, "linearization", "insertion area") > Mean(read, "random", "insertion area"));
        Assert.InRange(Mean(read, "linearization", "correlation with x · ∂F/∂x"), 0.98, 1.0001);
        Assert.InRange(Mean(read, "linearization", "completeness error"), 0, 1e-5);
        Assert.Contains($"table    {table}\ncurves   {plot}\n", run.Out.ReplaceLineEndings("\n"), StringComparison.Ordinal);
        foreach (var text in new[] { "deletion area", "↓", "insertion area", "↑", "occlusion", "Petsiuk et al. 2018", "Adebayo et al. 2018", "structural similarity" }) Assert.Contains(text, run.Out, StringComparison.Ordinal);
        using var image = SKBitmap.Decode(plot);
        Assert.True(image.Width > 1500 && image.Height > 800);
        // The main line's colour is there.
        Assert.Contains(image.Pixels, p => p == new SKColor(0xD5, 0x5E, 0x00));
    }

    [Fact]
    public void AHundredRowsAreReadUnlessMoreAreAskedFor()
    {
        var run = CliRun.Of("evaluate", Samples.Model("digits-mlp.onnx"), Samples.Digits, "--label-column", "label", "--scale", "1/16", "--json");

        Assert.Equal((ExitCodes.Success, ""), (run.Code, run.Error));
        Assert.Equal(100, (int)JsonNode.Parse(run.Out)!["rows"]!);
    }

    [Fact]
    public void OneExplanationHasNoStandardError()
    {
        var (model, data, table) = (TinyModels.WriteLinear(folder), folder.Write("rows.csv", "a,b,c\n1,1,2\n"), folder.File("table.csv"));
        var run = CliRun.Of("evaluate", model, data, "--out", table, "-q");

        Assert.Equal((ExitCodes.Success, ""), (run.Code, run.Error));
        Assert.DoesNotContain("±", run.Out, StringComparison.Ordinal);
        Assert.Contains("One explanation has no standard error; judge more rows.", run.Out, StringComparison.Ordinal);
        Assert.Equal("", Read(table)[("linearization", "deletion area")][3]);
        Assert.All(JsonNode.Parse(CliRun.Of("evaluate", model, data, "--json").Out)!["measures"]!.AsArray(), m => Assert.Null(m!["standardError"]));
        Assert.Contains("±", CliRun.Of("evaluate", model, folder.Write("two.csv", "a,b,c\n1,1,2\n3,1,2\n"), "-q").Out, StringComparison.Ordinal);
    }

    [Fact]
    public void SlopesThatAreAllZeroConfirmNothing()
    {
        var (data, confirm) = (folder.Write("rows.csv", "a,b,c\n1,1,2\n3,1,2\n"), "Central differences, which know nothing of W, confirm it.");
        var net = new Rules.Net(17, 1);
        var model = folder.File("sign.onnx");
        Onnx.OnnxFile.Write(net.Build(net.Op("Sign", [net.Input("x", "N", 3)]), "N", 3), model);
        var run = CliRun.Of("evaluate", model, data, "-q");

        Assert.Equal((ExitCodes.Success, ""), (run.Code, run.Error));
        Assert.DoesNotContain(confirm, run.Out.ReplaceLineEndings(" "), StringComparison.Ordinal);
        Assert.Contains(confirm, CliRun.Of("evaluate", TinyModels.WriteLinear(folder), data, "-q").Out.ReplaceLineEndings(" "), StringComparison.Ordinal);
    }

    [Fact]
    public void ExplainJudgesTheFirstRowsForItsReport()
    {
        var (model, data, report) = (TinyModels.WriteLinear(folder), folder.Write("rows.csv", "a,b,c\n1,1,2\n3,1,2\n0,1,2\n"), folder.File("report.html"));
        var run = CliRun.Of("explain", model, data, "--report", report, "--evaluate", "1", "--json");

        Assert.Equal((ExitCodes.Success, ""), (run.Code, run.Error));
        var json = JsonNode.Parse(run.Out)!;
        Assert.Equal((3, 1), ((int)json["rows"]!, (int)json["evaluation"]!["rows"]!));
        var written = ReportFile.Read(report);
        Assert.Equal((3, 1), (written.Entries.Count, written.Evaluation!.Value.GetProperty("rows").GetInt32()));
        Assert.Contains($"{report} (with an evaluation of 1 row)", CliRun.Of("explain", model, data, "--report", report, "--evaluate", "1").Out.ReplaceLineEndings(" "), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--evaluate is for the report, which is not given.", "--evaluate", "5")]
    [InlineData("--report-rows is about --report, which is not given.", "--report-rows", "5")]
    [InlineData("--report shows the scores of outputs, and of any two their difference itself; --targets contrast:0,1 asks for a difference alone.", "--evaluate", "5", "--targets", "contrast:0,1", "--report", "FOLDER/report.html")]
    [InlineData("--report-size: expected a whole number of 1 or more, but got '0'.", "--report-size", "0")]
    public void WhatExplainCannotJudgeIsTold(string expected, params string[] more)
    {
        var run = CliRun.Of(["explain", TinyModels.WriteLinear(folder), folder.Write("rows.csv", "a,b,c\n1,1,2\n"), .. more.Select(m => m.Replace("FOLDER", folder.Path, StringComparison.Ordinal))]);

        Assert.Equal((ExitCodes.BadInput, ""), (run.Code, run.Out));
        Assert.StartsWith(expected, run.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(folder.File("report.html")));
    }

    [Theory]
    [InlineData("--baseline 'x': expected a number", "--baseline", "x")]
    [InlineData("follows the score of one output", "--targets", "contrast:0,1")]
    [InlineData("--image-shape 2x2: expected HxW", "--image-shape", "2x2")]
    [InlineData("--image-shape '2xb': expected sizes", "--image-shape", "2xb")]
    [InlineData("'percent' not recognized", "--measure-in", "percent")]
    public void WrongArgumentsAreToldBeforeWork(string expected, params string[] more)
    {
        var run = CliRun.Of(["evaluate", TinyModels.WriteLinear(folder), folder.Write("rows.csv", "a,b,c\n1,1,2\n"), .. more]);

        Assert.Equal(ExitCodes.BadInput, run.Code);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void RowsWithoutAnExplanationAreNoEvaluation()
    {
        var run = CliRun.Of("evaluate", TinyModels.WriteLinear(folder), folder.Write("rows.csv", "a,b,c\n1e30,1e30,1e30\n"), "--scale", "1e38", "-q");

        Assert.Equal(ExitCodes.BadInput, run.Code);
        Assert.Contains("none of the 1 row has an explanation to judge", run.Error, StringComparison.Ordinal);
    }
}
