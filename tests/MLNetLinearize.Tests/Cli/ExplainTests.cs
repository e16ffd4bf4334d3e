using System.Globalization;
using System.Text.RegularExpressions;
using SkiaSharp;

namespace MLNetLinearize.Tests.Cli;

public class ExplainTests
{
    private static readonly string[] DigitsCnn = ["explain", Samples.Model("digits-cnn.onnx"), Samples.Digits, "--label-column", "label", "--scale", "1/16"];

    [Fact]
    public void Rows_and_summary_are_shown()
    {
        var run = CliRun.Of([.. DigitsCnn, "--rows", "200", "--show", "4", "--top-features", "3"]);
        Assert.Equal(0, run.Code);
        Assert.Matches(@"^200 rows in \d+\.\d\d s, [\d,]+ rows per second\n$", run.Error);
        Golden.Equal("explain-digits-cnn.txt", run.Stable);
    }

    [Fact]
    public void Every_written_row_adds_up_to_its_score()
    {
        using var folder = new TemporaryFolder();
        var run = CliRun.Of([.. DigitsCnn, "--rows", "150", "--out", folder.File("columns.csv"), "--quiet"]);
        Assert.Equal((0, ""), (run.Code, run.Error));
        var table = CsvTable.Read(folder.File("columns.csv"));
        Assert.Equal(150, table.Rows.Count);
        Assert.Equal(["Row", "Label", "Predicted", "ExplainedTarget", "ExplainedScore", "Bias", "LinearizationError", "Attribution.p0_0", "Attribution.p0_1"], table.Headers.Take(9));
        Assert.Equal(7 + 64, table.Headers.Count);
        for (var i = 0; i < 150; i++)
        {
            Assert.Equal(i, table.Number(i, "Row"));
            Assert.Equal(table.Number(i, "Predicted"), table.Number(i, "ExplainedTarget"));
            Assert.Equal(table.Number(i, "ExplainedScore"), table.Number(i, "Bias") + table.Numbers(i, "Attribution.").Sum(), 1e-4);
            Assert.InRange(table.Number(i, "LinearizationError"), 0, 1e-5);
        }
    }

    [Fact]
    public void Chosen_columns_of_chosen_classes_are_the_network_worked_out_by_hand()
    {
        using var folder = new TemporaryFolder();
        var run = CliRun.Of("explain", TinyModels.WriteLinear(folder), folder.Write("rows.csv", "a,id,b,c\n1,x,2,3\n0,y,-1,4\n"), "--ignore-column", "id",
            "--class-names", folder.Write("names.txt", "no\nyes\n"), "--targets", "classes:yes,no", "--columns", "weights,attribution,bias,score", "--out", folder.File("out.csv"));
        Assert.Equal("", run.Code == 0 ? "" : run.Error);
        Assert.Equal(
            "Row,ExplainedScore.yes,ExplainedScore.no,Bias.yes,Bias.no,Attribution.yes|a,Attribution.yes|b,Attribution.yes|c,Attribution.no|a,Attribution.no|b,Attribution.no|c,"
                + "Weights.yes|a,Weights.yes|b,Weights.yes|c,Weights.no|a,Weights.no|b,Weights.no|c\n"
                + "0,6.5,-3,-2,1,-1,8,1.5,2,-6,0,-1,4,0.5,2,-3,0\n"
                + "1,-4,4,-2,1,-0,-4,2,0,3,0,-1,4,0.5,2,-3,0\n",
            File.ReadAllText(folder.File("out.csv")).ReplaceLineEndings("\n"));
    }

    [Theory]
    [InlineData("top:2", "ExplainedTarget.#1", "6.5", "-3")]
    [InlineData("predicted-vs-runner-up", "ExplainedScore", "9.5")]
    [InlineData("contrast:0,1", "ExplainedScore", "-9.5")]
    [InlineData("label", "ExplainedScore", "-3")]
    public void Targets_are_what_they_say(string targets, string column, params string[] scores)
    {
        using var folder = new TemporaryFolder();
        var run = CliRun.Of("explain", TinyModels.WriteLinear(folder), folder.Write("rows.csv", "a;b;c;truth\n1;2;3;0\n"), "--label-column", "truth", "--targets", targets, "--out", folder.File("out.csv"));
        Assert.Equal("", run.Code == 0 ? "" : run.Error);
        var table = CsvTable.Read(folder.File("out.csv"));
        Assert.Contains(column, table.Headers);
        Assert.Equal(scores, table.Headers.Where(h => h.StartsWith("ExplainedScore", StringComparison.Ordinal)).Select(h => table.Rows[0][h]));
    }

    [Fact]
    public void An_inner_tensor_can_take_the_input_s_place()
    {
        using var folder = new TemporaryFolder();
        var run = CliRun.Of([.. DigitsCnn, "--rows", "20", "--explained-input", "/8/Flatten_output_0", "--out", folder.File("out.csv")]);
        Assert.Equal("", run.Code == 0 ? "" : run.Error);
        var table = CsvTable.Read(folder.File("out.csv"));
        Assert.Equal(128, table.Headers.Count(h => h.StartsWith("Attribution.", StringComparison.Ordinal)));
        Assert.Equal(table.Number(3, "ExplainedScore"), table.Number(3, "Bias") + table.Numbers(3, "Attribution.").Sum(), 1e-4);
    }

    [Theory]
    [InlineData("/8/Flatten_output_0", false)]
    [InlineData("logits", true)]
    public void Labels_are_no_units_of_an_inner_tensor(string tensor, bool hasClasses)
    {
        using var folder = new TemporaryFolder();
        string[] arguments = [.. DigitsCnn, "--rows", "20", "--to", tensor, "--out", folder.File("out.csv")];
        var run = CliRun.Of(arguments);
        Assert.Equal("", run.Code == 0 ? "" : run.Error);
        Assert.Equal(hasClasses, run.Out.Contains("accuracy", StringComparison.Ordinal));
        if (!hasClasses) Assert.DoesNotContain("✗", run.Out, StringComparison.Ordinal);
        Assert.Equal(hasClasses, CliRun.Of([.. arguments, "--json"]).Out.Contains("accuracy", StringComparison.Ordinal));
        // The labels themselves are still the data's.
        Assert.Equal(["0", "1", "2"], CsvTable.Read(folder.File("out.csv")).Rows.Take(3).Select(r => r["Label"]));
    }

    [Fact]
    public void A_softmax_leaves_the_classes_where_they_are()
    {
        var net = new Rules.Net(17, 1);
        var logits = net.Op("Gemm", [net.Input("x", "N", 3), net.Weights(3, 2)]);
        var model = net.Build(net.Op("Flatten", [net.Op("Softmax", [logits])]), "N", 2);
        Assert.True(MLNetLinearize.Cli.ClassScores.Are(model, logits));
        Assert.False(MLNetLinearize.Cli.ClassScores.Are(model, "x"));
    }

    [Fact]
    public void The_first_run_of_the_readme_works()
    {
        using var folder = new TemporaryFolder();
        var run = CliRun.Of("explain", Samples.Model("fashion-cnn.onnx"), Samples.Fashion("t10k-1000-images-idx3-ubyte.gz"), "--labels", Samples.Fashion("t10k-1000-labels-idx1-ubyte.gz"),
            "--class-names", Samples.Fashion("labels.txt"), "--scale", "1/255", "--rows", "200", "--picture", folder.File("sheet.png"), "--out", folder.File("out.csv"));
        Assert.Equal("", run.Code == 0 ? "" : run.Error);
        Assert.Contains("Ankle boot", run.Out, StringComparison.Ordinal);
        using var sheet = SKBitmap.Decode(folder.File("sheet.png"));
        Assert.True(sheet is { Width: > 1000, Height: > 2000 });
        Assert.Contains("Attribution.[0,27,27]", CsvTable.Read(folder.File("out.csv")).Headers);
    }

    [Fact]
    public void A_folder_of_images_gives_what_the_same_images_give_as_idx()
    {
        using var folder = new TemporaryFolder();
        var model = Samples.Model("fashion-cnn.onnx");
        Assert.Equal(0, CliRun.Of("explain", model, Samples.Fashion("png"), "--scale", "1/255", "--rows", "30", "--out", folder.File("png.csv")).Code);
        Assert.Equal(0, CliRun.Of("explain", model, Samples.Fashion("t10k-1000-images-idx3-ubyte.gz"), "--scale", "1/255", "--rows", "30", "--out", folder.File("idx.csv")).Code);
        Assert.Equal(File.ReadAllText(folder.File("idx.csv")), File.ReadAllText(folder.File("png.csv")));
    }

    [Fact]
    public void Nothing_is_left_of_an_output_that_could_not_be_finished()
    {
        using var folder = new TemporaryFolder();
        var run = CliRun.Of("explain", TinyModels.WriteLinear(folder), folder.Write("rows.csv", "a,b,c\n1,2,3\n1,oops,3\n"), "--batch", "1", "--out", folder.File("out.csv"));
        Assert.Equal(1, run.Code);
        Assert.Equal(["linear.onnx", "rows.csv"], Directory.GetFiles(folder.Path).Select(f => Path.GetFileName(f)).Order());
    }

    [Fact]
    public void A_stopped_run_says_so_and_leaves_nothing()
    {
        using var folder = new TemporaryFolder();
        byte[] rows = [0, 0, 8, 2, 0, 0, 4, 0, 0, 0, 0, 3, .. new byte[3 * 1024]];
        var run = CliRun.Stopped(rows, rows.Length / 2, "explain", TinyModels.WriteLinear(folder), "-", "--out", folder.File("out.csv"));
        Assert.Equal(new CliRun(130, "", "Stopped.\n"), run);
        Assert.Equal(["linear.onnx"], Directory.GetFiles(folder.Path).Select(f => Path.GetFileName(f)));
    }

    [Fact]
    public void Rows_beyond_float32_have_no_prediction_and_are_told()
    {
        using var folder = new TemporaryFolder();
        // 4e38 is infinite in float32, and the network takes infinity from infinity. The other rows are sound.
        var rows = folder.Write("rows.csv", "a,b,c,truth\n0,0,0,0\n4,4,1,1\n0,0,0,0\n4,4,1,0\n");
        var run = CliRun.Of("explain", TinyModels.WriteLinear(folder), rows, "--label-column", "truth", "--scale", "1e38", "--out", folder.File("out.csv"));
        Assert.Equal(0, run.Code);
        Assert.Contains("warning     2 rows came out as NaN or infinite (the first: row 1) and have no explanation", run.Out, StringComparison.Ordinal);
        Assert.Contains("accuracy    50.0 % (2 of 4)", run.Out, StringComparison.Ordinal);
        Assert.Matches(@"\n +1   1 +– ✗ +NaN", run.Out);
        Assert.Equal(["0", "", "0", ""], CsvTable.Read(folder.File("out.csv")).Rows.Select(r => r["Predicted"]));
    }

    [Fact]
    public void Numbers_do_not_follow_the_language_of_the_machine()
    {
        using var folder = new TemporaryFolder();
        var before = CultureInfo.CurrentCulture;
        var comma = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        comma.NumberFormat.NumberDecimalSeparator = ",";
        try
        {
            CultureInfo.CurrentCulture = comma;
            var run = CliRun.Of("explain", TinyModels.WriteLinear(folder), folder.Write("rows.csv", "a,b,c\n1,2,3.5\n"), "--out", folder.File("out.csv"), "--quiet");
            Assert.Equal(0, run.Code);
            Assert.Equal("6.75", CsvTable.Read(folder.File("out.csv")).Rows[0]["ExplainedScore"]);
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }
}

/// <summary>A written table, read back without the library that wrote it. The fields here hold no quotes, the names may be quoted.</summary>
internal sealed partial record CsvTable(IReadOnlyList<string> Headers, IReadOnlyList<IReadOnlyDictionary<string, string>> Rows)
{
    public static CsvTable Read(string file)
    {
        var lines = File.ReadAllLines(file);
        var headers = Field().Matches(lines[0]).Select(m => m.Value.Trim('"')).ToArray();
        return new(headers, [.. lines.Skip(1).Select(l => headers.Zip(l.Split(','), KeyValuePair.Create).ToDictionary())]);
    }

    [GeneratedRegex("\"[^\"]*\"|[^,\"]+")]
    private static partial Regex Field();

    public double Number(int row, string column) => double.Parse(Rows[row][column], CultureInfo.InvariantCulture);

    public IEnumerable<double> Numbers(int row, string prefix) => Headers.Where(h => h.StartsWith(prefix, StringComparison.Ordinal)).Select(h => Number(row, h));
}
