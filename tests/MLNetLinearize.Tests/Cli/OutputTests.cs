namespace MLNetLinearize.Tests.Cli;

/// <summary>What is written never destroys what is read, and a path that cannot be written fails before the run.</summary>
public class OutputTests
{
    private const string Rows = "a,b,c,truth\n1,2,3,0\n";

    [Theory]
    [InlineData("explain", "linear.onnx", "rows.csv", "--ignore-column", "truth", "--out", "linear.onnx")]
    [InlineData("explain", "linear.onnx", "rows.csv", "--ignore-column", "truth", "--out", "new/../linear.onnx")]
    [InlineData("explain", "linear.onnx", "rows.csv", "--ignore-column", "truth", "--picture", "linear.onnx")]
    [InlineData("explain", "linear.onnx", "rows.csv", "--ignore-column", "truth", "--report", "linear.onnx")]
    [InlineData("explain", "linear.onnx", "rows.csv", "--ignore-column", "truth", "--out", "rows.csv")]
    [InlineData("explain", "linear.onnx", "rows.csv", "--ignore-column", "truth", "--labels", "labels.txt", "--out", "labels.txt")]
    [InlineData("explain", "linear.onnx", "rows.csv", "--ignore-column", "truth", "--class-names", "names.txt", "--picture", "names.txt")]
    [InlineData("export", "linear.onnx", "linear.onnx")]
    [InlineData("export", "linear.onnx", "names.txt", "--class-names", "names.txt")]
    public void An_output_is_none_of_the_inputs(params string[] arguments)
    {
        using var folder = new TemporaryFolder();
        Fill(folder);
        Unchanged(folder, "itself, which writing would destroy. Name another file.", arguments);
    }

    [Fact]
    public void Two_outputs_are_two_files()
    {
        using var folder = new TemporaryFolder();
        Fill(folder);
        Unchanged(folder, "--out and --picture both name '", "explain", "linear.onnx", "rows.csv", "--label-column", "truth", "--out", "both", "--picture", "./both");
    }

    [Fact]
    public void A_link_to_an_input_is_that_input()
    {
        using var folder = new TemporaryFolder();
        Fill(folder);
        File.CreateSymbolicLink(folder.File("link.onnx"), folder.File("linear.onnx"));
        Unchanged(folder, "OUT", "export", "link.onnx", "linear.onnx");
        Unchanged(folder, "OUT", "export", "linear.onnx", "link.onnx");
    }

    [Fact]
    public void No_picture_is_drawn_among_the_images_it_is_about()
    {
        using var folder = new TemporaryFolder();
        folder.Write("0.png", File.ReadAllBytes(Samples.Fashion("png/000_ankle-boot.png")));
        var run = CliRun.Of("explain", Samples.Model("fashion-cnn.onnx"), folder.Path, "--picture", folder.File("sheet.png"));
        Assert.Equal((1, ""), (run.Code, run.Out));
        Assert.Contains("would lie among the images of DATA", run.Error, StringComparison.Ordinal);
        Assert.Equal(0, CliRun.Of("explain", Samples.Model("fashion-cnn.onnx"), folder.Path, "--out", folder.File("columns.csv"), "--quiet").Code);
    }

    [Theory]
    [InlineData("--out 'rows.csv/out.csv' cannot be written:", "explain", "linear.onnx", "rows.csv", "--label-column", "truth", "--out", "rows.csv/out.csv")]
    [InlineData("--out 'new' is a folder. Expected the name of the file to write.", "explain", "linear.onnx", "rows.csv", "--label-column", "truth", "--out", "new")]
    [InlineData("OUT 'rows.csv/out.onnx' cannot be written:", "export", "linear.onnx", "rows.csv/out.onnx")]
    [InlineData("OUT 'new' is a folder.", "export", "linear.onnx", "new")]
    [InlineData("OUT is empty. Expected a path.", "export", "linear.onnx", "")]
    [InlineData("--out is empty. Expected a path.", "explain", "linear.onnx", "rows.csv", "--out", "")]
    [InlineData("MODEL is empty. Expected a path.", "inspect", "")]
    [InlineData("MODEL 'new' is a folder. Expected a file.", "inspect", "new")]
    [InlineData("MODEL 'new' is a folder. Expected a file.", "verify", "new", "rows.csv")]
    [InlineData("DATA is empty. Expected a path.", "verify", "linear.onnx", "")]
    [InlineData("--labels 'new' is a folder. Expected a file.", "verify", "linear.onnx", "rows.csv", "--labels", "new")]
    public void A_bad_path_is_named_with_its_argument(string message, params string[] arguments)
    {
        using var folder = new TemporaryFolder();
        Fill(folder);
        Unchanged(folder, message, arguments);
    }

    [Theory]
    [InlineData("--picture 'a.jpg' is written as PNG, which its name does not say. Name a file with .png.", "explain", "linear.onnx", "rows.csv", "--label-column", "truth", "--picture", "a.jpg")]
    [InlineData("--report 'a.txt' is written as HTML, which its name does not say. Name a file with .html or .htm.", "explain", "linear.onnx", "rows.csv", "--label-column", "truth", "--report", "a.txt")]
    [InlineData("--report 'a.txt' is written as HTML", "evaluate", "linear.onnx", "rows.csv", "--label-column", "truth", "--report", "a.txt")]
    [InlineData("--plot 'a.svg' is written as PNG", "evaluate", "linear.onnx", "rows.csv", "--label-column", "truth", "--plot", "a.svg")]
    [InlineData("--out 'a.parquet' is written as CSV", "evaluate", "linear.onnx", "rows.csv", "--label-column", "truth", "--out", "a.parquet")]
    public void A_name_says_what_the_file_holds(string message, params string[] arguments)
    {
        using var folder = new TemporaryFolder();
        Fill(folder);
        Unchanged(folder, message, arguments);
    }

    [Theory]
    [InlineData("--columns", "weights")]
    [InlineData("--format", "csv")]
    public void Columns_and_format_are_about_a_file(string option, string value)
    {
        using var folder = new TemporaryFolder();
        Fill(folder);
        Unchanged(folder, $"{option} is about --out, which is not given. Name a file with --out, or leave it out.", "explain", "linear.onnx", "rows.csv", "--label-column", "truth", option, value);
    }

    [Fact]
    public void A_bad_picture_fails_before_the_run()
    {
        using var folder = new TemporaryFolder();
        Fill(folder);
        var run = CliRun.Of("explain", Samples.Model("fashion-cnn.onnx"), Samples.Fashion("t10k-1000-images-idx3-ubyte.gz"), "--out", folder.File("out.csv"), "--picture", folder.File("rows.csv/sheet.png"));
        Assert.Equal((1, ""), (run.Code, run.Out));
        // Had the rows been explained first, their number would be told too.
        Assert.StartsWith($"--picture '{folder.File("rows.csv/sheet.png")}' cannot be written:", run.Error, StringComparison.Ordinal);
        Assert.EndsWith("Name a file in a folder that can be written to, on a disk with room for it.\n", run.Error, StringComparison.Ordinal);
        Assert.Equal(Files, Directory.GetFiles(folder.Path).Select(f => Path.GetFileName(f)).Order(StringComparer.Ordinal));
    }

    private static readonly string[] Files = ["labels.txt", "linear.onnx", "names.txt", "rows.csv"];

    private static void Fill(TemporaryFolder folder)
    {
        TinyModels.WriteLinear(folder);
        folder.Write("rows.csv", Rows);
        folder.Write("labels.txt", "0\n");
        folder.Write("names.txt", "no\nyes\n");
        Directory.CreateDirectory(folder.File("new"));
    }

    private static void Unchanged(TemporaryFolder folder, string message, params string[] arguments)
    {
        var before = Directory.GetFiles(folder.Path).ToDictionary(f => f, File.ReadAllBytes);
        var run = CliRun.Of([.. arguments.Select((a, i) => i == 0 || a.Length == 0 || (a != "both" && a != "./both" && a != "new" && !a.Contains('.')) ? a : folder.File(a))]);
        Assert.Contains(message, run.Error.Replace(folder.Path + Path.DirectorySeparatorChar, "", StringComparison.Ordinal), StringComparison.Ordinal);
        Assert.Equal((1, ""), (run.Code, run.Out));
        Assert.Single(run.Error.TrimEnd('\n').Split('\n'));
        Assert.Equal(before, Directory.GetFiles(folder.Path).ToDictionary(f => f, File.ReadAllBytes));
    }
}
