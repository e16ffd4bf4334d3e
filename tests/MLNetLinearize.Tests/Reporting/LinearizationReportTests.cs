using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize.Reporting;
using MLNetLinearize.Tests.Cli;

namespace MLNetLinearize.Tests.Reporting;

/// <summary>What a report holds is what was explained.</summary>
public partial class LinearizationReportTests
{
    private static readonly string Model = Samples.Model("breast-cancer-mlp.onnx");
    private static readonly string Table = Path.Combine(Samples.Root, "samples", "data", "breast-cancer", "breast-cancer.csv");

    [Fact]
    public void Features_are_stored_as_they_were_explained()
    {
        using var linearizer = new Linearizer(Model, new() { Targets = Targets.All });
        var (rows, labels) = Cases(40);
        var report = Write(linearizer.Graph, null, r =>
        {
            for (var i = 0; i < rows.Length; i++) r.Add(linearizer.Explain(rows[i]), labels[i]);
        });
        for (var i = 0; i < rows.Length; i++)
        {
            var (map, stored, entry) = (linearizer.Explain(rows[i]), report.Stored[i], report.Entries[i]);
            var predicted = map.Scores.MaximumIndex();
            Assert.Equal([predicted, 1 - predicted], stored.Targets.Select(t => t.Output));
            Assert.Equal((labels[i], predicted, 1 - predicted), ((int)entry["label"], (int)entry["predicted"], (int)entry["runnerUp"]));
            Assert.Equal((map.Scores[predicted], map.Bias[predicted]), ((float)entry["score"], (float)entry["bias"]));
            Assert.Equal(map.Scores[predicted] - map.Scores[1 - predicted], (float)entry["margin"]);
            Assert.Equal(Enumerable.Range(0, 30), stored.Indices.Order());
            Assert.Equal(stored.Indices.Select(f => rows[i][f]), stored.Values);
            foreach (var target in stored.Targets)
            {
                var attribution = map.Attribution.Row(target.Output);
                Assert.Equal((map.ExplainedScores[target.Output], map.Bias[target.Output]), (target.Score, target.Bias));
                Assert.Equal(stored.Indices.Select(f => attribution[f]), target.Contributions);
                Assert.Equal((float)attribution.Sum(v => (double)v), target.Sum);
                Assert.InRange(target.Error, 0, 2e-6);
            }
        }
    }

    [Fact]
    public void Statistics_are_those_of_the_rows()
    {
        using var linearizer = new Linearizer(Model, new() { Targets = Targets.Predicted });
        var (rows, labels) = Cases(569);
        var report = Write(linearizer.Graph, null, r =>
        {
            for (var i = 0; i < rows.Length; i++) r.Add(linearizer.Explain(rows[i]), labels[i]);
        });
        var maps = rows.Select(r => linearizer.Explain(r)).ToArray();
        var right = maps.Where((m, i) => m.Targets[0] == labels[i]).Count();
        Assert.Equal((569, 569, right), (report.Statistics.GetProperty("rows").GetInt32(), report.Statistics.GetProperty("labelled").GetInt32(), report.Statistics.GetProperty("right").GetInt32()));
        var confusions = report.Statistics.GetProperty("confusions").EnumerateArray().ToDictionary(c => (c[0].GetInt32(), c[1].GetInt32()), c => c[2].GetInt32());
        Assert.Equal(maps.Select((m, i) => (labels[i], (int)m.Targets[0])).GroupBy(p => p).ToDictionary(g => g.Key, g => g.Count()), confusions);
        var worst = maps.Max(m => Math.Abs(m.ExplainedScores[0] - (m.Attribution.Row(0).Sum(v => (double)v) + m.Bias[0])) / Math.Max(1, Math.Abs((double)m.ExplainedScores[0])));
        Assert.Equal((float)worst, (float)ReportFile.Number(report.Statistics.GetProperty("errors").GetProperty("worst")));
        foreach (var summary in report.Statistics.GetProperty("importance").EnumerateArray())
        {
            var output = summary.GetProperty("output").GetInt32();
            var chosen = maps.Where(m => output < 0 || m.Targets[0] == output).ToArray();
            Assert.Equal(chosen.Length, summary.GetProperty("rows").GetInt32());
            var expected = Enumerable.Range(0, 30).Select(f => (Feature: f, Absolute: chosen.Average(m => Math.Abs((double)m.Attribution[0, f])), Mean: chosen.Average(m => (double)m.Attribution[0, f])))
                .OrderByDescending(f => f.Absolute).Take(20).ToArray();
            var actual = summary.GetProperty("features").EnumerateArray().ToArray();
            Assert.Equal(expected.Select(e => e.Feature), actual.Select(a => a[0].GetInt32()));
            Assert.All(expected.Zip(actual), p => Assert.Equal((p.First.Absolute, p.First.Mean), (p.Second[1].GetDouble(), p.Second[2].GetDouble()), new Close(1e-6)));
        }
        var swarm = report.Statistics.GetProperty("swarm");
        var sampled = swarm.GetProperty("rows").EnumerateArray().Select(r => r.GetInt32()).ToArray();
        Assert.Equal(300, sampled.Distinct().Count());
        foreach (var feature in swarm.GetProperty("features").EnumerateArray())
        {
            var f = feature.GetProperty("index").GetInt32();
            Assert.Equal(sampled.Select(r => maps[r].Attribution[0, f]), feature.GetProperty("contributions").EnumerateArray().Select(v => v.GetSingle()));
            Assert.Equal(sampled.Select(r => rows[r][f]), feature.GetProperty("values").EnumerateArray().Select(v => v.GetSingle()));
        }
    }

    [Fact]
    public void Pixels_and_their_sums_are_within_one_step()
    {
        using var folder = new TemporaryFolder();
        var path = folder.File("report.html");
        Assert.Equal(0, CliRun.Of("explain", Samples.Model("fashion-cnn.onnx"), Samples.Fashion("t10k-1000-images-idx3-ubyte.gz"), "--labels", Samples.Fashion("t10k-1000-labels-idx1-ubyte.gz"),
            "--class-names", Samples.Fashion("labels.txt"), "--scale", "1/255", "--rows", "120", "--report", path, "--quiet").Code);
        var report = ReportFile.Read(path);
        using var linearizer = new Linearizer(Samples.Model("fashion-cnn.onnx"), new() { Targets = Targets.All });
        var images = Idx(Samples.Fashion("t10k-1000-images-idx3-ubyte.gz"), 16);
        var truth = Idx(Samples.Fashion("t10k-1000-labels-idx1-ubyte.gz"), 8);
        Assert.Equal(120, report.Stored.Count);
        var three = 0;
        foreach (var (row, stored) in report.Stored)
        {
            var pixels = images.AsSpan((int)row * 784, 784).ToArray();
            var map = linearizer.Explain(Array.ConvertAll(pixels, p => (float)(p / 255.0)));
            var ranked = Enumerable.Range(0, 10).OrderByDescending(c => map.Scores[c]).ToArray();
            var expected = ranked.Take(2).Append(truth[row]).Distinct().ToArray();
            Assert.Equal(expected, stored.Targets.Select(t => t.Output));
            if (expected.Length == 3) three++;
            // A row's darkest pixel is 0 and its brightest nearly always 255; the stored shades span the two.
            Assert.All(pixels.Zip(stored.Pixels), p => Assert.InRange(p.Second - 255.0 * p.First / pixels.Max(), -0.51, 0.51));
            foreach (var target in stored.Targets)
            {
                var exact = map.Attribution.Row(target.Output).ToArray();
                // Two graphs' roundings: the batch's top two, and all ten at once.
                var slack = 1e-5f * exact.Max(Math.Abs);
                Assert.Equal(map.Scores[target.Output], target.Score, 1e-4f);
                Assert.Equal(map.Bias[target.Output], target.Bias, 1e-4f);
                Assert.Equal(exact.Max(Math.Abs) / 127, target.Step, slack);
                Assert.All(exact.Zip(target.Contributions), p => Assert.InRange(Math.Abs(p.First - p.Second), 0, target.Step + slack));
                Assert.Equal(exact.Where(v => v > 0).Sum(), target.Contributions.Where(v => v > 0).Sum(), target.Step + 100 * slack);
                Assert.Equal(exact.Where(v => v < 0).Sum(), target.Contributions.Where(v => v < 0).Sum(), target.Step + 100 * slack);
            }
        }
        Assert.True(three > 0, "No row's true class was behind its runner-up, so that case was not tested.");
    }

    [Fact]
    public void A_data_view_gives_the_report_that_its_rows_give()
    {
        var ml = new MLContext();
        var data = ml.Data.LoadFromTextFile(Table, [new("Diagnosis", DataKind.Int32, 0), new("features", DataKind.Single, 1, 30)], separatorChar: ',', hasHeader: true);
        using var transformer = ml.Transforms.Linearize(Model, new() { Targets = Targets.All, ClassNames = ["malignant", "benign"] }).Fit(data);
        using var folder = new TemporaryFolder();
        LinearizationReport.Write(folder.File("view.html"), transformer, data, new() { LabelColumn = "Diagnosis", Model = "m.onnx" });
        using var linearizer = new Linearizer(transformer.Graph);
        var (rows, labels) = Cases(569);
        var options = new ReportOptions { Model = "m.onnx", FeatureNames = File.ReadLines(Table).First().Split(',')[1..] };
        var view = ReportFile.Read(folder.File("view.html"));
        var direct = Write(transformer.Graph, options, r =>
        {
            for (var i = 0; i < rows.Length; i++) r.Add(linearizer.Explain(rows[i]), labels[i]);
        });
        Assert.Equal(direct.Entries.Select(e => (e["row"], e["label"], e["predicted"], e["stored"])), view.Entries.Select(e => (e["row"], e["label"], e["predicted"], e["stored"])));
        Assert.Equal("[0]", view.Header.GetProperty("features")[0].GetString());
        Assert.Equal("mean radius", direct.Header.GetProperty("features")[0].GetString());
        foreach (var (row, stored) in direct.Stored)
            Assert.All(stored.Targets.Zip(view.Stored[row].Targets), p => Assert.Equal((p.First.Score, p.First.Sum), (p.Second.Score, p.Second.Sum), new CloseSingles(1e-4f)));
        Assert.Single(Directory.GetFiles(folder.Path));
    }

    [Fact]
    public void What_the_limits_leave_out_is_told_and_mistakes_stay_longest()
    {
        using var linearizer = new Linearizer(Model, new() { Targets = Targets.All });
        var (rows, labels) = Cases(569);
        var report = Write(linearizer.Graph, new() { MaxRows = 500, MaxDetailBytes = 60_000 }, r =>
        {
            for (var i = 0; i < rows.Length; i++) r.Add(linearizer.Explain(rows[i]), labels[i]);
        });
        Assert.Equal((569, 500, report.Stored.Count), (report.Statistics.GetProperty("rows").GetInt32(), report.Statistics.GetProperty("listed").GetInt32(), report.Statistics.GetProperty("stored").GetInt32()));
        Assert.InRange(report.Stored.Count, 20, 400);
        var wrong = report.Entries.Where(e => e["label"] != e["predicted"]).Select(e => (long)e["row"]).ToArray();
        Assert.NotEmpty(wrong);
        Assert.All(wrong, row => Assert.True(report.Stored.ContainsKey(row)));
        Assert.True(wrong.Max() > report.Stored.Keys.Except(wrong).Max(), "The last mistake came before the limit, so that nothing was tested.");
    }

    [Fact]
    public void The_command_line_sets_the_limits()
    {
        using var folder = new TemporaryFolder();
        ReportFile Write(params string[] limits)
        {
            var run = CliRun.Of(["explain", Samples.Model("digits-mlp.onnx"), Samples.Digits, "--label-column", "label", "--scale", "1/16", "--report", folder.File("report.html"), "--quiet", .. limits]);
            Assert.Equal((0, ""), (run.Code, run.Error));
            return ReportFile.Read(folder.File("report.html"));
        }
        var (few, small) = (Write("--report-rows", "700"), Write("--report-size", "1"));
        Assert.Equal((700, 700, 1797), (few.Entries.Count, few.Stored.Count, few.Statistics.GetProperty("rows").GetInt32()));
        Assert.Equal(1797, small.Entries.Count);
        Assert.InRange(small.Stored.Count, 100, 1796);
    }

    [Fact]
    public void Names_are_text_whatever_they_look_like()
    {
        const string Evil = "</script><script>alert(1)</script><!--<img src=x onerror=alert(2)>&\"'{{data}}\u2028";
        using var linearizer = new Linearizer(Model, new() { ClassNames = [Evil, "b"] });
        using var stream = new MemoryStream();
        var report = new LinearizationReport(stream, linearizer.Graph, new() { Title = Evil, Model = Evil, Data = Evil, FeatureNames = [Evil, .. Enumerable.Range(1, 29).Select(i => $"{i}{Evil}")] });
        report.Add(linearizer.Explain(new float[30]));
        report.Complete();
        var html = Encoding.UTF8.GetString(stream.ToArray());
        Assert.DoesNotContain("<script>alert", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<img", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<!--", html, StringComparison.Ordinal);
        Assert.Equal(1 + 4, Regex.Count(html, "</script>"));
        Assert.Equal(Evil, new ReportFile(html).Header.GetProperty("features")[0].GetString());
        Assert.Equal(Evil, System.Net.WebUtility.HtmlDecode(Regex.Match(html, "<title>(.*?)</title>").Groups[1].Value));
    }

    [Fact]
    public void The_page_runs_its_own_script_only()
    {
        var (head, tail) = ReportPage.Parts("t");
        var page = head + tail;
        var policy = Regex.Match(page, "http-equiv=\"Content-Security-Policy\" content=\"(.*?)\"").Groups[1].Value;
        Assert.StartsWith("default-src 'none';", policy, StringComparison.Ordinal);
        Assert.Contains($"script-src '{Hash(Regex.Match(page, "<script>(.*)</script>", RegexOptions.Singleline))}'", policy, StringComparison.Ordinal);
        Assert.Contains($"style-src '{Hash(Regex.Match(page, "<style>(.*)</style>", RegexOptions.Singleline))}'", policy, StringComparison.Ordinal);
        Assert.DoesNotContain("{{", page, StringComparison.Ordinal);
        Assert.DoesNotMatch("https?://(?!www.w3.org/2000/svg)", page);

        static string Hash(Match match) => $"sha256-{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(match.Groups[1].Value)))}";
    }

    [Fact]
    public void Rows_without_an_explanation_stay_rows_and_enter_no_mean()
    {
        using var folder = new TemporaryFolder();
        using var linearizer = new Linearizer(TinyModels.WriteLinear(folder), new() { Targets = Targets.All });
        var report = Write(linearizer.Graph, null, r =>
        {
            r.Add(linearizer.Explain([1, 2, 3]), 0);
            r.Add(linearizer.Explain([3e38f, 3e38f, 1]), 0);
        });
        Assert.Equal((2, 1, 1), (report.Statistics.GetProperty("rows").GetInt32(), report.Statistics.GetProperty("notFinite").GetInt32(), report.Statistics.GetProperty("firstNotFinite").GetInt32()));
        Assert.False(double.IsFinite(report.Entries[1]["score"]));
        Assert.True(double.IsNaN(ReportFile.Number(report.Statistics.GetProperty("errors").GetProperty("worst"))));
        // y1 = −1·1 + 4·2 + 0.5·3 − 2 is the higher score of the row that counts.
        Assert.Equal([(1, 8.0), (2, 1.5), (0, 1.0)], report.Statistics.GetProperty("importance")[0].GetProperty("features").EnumerateArray().Select(f => (f[0].GetInt32(), f[1].GetDouble())));
        Assert.Equal(6.5, report.Entries[0]["score"]);
    }

    [Fact]
    public void What_does_not_fit_is_refused_before_a_byte_is_written()
    {
        using var stream = new MemoryStream();
        var contrast = LinearizationGraph.Compile(Model, new() { Targets = Targets.Contrast(0, 1) });
        Assert.Contains("the graph explains contrast:0,1. Compile it with Targets.Top(2)", Assert.Throws<ArgumentException>(() => new LinearizationReport(stream, contrast)).Message, StringComparison.Ordinal);
        var graph = LinearizationGraph.Compile(Model);
        Assert.Contains("FeatureNames has 1 names, but the explained input has 30 elements", Assert.Throws<ArgumentException>(() => new LinearizationReport(stream, graph, new() { FeatureNames = ["a"] })).Message, StringComparison.Ordinal);
        Assert.Contains("ImageShape is [28, 28], but the explained input has 30 elements", Assert.Throws<ArgumentException>(() => new LinearizationReport(stream, graph, new() { ImageShape = [28, 28] })).Message, StringComparison.Ordinal);
        Assert.Equal(0, stream.Length);
    }

    private static ReportFile Write(LinearizationGraph graph, ReportOptions? options, Action<LinearizationReport> add)
    {
        using var stream = new MemoryStream();
        var report = new LinearizationReport(stream, graph, options);
        add(report);
        report.Complete();
        return new(Encoding.UTF8.GetString(stream.ToArray()));
    }

    private static (float[][] Rows, int[] Labels) Cases(int count)
    {
        var lines = File.ReadLines(Table).Skip(1).Take(count).Select(l => l.Split(',')).ToArray();
        return ([.. lines.Select(l => l[1..].Select(v => float.Parse(v, System.Globalization.CultureInfo.InvariantCulture)).ToArray())], [.. lines.Select(l => int.Parse(l[0], System.Globalization.CultureInfo.InvariantCulture))]);
    }

    private static byte[] Idx(string path, int header)
    {
        using var unpacked = new MemoryStream();
        using (var zip = new System.IO.Compression.GZipStream(File.OpenRead(path), System.IO.Compression.CompressionMode.Decompress)) zip.CopyTo(unpacked);
        return unpacked.ToArray()[header..];
    }

    private sealed class Close(double tolerance) : IEqualityComparer<(double, double)>
    {
        public bool Equals((double, double) a, (double, double) b) => Math.Abs(a.Item1 - b.Item1) <= tolerance && Math.Abs(a.Item2 - b.Item2) <= tolerance;

        public int GetHashCode((double, double) value) => 0;
    }

    private sealed class CloseSingles(float tolerance) : IEqualityComparer<(float, float)>
    {
        public bool Equals((float, float) a, (float, float) b) => Math.Abs(a.Item1 - b.Item1) <= tolerance && Math.Abs(a.Item2 - b.Item2) <= tolerance;

        public int GetHashCode((float, float) value) => 0;
    }
}
