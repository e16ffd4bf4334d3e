using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize.Reporting;
using MLNetLinearize.Tests.Cli;

namespace MLNetLinearize.Tests.Reporting;

/// <summary>The section on how faithful the explanations are: what it holds, and what a person sees of it.</summary>
public class ReportEvaluationTests(Browser browser, SampleReports reports) : IClassFixture<Browser>, IClassFixture<SampleReports>
{
    private static readonly string Table = Path.Combine(Samples.Root, "samples", "data", "breast-cancer", "breast-cancer.csv");

    [Fact]
    public void A_report_holds_what_was_measured()
    {
        var ml = new MLContext();
        var data = ml.Data.TakeRows(ml.Data.LoadFromTextFile(Table, [new("features", DataKind.Single, 1, 30)], separatorChar: ',', hasHeader: true), 20);
        using var transformer = ml.Transforms.Linearize(Samples.Model("breast-cancer-mlp.onnx")).Fit(data);
        var evaluation = transformer.Evaluate(data, new() { Baseline = 0.25f, InfidelitySamples = 0 });
        using var stream = new MemoryStream();
        LinearizationReport.Write(stream, transformer, data, new() { Evaluation = evaluation });
        var written = Read(stream).Evaluation!.Value;

        Assert.Equal((20, 20, 30, 0.25), (written.GetProperty("rows").GetInt32(), written.GetProperty("explanations").GetInt32(), written.GetProperty("units").GetInt32(), written.GetProperty("baseline").GetDouble()));
        Assert.Equal(evaluation.Fractions, Doubles(written, "fractions"));
        var methods = written.GetProperty("methods").EnumerateArray().ToArray();
        Assert.Equal(["linearization", "input × gradient", "occlusion", "random"], methods.Select(m => m.GetProperty("name").GetString()));
        var infidelity = written.GetProperty("measures").EnumerateArray().ToList().FindIndex(m => m.GetProperty("name").GetString() == "infidelity");
        foreach (var (expected, actual) in evaluation.Methods.Zip(methods))
        {
            Assert.Equal(expected.Deletion, Doubles(actual, "deletion"));
            Assert.Equal(expected.Insertion, Doubles(actual, "insertion"));
            var values = actual.GetProperty("values").EnumerateArray().ToArray();
            Assert.Equal((expected.DeletionArea.Mean, expected.DeletionArea.StandardError), (values[1][0].GetDouble(), values[1][1].GetDouble()));
            // What was left out is null, not a number.
            Assert.Equal(JsonValueKind.Null, values[infidelity][0].ValueKind);
        }
        Assert.Equal(evaluation.RandomizedStages.Select(s => (s.Layers[^1], s.RankCorrelation.Mean)), written.GetProperty("stages").EnumerateArray().Select(s => (s.GetProperty("layer").GetString()!, s.GetProperty("values")[0][0].GetDouble())));
    }

    [Fact]
    public void What_is_known_only_behind_the_rows_is_added_before_the_end()
    {
        using var folder = new TemporaryFolder();
        using var linearizer = new Linearizer(TinyModels.WriteLinear(folder));
        using var stream = new MemoryStream();
        var evaluation = new AttributionEvaluation { Rows = 3, Explanations = 0, Skipped = 3, Unit = EvaluationUnit.Element, Units = 3, Scale = EvaluationScale.Score, Baseline = null, Fractions = [0, 1], Methods = [], RandomizedStages = [] };
        var report = new LinearizationReport(stream, linearizer.Graph);
        report.Add(linearizer.Explain([1, 2, 3]));
        report.Add(evaluation);
        report.Complete();
        Assert.Equal(3, Read(stream).Evaluation!.Value.GetProperty("skipped").GetInt32());
        Assert.Throws<ObjectDisposedException>(() => report.Add(evaluation));
        Assert.Throws<ArgumentNullException>(() => report.Add((AttributionEvaluation)null!));
    }

    [BrowserFact]
    public async Task Without_an_evaluation_there_is_no_section()
    {
        await using var report = await browser.Open(reports.Images);
        Assert.Null(ReportFile.Read(reports.Images).Evaluation);
        Assert.False(await report.Page.IsVisibleAsync("#evaluation"));
    }

    [BrowserFact]
    public async Task The_curves_are_drawn_where_the_numbers_are()
    {
        await using var report = await browser.Open(reports.Table);
        var evaluation = ReportFile.Read(reports.Table).Evaluation!.Value;
        Assert.True(await report.Page.IsVisibleAsync("#evaluation h2"));
        var fractions = Doubles(evaluation, "fractions");
        foreach (var (panel, key) in new[] { "deletion", "insertion" }.Index())
        {
            var chart = report.Page.Locator("#evaluation .curves figure > svg").Nth(panel);
            // Where the axis says a value is, for any value: from two of its own labels.
            var labels = await chart.EvaluateAsync<double[][]>("svg => [...svg.querySelectorAll('.lane')].map(t => [Number(t.textContent), Number(t.getAttribute('y')) - 4])");
            double Height(double value) => labels[0][1] + (value - labels[0][0]) / (labels[^1][0] - labels[0][0]) * (labels[^1][1] - labels[0][1]);
            // The network is piecewise linear, so that one line stands for two methods.
            Assert.Equal(3, await chart.Locator("polyline").CountAsync());
            foreach (var (kind, method) in new[] { (0, 0), (2, 2), (3, 3) })
            {
                var points = (await chart.Locator($"polyline.m{kind}").GetAttributeAsync("points"))!.Split(' ').Select(p => p.Split(',').Select(v => double.Parse(v, CultureInfo.InvariantCulture)).ToArray()).ToArray();
                var curve = Doubles(evaluation.GetProperty("methods")[method], key);
                Assert.Equal(curve.Count, points.Length);
                Assert.All(curve.Zip(points), p => Assert.Equal(Height(p.First), p.Second[1], 0.06));
                Assert.All(fractions.Zip(points), p => Assert.Equal(points[0][0] + p.First * (points[^1][0] - points[0][0]), p.Second[0], 0.11));
            }
            Assert.Contains("linearization, here input × gradient as well: area ", await chart.GetAttributeAsync("aria-label"), StringComparison.Ordinal);
        }
    }

    [BrowserFact]
    public async Task The_numbers_are_those_of_the_command_evaluate()
    {
        using var folder = new TemporaryFolder();
        var cancer = Path.Combine(Samples.Root, "samples", "data", "breast-cancer");
        var run = CliRun.Of("evaluate", Samples.Model("breast-cancer-mlp.onnx"), Table, "--label-column", "diagnosis", "--class-names", Path.Combine(cancer, "labels.txt"), "--rows", $"{SampleReports.EvaluatedRows}", "--report", folder.File("evaluated.html"), "--quiet");
        Assert.Equal((0, ""), (run.Code, run.Error));
        await using var report = await browser.Open(reports.Table);
        await using var own = await browser.Open(folder.File("evaluated.html"));
        var shown = await Cells(report);
        Assert.Equal(shown, await Cells(own));
        Assert.Contains($"Judged on {SampleReports.EvaluatedRows} explanations of {SampleReports.EvaluatedRows} rows, 30 features each", await report.Text("#evaluation"), StringComparison.Ordinal);
        Assert.Equal($"{SampleReports.EvaluatedRows} rows", await own.Text("#row-count"));
        Assert.Equal("569 rows", await report.Text("#row-count"));
        var printed = run.Out.Split('\n').Where(l => l.Contains('±', StringComparison.Ordinal)).Select(l => string.Join(' ', Regex.Matches(l, @"−?[\d.,]+(e-\d+)? ±[\d.,]+(e-\d+)?").Select(m => m.Value))).Where(l => l.Length > 0).ToArray();
        // The page puts a space behind the sign and no zero before an exponent.
        Assert.Equal(printed, shown.Select(cells => string.Join(' ', cells).Replace("± ", "±", StringComparison.Ordinal)).Select(l => Regex.Replace(l, @"e-(\d)(?!\d)", "e-0$1")));

        static Task<string[][]> Cells(OpenReport report) => report.Page.EvaluateAsync<string[][]>("[...document.querySelectorAll('#evaluation table.measures tbody tr')].map(r => [...r.querySelectorAll('td.number')].map(c => c.textContent))");
    }

    [BrowserFact]
    public async Task Nothing_to_judge_is_said_so()
    {
        using var folder = new TemporaryFolder();
        var run = CliRun.Of("explain", TinyModels.WriteLinear(folder), folder.Write("rows.csv", "a,b,c\n1e30,1e30,1e30\n1,2,3\n"), "--scale", "1e20", "--report", folder.File("report.html"), "--evaluate", "1", "-q");
        Assert.Equal((0, ""), (run.Code, run.Error));
        await using var report = await browser.Open(folder.File("report.html"));
        Assert.Equal("None of 1 row has an explanation to judge.", await report.Text("#evaluation .notice"));
        Assert.Empty(report.Problems);
    }

    private static ReportFile Read(MemoryStream stream) => new(Encoding.UTF8.GetString(stream.ToArray()));

    private static List<double> Doubles(JsonElement parent, string name) => [.. parent.GetProperty(name).EnumerateArray().Select(v => v.GetDouble())];
}
