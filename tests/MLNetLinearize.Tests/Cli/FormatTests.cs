using System.Text;
using System.Text.Json;
using MLNetLinearize.Reporting;
using SkiaSharp;

namespace MLNetLinearize.Tests.Cli;

/// <summary>JSON lines, pictures, standard streams and the choice of a format.</summary>
public class FormatTests
{
    private const string Rows = "a,b,c,truth\n1,2,3,0\n0,-1,4,1\n";

    [Fact]
    public void Json_lines_nest_targets_and_features()
    {
        using var folder = new TemporaryFolder();
        Explain(folder, "--label-column", "truth", "--columns", "label,target,score,attribution", "--out", folder.File("one.jsonl"));
        Assert.Equal("""
            {"Row":0,"Label":0,"ExplainedTarget":1,"ExplainedScore":6.5,"Attribution":[-1,8,1.5]}
            {"Row":1,"Label":1,"ExplainedTarget":0,"ExplainedScore":4,"Attribution":[0,3,0]}

            """.ReplaceLineEndings("\n"), File.ReadAllText(folder.File("one.jsonl")));
        Explain(folder, "--ignore-column", "truth", "--targets", "all", "--class-names", folder.Write("names.txt", "no\nja, \"é\"\n"), "--columns", "predicted,target,bias,weights", "--out", folder.File("all.ndjson"));
        using var line = JsonDocument.Parse(File.ReadLines(folder.File("all.ndjson")).First());
        Assert.Equal("ja, \"é\"", line.RootElement.GetProperty("Predicted").GetString());
        Assert.Equal(["no", "ja, \"é\""], line.RootElement.GetProperty("ExplainedTarget").EnumerateArray().Select(e => e.GetString()!));
        Assert.Equal([1.0, -2], line.RootElement.GetProperty("Bias").EnumerateArray().Select(e => e.GetDouble()));
        Assert.Equal([[2.0, -3, 0], [-1, 4, 0.5]], line.RootElement.GetProperty("Weights").EnumerateArray().Select(t => t.EnumerateArray().Select(e => e.GetDouble())));
    }

    [Fact]
    public void What_is_no_number_is_null_in_json()
    {
        using var folder = new TemporaryFolder();
        Explain(folder, "--ignore-column", "truth", "--scale", "1e38", "--columns", "predicted,score", "--out", folder.File("out.jsonl"), "--rows", "1");
        Assert.Equal("{\"Row\":0,\"Predicted\":1,\"ExplainedScore\":null}\n", File.ReadAllText(folder.File("out.jsonl")));
    }

    [Fact]
    public void Each_row_is_a_picture_of_its_map()
    {
        using var folder = new TemporaryFolder();
        var arguments = new[] { "explain", Samples.Model("fashion-cnn.onnx"), Samples.Fashion("t10k-1000-images-idx3-ubyte.gz"), "--scale", "1/255", "--rows", "3", "--quiet" };
        foreach (var format in new[] { "png", "overlay" })
            Assert.Equal(0, CliRun.Of([.. arguments, "--out", folder.File(format), "--format", format]).Code);
        Assert.Equal(0, CliRun.Of([.. arguments, "--out", folder.File("two"), "--format", "png", "--targets", "classes:3,9"]).Code);
        Assert.Equal(0, CliRun.Of([.. arguments, "--out", folder.File("out.csv")]).Code);
        Assert.Equal(["000000.png", "000001.png", "000002.png"], Names("png"));
        Assert.Equal(["000000-3.png", "000000-9.png", "000001-3.png", "000001-9.png", "000002-3.png", "000002-9.png"], Names("two"));

        var table = CsvTable.Read(folder.File("out.csv"));
        var pixels = table.Numbers(1, "Attribution.").Select(v => (float)v).ToArray();
        using SKBitmap map = SKBitmap.Decode(folder.File("png/000001.png")), overlay = SKBitmap.Decode(folder.File("overlay/000001.png"));
        Assert.Equal((224, 224), (map.Width, map.Height));
        for (var i = 0; i < pixels.Length; i++)
        {
            var (x, y) = (i % 28 * 8 + 3, i / 28 * 8 + 5);
            Assert.Equal(DivergingColors.Of(pixels[i] / HeatMap.Scale(pixels)), map.GetPixel(x, y));
        }
        // The strongest pixel has the map's colour, a pixel that contributed nothing the image's grey.
        var strongest = Array.IndexOf(pixels, pixels.MaxBy(Math.Abs));
        Assert.Equal(map.GetPixel(strongest % 28 * 8, strongest / 28 * 8), overlay.GetPixel(strongest % 28 * 8, strongest / 28 * 8));
        var silent = Array.FindIndex(pixels, p => p == 0);
        var grey = overlay.GetPixel(silent % 28 * 8, silent / 28 * 8);
        Assert.True(grey.Red == grey.Green && grey.Green == grey.Blue);

        IEnumerable<string> Names(string name) => Directory.GetFiles(folder.File(name)).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal);
    }

    [Theory]
    [InlineData("csv")]
    [InlineData("jsonl")]
    [InlineData("parquet")]
    public void Standard_output_gets_what_a_file_gets_and_nothing_else(string format)
    {
        using var folder = new TemporaryFolder();
        Explain(folder, "--label-column", "truth", "--out", folder.File($"out.{format}"));
        var (run, data) = CliRun.Piped(Encoding.UTF8.GetBytes(Rows), "explain", folder.File("linear.onnx"), "-", "--label-column", "truth", "--out", "-", "--format", format);
        Assert.Equal((0, ""), (run.Code, run.Out));
        Assert.Equal(File.ReadAllBytes(folder.File($"out.{format}")), data);
        Assert.Contains("explains 2 rows of standard input", run.Error, StringComparison.Ordinal);
        Assert.Contains("standard output (2 rows", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Messages_about_standard_input_say_so()
    {
        using var folder = new TemporaryFolder();
        var (run, data) = CliRun.Piped("a,b,c\n1,2,oops\n"u8.ToArray(), "explain", TinyModels.WriteLinear(folder), "-", "--out", "-", "--batch", "1");
        Assert.Equal((1, ""), (run.Code, run.Out));
        Assert.Equal("'standard input', line 2, column 'c': expected a finite number, but got 'oops'.\n", run.Error);
        Assert.NotNull(data);
    }

    [Theory]
    [InlineData("--out 'FOLDER/out.txt': the extension '.txt' names no format. Name a file with .csv, .parquet, .npz or .jsonl, or say --format csv|parquet|npy|npz|jsonl|png|overlay (npy, png and overlay write a folder).", "--out", "out.txt")]
    [InlineData("--format is about --out, which is not given.", "--format", "csv")]
    [InlineData("--format npy writes a folder, which standard output cannot be.", "--out", "-", "--format", "npy")]
    [InlineData("--format png draws pictures, which have no --columns.", "--out", "maps.d", "--format", "png", "--columns", "bias")]
    [InlineData("--format png: the network's input 'x' takes [3] a row, which is no image.", "--out", "maps.d", "--format", "png")]
    public void A_format_must_be_known_and_fit(string message, params string[] options)
    {
        using var folder = new TemporaryFolder();
        var run = CliRun.Of(["explain", TinyModels.WriteLinear(folder), folder.Write("rows.csv", "a,b,c\n1,2,3\n"), .. options.Select(o => o.Contains('.') ? folder.File(o) : o)]);
        Assert.Equal((1, ""), (run.Code, run.Out));
        Assert.StartsWith(message.Replace("FOLDER", folder.Path, StringComparison.Ordinal), run.Error, StringComparison.Ordinal);
        Assert.Equal(["linear.onnx", "rows.csv"], Directory.GetFileSystemEntries(folder.Path).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Whole_numbers_feed_a_network_of_whole_numbers()
    {
        using var folder = new TemporaryFolder();
        var model = TinyModels.WriteLookup(folder);
        string[] arguments = ["explain", model, folder.Write("rows.csv", "first,second\n0,2\n2,1\n"), "--explained-input", "looked", "--columns", "score,attribution", "--quiet", "--out", folder.File("out.csv")];
        var run = CliRun.Of(arguments);
        Assert.Equal((0, ""), (run.Code, run.Error));
        // Row 0: 1 + 2 · 30. Row 1: 3 + 2 · 20.
        var table = CsvTable.Read(folder.File("out.csv"));
        Assert.Equal([61, 43], table.Rows.Select((_, i) => table.Number(i, "ExplainedScore")));
        Assert.Equal([1, 0, 0, 60], table.Numbers(0, "Attribution."));
        Assert.Equal(0, CliRun.Of("verify", model, folder.File("rows.csv"), "--explained-input", "looked", "--tolerance", "0", "--quiet").Code);

        folder.Write("rows.csv", "first,second\n0,2\n0.5,1\n");
        Assert.Contains("line 3, column 'first': expected a whole number that Int64 holds, as the input 'x' takes, but got 0.5.", CliRun.Of(arguments).Error, StringComparison.Ordinal);
    }

    private static void Explain(TemporaryFolder folder, params string[] options)
    {
        var run = CliRun.Of(["explain", TinyModels.WriteLinear(folder), folder.Write("rows.csv", Rows), "--quiet", .. options]);
        Assert.Equal((0, ""), (run.Code, run.Error));
    }
}
