using System.Globalization;
using System.Text.RegularExpressions;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using MLNetLinearize.Reporting;
using MLNetLinearize.Tests.Cli;

namespace MLNetLinearize.Tests.Reporting;

/// <summary>A report as a person uses it, in a browser.</summary>
public class ReportPageTests(Browser browser, SampleReports reports) : IClassFixture<Browser>, IClassFixture<SampleReports>
{
    [BrowserTheory]
    [InlineData("images.html")]
    [InlineData("table.html")]
    public async Task It_loads_nothing_and_complains_of_nothing(string name)
    {
        await using var report = await browser.Open(reports.File(name));
        await report.Click("#all-mistakes");
        await report.Click("#theme");
        Assert.Empty(report.Problems);
        Assert.Equal([new Uri(reports.File(name)).AbsoluteUri], report.Requests.Where(r => !r.StartsWith("data:", StringComparison.Ordinal)));
    }

    [BrowserTheory]
    [InlineData("images.html", false)]
    [InlineData("images.html", true)]
    [InlineData("table.html", false)]
    [InlineData("table.html", true)]
    public async Task It_is_accessible(string name, bool isDark)
    {
        await using var report = await browser.Open(reports.File(name), isDark);
        var result = await report.Page.RunAxe();
        Assert.Contains(result.Passes, p => p.Id == "color-contrast" && p.Nodes.Length > 50);
        Assert.Empty(result.Violations.Select(v => $"{v.Id}: {v.Help}: {v.Nodes[0].Html}"));
    }

    [BrowserFact]
    public async Task The_summary_says_what_the_command_line_says()
    {
        await using var report = await browser.Open(reports.Images);
        var text = await report.Text("#summary");
        Assert.Contains("1,000", text, StringComparison.Ordinal);
        Assert.Contains(reports.Accuracy, text, StringComparison.Ordinal);
        Assert.Matches(@"Over all rows the two sides differ by \d\.\de-\d at worst \(row \d+\)", text);
    }

    [BrowserFact]
    public async Task A_click_on_a_head_sorts_and_another_turns_the_order()
    {
        await using var report = await browser.Open(reports.Images);
        var scores = ReportFile.Read(reports.Images).Entries.Select(e => e["score"]).Order().ToArray();
        var head = report.Page.Locator("th:has(button[data-column=score])");
        await head.Locator("button").ClickAsync();
        Assert.Equal("descending", await head.GetAttributeAsync("aria-sort"));
        Assert.Equal(scores[^50..].Reverse().Select(Shown), (await report.Rows()).Select(r => r[3]));
        await head.Locator("button").ClickAsync();
        Assert.Equal("ascending", await head.GetAttributeAsync("aria-sort"));
        Assert.Equal(scores[..50].Select(Shown), (await report.Rows()).Select(r => r[3]));
        await report.Click("text=Next");
        Assert.Equal(scores[50..100].Select(Shown), (await report.Rows()).Select(r => r[3]));
    }

    [BrowserFact]
    public async Task Filters_narrow_the_rows_and_are_taken_back()
    {
        await using var report = await browser.Open(reports.Images);
        var entries = ReportFile.Read(reports.Images).Entries;
        var (coat, pullover) = (4, 2);
        await report.Page.SelectOptionAsync("#filter-label", $"{coat}");
        Assert.Equal($"{entries.Count(e => e["label"] == coat)} of 1,000 rows", await report.Text("#row-count"));
        await report.Page.SelectOptionAsync("#filter-predicted", $"{pullover}");
        var confused = entries.Where(e => e["label"] == coat && e["predicted"] == pullover).Select(e => Shown(e["row"], "N0")).ToArray();
        Assert.NotEmpty(confused);
        Assert.Equal(confused, (await report.Rows()).Select(r => r[0]));
        await report.Click("text=Show all");
        Assert.Equal("1,000 rows", await report.Text("#row-count"));
        await report.Page.CheckAsync("#filter-mistakes");
        Assert.Equal($"{entries.Count(e => e["label"] != e["predicted"])} of 1,000 rows", await report.Text("#row-count"));
        await report.Page.FillAsync("#filter-search", "sandal");
        Assert.All(await report.Rows(), r => Assert.Contains("Sandal", r[1] + r[2], StringComparison.Ordinal));
        await report.Page.UncheckAsync("#filter-mistakes");
        await report.Page.FillAsync("#filter-search", "239");
        Assert.Equal(["239", "Coat", "Pullover"], Assert.Single(await report.Rows())[..3]);
    }

    [BrowserFact]
    public async Task A_cell_of_the_confusion_matrix_shows_its_rows()
    {
        await using var report = await browser.Open(reports.Images);
        var entries = ReportFile.Read(reports.Images).Entries;
        var confused = entries.Where(e => e["label"] == 4 && e["predicted"] == 2).ToArray();
        await report.Click($"role=button[name='{confused.Length} rows of Coat taken for Pullover']");
        Assert.Equal(confused.Select(e => Shown(e["row"], "N0")), (await report.Rows()).Select(r => r[0]));
        Assert.Equal($"Row {Shown(confused[0]["row"], "N0")}", await report.Text("#row-title"));
        Assert.StartsWith("Wrong: this is Coat; the network says Pullover before", await report.Text("#row-panel > p"), StringComparison.Ordinal);
    }

    [BrowserFact]
    public async Task The_keyboard_opens_rows()
    {
        await using var report = await browser.Open(reports.Images);
        var keyboard = report.Page.Keyboard;
        await report.Page.Locator("table.rows tbody button[tabindex='0']").FocusAsync();
        await keyboard.PressAsync("ArrowDown");
        await keyboard.PressAsync("ArrowDown");
        Assert.Equal("Open row 2", await Focused("e => e.ariaLabel"));
        await keyboard.PressAsync("Enter");
        Assert.Equal("Row 2", await report.Text("#row-title"));
        Assert.Equal("true", await Focused("e => e.ariaExpanded"));
        await keyboard.PressAsync("End");
        await keyboard.PressAsync("Space");
        Assert.Equal("Row 49", await report.Text("#row-title"));
        await report.Page.Locator("#row-title").FocusAsync();
        await keyboard.PressAsync("Escape");
        Assert.Equal("Open row 49, a mistake", await Focused("e => e.ariaLabel"));

        Task<string> Focused(string what) => report.Page.EvaluateAsync<string>($"({what})(document.activeElement)");
    }

    [BrowserFact]
    public async Task Another_class_and_a_contrast_change_numbers_and_map()
    {
        await using var report = await browser.Open(reports.Images, hash: "#row=239");
        var stored = ReportFile.Read(reports.Images).Stored[239];
        Assert.Equal("Row 239", await report.Text("#row-title"));
        var (said, other) = (stored.Targets[0], stored.Targets[1]);
        Assert.StartsWith($"Score of Pullover: {Two(said.Score)} = pixels", await report.Text(".statement"), StringComparison.Ordinal);
        await Map(said.Contributions);
        await report.Page.Locator("#row-panel input[type=radio]").Nth(1).CheckAsync(new() { Force = true });
        Assert.StartsWith($"Score of Coat: {Two(other.Score)} = pixels", await report.Text(".statement"), StringComparison.Ordinal);
        await Map(other.Contributions);
        await report.Page.SelectOptionAsync("#against", $"{said.Output}");
        Assert.StartsWith($"Coat rather than Pullover: {Two(other.Score - said.Score)} = pixels", await report.Text(".statement"), StringComparison.Ordinal);
        await Map([.. other.Contributions.Zip(said.Contributions, (a, b) => a - b)]);
        await report.Page.CheckAsync("#by-region");
        await Map(Regions.Of([.. other.Contributions.Zip(said.Contributions, (a, b) => a - b)], new(28, 28)));
        Assert.Empty(report.Problems);

        // The canvas is the map that the library draws.
        async Task Map(float[] contributions)
        {
            using var expected = HeatMap.Draw(contributions, new(28, 28), HeatMap.Scale(contributions));
            var actual = await report.Page.EvaluateAsync<int[]>("[...document.querySelectorAll('#row-panel canvas')[1].getContext('2d').getImageData(0, 0, 28, 28).data]");
            for (var i = 0; i < 784; i++)
            {
                var color = expected.GetPixel(i % 28, i / 28);
                Assert.True(new[] { color.Red - actual[4 * i], color.Green - actual[4 * i + 1], color.Blue - actual[4 * i + 2] }.All(d => Math.Abs(d) <= 4), $"pixel {i}: {color} and {string.Join(' ', actual[(4 * i)..(4 * i + 3)])}");
            }
        }
    }

    [BrowserFact]
    public async Task The_waterfall_goes_from_the_bias_to_the_score()
    {
        await using var report = await browser.Open(reports.Table, hash: "#row=5");
        var file = ReportFile.Read(reports.Table);
        var target = file.Stored[5].Targets[0];
        var lines = await report.Page.EvaluateAsync<string[][]>("[...document.querySelectorAll('#row-panel .waterfall tbody tr')].map(r => [...r.cells].map(c => c.textContent))");
        Assert.Equal(("Bias", Shown(target.Bias)), (lines[0][0], lines[0][3]));
        Assert.Equal(("Score", Shown(target.Score)), (lines[^1][0], lines[^1][3]));
        var values = lines[1..^1].Select(l => double.Parse(l[3].Replace('−', '-'), CultureInfo.InvariantCulture)).ToArray();
        Assert.Equal(target.Score, target.Bias + values.Sum(), 0.01);
        var order = Enumerable.Range(0, 30).OrderByDescending(k => Math.Abs(target.Contributions[k])).Select(k => file.Header.GetProperty("features")[file.Stored[5].Indices[k]].GetString()).ToArray();
        Assert.Equal([.. order[..15], "the other 15 features"], lines[1..^1].Select(l => l[0]));
        var sizes = values[..15].Select(Math.Abs).ToArray();
        Assert.Equal(sizes.OrderDescending(), sizes);
    }

    [BrowserFact]
    public async Task Features_are_ranked_for_all_rows_and_for_one_class()
    {
        await using var report = await browser.Open(reports.Table);
        var importance = ReportFile.Read(reports.Table).Statistics.GetProperty("importance");
        foreach (var (i, summary) in importance.EnumerateArray().Index())
        {
            await report.Page.SelectOptionAsync("#importance-class", $"{i}");
            Assert.Equal(summary.GetProperty("features").EnumerateArray().Select(f => Shown(f[1].GetDouble())),
                await report.Page.EvaluateAsync<string[]>("[...document.querySelectorAll('.importance tbody tr')].map(r => r.cells[2].textContent)"));
        }
        Assert.Equal(12 * 300, await report.Page.Locator(".swarm circle").CountAsync());
        await report.Page.Locator(".swarm circle").Nth(7).DispatchEventAsync("click");
        var row = ReportFile.Read(reports.Table).Statistics.GetProperty("swarm").GetProperty("rows")[7].GetInt32();
        Assert.Equal($"Row {row}", await report.Text("#row-title"));
    }

    [BrowserFact]
    public async Task The_colours_follow_the_system_and_the_button()
    {
        await using var report = await browser.Open(reports.Table, isDark: true);
        Task<string> Background() => report.Page.EvaluateAsync<string>("getComputedStyle(document.body).backgroundColor");
        Assert.Equal("rgb(20, 23, 28)", await Background());
        Assert.Equal("true", await report.Page.GetAttributeAsync("#theme", "aria-pressed"));
        await report.Click("#theme");
        Assert.Equal("rgb(255, 255, 255)", await Background());
        Assert.Equal("false", await report.Page.GetAttributeAsync("#theme", "aria-pressed"));
        await report.Click("#theme");
        await report.Page.EmulateMediaAsync(new() { Media = Media.Print });
        Assert.Equal("rgb(255, 255, 255)", await Background());
        Assert.False(await report.Page.IsVisibleAsync(".filters"));
        Assert.True(await report.Page.IsVisibleAsync("#row-panel .waterfall"));
    }

    [BrowserFact]
    public async Task Names_that_look_like_markup_are_shown_and_not_run()
    {
        const string Evil = "</script><script>alert(1)</script><img src=x onerror=alert(2)>";
        using var folder = new TemporaryFolder();
        using var linearizer = new Linearizer(TinyModels.WriteLinear(folder), new() { Targets = Targets.All, ClassNames = [Evil, "yes"] });
        var path = Write(folder, linearizer, new() { Title = Evil, Model = Evil, Data = Evil, FeatureNames = [Evil, "b", "c"] }, [[1, 2, 3], [4, 5, 6]]);
        await using var report = await browser.Open(path);
        Assert.Empty(report.Problems);
        Assert.Equal((Evil, Evil), (await report.Page.TitleAsync(), await report.Text("h1")));
        Assert.Contains(Evil, await report.Text("#row-panel .waterfall"), StringComparison.Ordinal);
        Assert.Contains(Evil, await report.Text("#row-panel .classes"), StringComparison.Ordinal);
        Assert.Equal(0, await report.Page.Locator("img").CountAsync());
    }

    [BrowserFact]
    public async Task Rows_that_are_not_finite_are_shown_as_such()
    {
        using var folder = new TemporaryFolder();
        using var linearizer = new Linearizer(TinyModels.WriteLinear(folder), new() { Targets = Targets.All });
        var path = Write(folder, linearizer, new(), [[1, 2, 3], [3e38f, 3e38f, 1]]);
        await using var report = await browser.Open(path, hash: "#row=1");
        Assert.Contains("1 row came out as NaN or infinite (the first: row 1)", await report.Text("#summary"), StringComparison.Ordinal);
        await report.Page.CheckAsync("#filter-broken");
        Assert.Matches("NaN|∞", Assert.Single(await report.Rows())[2]);
        Assert.Contains("This row came out as NaN or infinite", await report.Text("#row-panel"), StringComparison.Ordinal);
        Assert.Empty(report.Problems);
    }

    [BrowserFact]
    public async Task Ten_thousand_rows_are_shown_by_the_page()
    {
        using var folder = new TemporaryFolder();
        using var linearizer = new Linearizer(TinyModels.WriteLinear(folder), new() { Targets = Targets.All });
        var random = new Random(5);
        var path = Write(folder, linearizer, new() { MaxDetailBytes = 200_000 }, [.. Enumerable.Range(0, 10_000).Select(_ => new[] { random.NextSingle(), random.NextSingle(), random.NextSingle() })]);
        await using var report = await browser.Open(path);
        Assert.Equal("10,000 rows", await report.Text("#row-count"));
        Assert.Equal(50, (await report.Rows()).Length);
        await report.Click("button[data-column=margin]");
        var margins = ReportFile.Read(path).Entries.OrderBy(e => e["margin"]).Take(50).Select(e => Shown(e["row"], "N0"));
        Assert.Equal(margins, (await report.Rows()).Select(r => r[0]));
        Assert.Contains("the explanations of", await report.Text("#footer"), StringComparison.Ordinal);
        await report.Page.FillAsync("#filter-search", "9999");
        await report.Click("table.rows tbody button");
        await report.Page.WaitForSelectorAsync("#row-panel .notice");
        Assert.Contains("is not stored", await report.Text("#row-panel .notice"), StringComparison.Ordinal);
    }

    private static string Write(TemporaryFolder folder, Linearizer linearizer, ReportOptions options, float[][] rows)
    {
        var path = folder.File("report.html");
        using var stream = File.Create(path);
        var report = new LinearizationReport(stream, linearizer.Graph, options);
        foreach (var row in rows) report.Add(linearizer.Explain(row));
        report.Complete();
        return path;
    }

    private static string Two(float value) => (value < 0 ? "−" : "") + Math.Abs(value).ToString("0.00", CultureInfo.InvariantCulture);

    private static string Shown(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);

    private static string Shown(double value) => MLNetLinearize.Cli.Output.Words.Value(value);
}

/// <summary>Reports of the samples, as the command line writes them.</summary>
public sealed class SampleReports : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public SampleReports()
    {
        if (Browser.SkipReason is not null) return;
        var run = CliRun.Of("explain", Samples.Model("fashion-cnn.onnx"), Samples.Fashion("t10k-1000-images-idx3-ubyte.gz"), "--labels", Samples.Fashion("t10k-1000-labels-idx1-ubyte.gz"),
            "--class-names", Samples.Fashion("labels.txt"), "--scale", "1/255", "--report", Images, "--quiet");
        Assert.Equal((0, ""), (run.Code, run.Error));
        Accuracy = Regex.Match(run.Out, @"accuracy +(\d+\.\d %)").Groups[1].Value;
        var cancer = Path.Combine(Samples.Root, "samples", "data", "breast-cancer");
        run = CliRun.Of("explain", Samples.Model("breast-cancer-mlp.onnx"), Path.Combine(cancer, "breast-cancer.csv"), "--label-column", "diagnosis", "--class-names", Path.Combine(cancer, "labels.txt"), "--report", Table, "--evaluate", $"{EvaluatedRows}", "--quiet");
        Assert.Equal((0, ""), (run.Code, run.Error));
    }

    public const int EvaluatedRows = 40;

    public string Images => File("images.html");

    public string Table => File("table.html");

    public string Accuracy { get; } = "";

    public string File(string name) => folder.File(name);

    public void Dispose() => folder.Dispose();
}
