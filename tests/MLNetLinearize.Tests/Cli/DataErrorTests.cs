using System.IO.Compression;

namespace MLNetLinearize.Tests.Cli;

/// <summary>Bad data gives exit code 1 and one message that names file, place, what was expected and what to do.</summary>
public class DataErrorTests
{
    [Theory]
    [InlineData("a,b\n1,2\n", "has 2 columns for the network's input 'x', which takes 3 values a row ([3]). Columns: a, b. Name what is no input with --label-column or --ignore-column.")]
    [InlineData("a,b,c\n1,2,3\n4,,6\n", "line 3, column 'b': expected a number, but there is none; --missing says what becomes of such values.")]
    [InlineData("a,b,c\n1,2,3\n4,5,NaN\n", "line 3, column 'c': expected a number, but there is none; --missing says what becomes of such values.")]
    [InlineData("a,b,c\n1,2\n", "is not a readable table:")]
    [InlineData("a,b,c\n", "holds no rows.")]
    [InlineData("", "is empty. Expected a header line that names the columns.")]
    public void Tables(string text, string message)
    {
        using var folder = new TemporaryFolder();
        Refused(message, "explain", TinyModels.WriteLinear(folder), folder.Write("rows.csv", text));
    }

    [Fact]
    public void What_is_no_data_is_told_from_a_table()
    {
        using var folder = new TemporaryFolder();
        var model = TinyModels.WriteLinear(folder);
        Refused("linear.onnx' is none of the formats of DATA: it is no text, and begins like no Parquet, NPY or IDX file.", "explain", model, model);
        Refused("is a single image. Name the folder that holds it.", "explain", model, Directory.GetFiles(Samples.Fashion("png"), "*.png", SearchOption.AllDirectories)[0]);
        var utf16 = folder.Write("rows.csv", [.. System.Text.Encoding.Unicode.GetPreamble(), .. System.Text.Encoding.Unicode.GetBytes("a,b,c\n1,2,3\n")]);
        Assert.Equal(0, CliRun.Of("explain", model, utf16, "--quiet").Code);
    }

    [Fact]
    public void Labels_that_are_no_class()
    {
        using var folder = new TemporaryFolder();
        var (model, rows) = (TinyModels.WriteLinear(folder), folder.Write("rows.csv", "a,b,c,truth\n1,2,3,0\n1,2,3,4\n"));
        Refused("line 3: label 4 is beyond the network's 2 outputs, 0 to 1.", "explain", model, rows, "--label-column", "truth");
        var named = folder.Write("named.csv", "a,b,c,truth\n1,2,3,dog\n");
        Refused("label 'dog' is neither a class name nor a number. Expected 0 to 1, or names with --class-names.", "explain", model, named, "--label-column", "truth");
        Refused("expected 0 to 1 or one of no, yes.", "explain", model, named, "--label-column", "truth", "--class-names", folder.Write("names.txt", "no\nyes"));
        Refused("has no column of that name. Columns: a, b, c, truth.", "explain", model, rows, "--label-column", "Truth");
        Refused("ends after 1 labels, but", "explain", model, folder.Write("three.csv", "a,b,c\n1,2,3\n4,5,6\n"), "--labels", folder.Write("labels.txt", "1\n"));
        Refused("explains each row's true class, but no labels are given", "explain", model, folder.File("three.csv"), "--targets", "label");
        Refused("has 3 names, but the network has 2 outputs", "explain", model, rows, "--label-column", "truth", "--class-names", folder.Write("more.txt", "a\nb\nc\n"));
    }

    [Theory]
    [InlineData(new byte[] { 0, 0, 0x0A, 2, 0, 0, 0, 1, 0, 0, 0, 3, 1, 2, 3 }, "is not an IDX file: it starts with the bytes 00000A02")]
    [InlineData(new byte[] { 0, 0, 8, 2, 0, 0, 0, 1, 0, 0 }, "ends inside its header: it is cut short")]
    [InlineData(new byte[] { 0, 0, 8, 2, 0xFF, 0, 0, 1, 0, 0, 0, 3, 1, 2, 3 }, "is not usable: its header gives the shape [-16777215, 3]")]
    [InlineData(new byte[] { 0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 4, 1, 2, 3, 4 }, "holds rows of shape [4], but the network's input 'x' takes [3]")]
    [InlineData(new byte[] { 0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5 }, "ends in row 1 of 2 (counted from 0): it is cut short")]
    [InlineData(new byte[] { 0, 0, 8, 2, 0, 0, 0, 1, 0, 0, 0, 3, 1, 2, 3, 4 }, "goes on after its 1 rows")]
    public void Idx_files(byte[] bytes, string message)
    {
        using var folder = new TemporaryFolder();
        Refused(message, "explain", TinyModels.WriteLinear(folder), folder.Write("rows.idx", bytes));
    }

    [Fact]
    public void Packed_files_that_are_cut_or_corrupt()
    {
        using var folder = new TemporaryFolder();
        var whole = File.ReadAllBytes(Samples.Fashion("t10k-1000-images-idx3-ubyte.gz"));
        var model = Samples.Model("fashion-cnn.onnx");
        Refused("it is cut short. Copy or download it again.", "explain", model, folder.Write("cut.gz", whole[..(whole.Length / 2)]));
        whole[whole.Length / 2] ^= 0xFF;
        whole[whole.Length / 2 + 1] ^= 0xFF;
        Refused("corrupt.gz'", "explain", model, folder.Write("corrupt.gz", whole));
    }

    [Fact]
    public void Idx_of_every_type_is_read()
    {
        using var folder = new TemporaryFolder();
        var model = TinyModels.WriteLinear(folder);
        var rows = new (byte Type, byte[] Bytes)[]
        {
            (0x08, [1, 2, 3]), (0x09, [1, 2, 3]), (0x0B, [0, 1, 0, 2, 0, 3]), (0x0C, [0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3]),
            (0x0D, [0x3F, 0x80, 0, 0, 0x40, 0, 0, 0, 0x40, 0x40, 0, 0]), (0x0E, [0x3F, 0xF0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0, 0x40, 8, 0, 0, 0, 0, 0, 0]),
        };
        foreach (var (type, bytes) in rows)
        {
            var run = CliRun.Of("explain", model, folder.Write("rows.idx", [0, 0, type, 2, 0, 0, 0, 1, 0, 0, 0, 3, .. bytes]), "--quiet", "--out", folder.File("out.csv"));
            Assert.Equal("", run.Error);
            Assert.Equal("6.5", CsvTable.Read(folder.File("out.csv")).Rows[0]["ExplainedScore"]);
        }
    }

    [Fact]
    public void A_packed_table_is_unpacked()
    {
        using var folder = new TemporaryFolder();
        using (var gzip = new GZipStream(File.Create(folder.File("rows.csv.gz")), CompressionLevel.Fastest)) gzip.Write("a\tb\tc\n1\t2\t3\n"u8);
        var run = CliRun.Of("explain", TinyModels.WriteLinear(folder), folder.File("rows.csv.gz"), "--quiet");
        Assert.Equal((0, ""), (run.Code, run.Error));
    }

    [Fact]
    public void Images_that_do_not_fit()
    {
        using var folder = new TemporaryFolder();
        Refused("is no image: a row has the shape [3]", "explain", TinyModels.WriteLinear(folder), folder.Path);
        Refused("28 × 28 pixels; the network takes 8 × 8", "explain", Samples.Model("digits-cnn.onnx"), Samples.Fashion("png"));
        Refused("holds no PNG or JPEG files", "explain", Samples.Model("digits-cnn.onnx"), Directory.CreateDirectory(folder.File("empty")).FullName);
    }

    [Fact]
    public void Options_that_make_no_sense()
    {
        using var folder = new TemporaryFolder();
        var (model, rows) = (TinyModels.WriteLinear(folder), folder.Write("rows.csv", "a,b,c\n1,2,3\n"));
        Refused("--scale 'half': expected a number other than 0", "explain", model, rows, "--scale", "half");
        Refused("--rows 'some': expected a whole number of 1 or more, or all.", "explain", model, rows, "--rows", "some");
        Refused("--targets: 'best' is none of predicted, all", "explain", model, rows, "--targets", "best");
        Refused("'Shirt' is no output index. Class names need --class-names FILE.", "explain", model, rows, "--targets", "contrast:Shirt,0");
        Refused("--columns: 'everything' is none of", "explain", model, rows, "--columns", "everything", "--out", folder.File("out.csv"));
        Refused("--picture: the network's input 'x' takes [3] a row, which is no image.", "explain", model, rows, "--picture", folder.File("p.png"));
        Refused("does not exist", "explain", model, folder.File("absent.csv"));
        Refused("absent.onnx' does not exist", "explain", folder.File("absent.onnx"), rows);
        Refused("--input-shape 'x': expected NAME=sizes", "explain", model, rows, "--input-shape", "x");
    }

    [Fact]
    public void A_batch_beyond_memory_is_refused_with_the_most_that_fits()
    {
        using var folder = new TemporaryFolder();
        Refused("--batch 1000000000: expected at most 29826161, since the inputs and explanations of so many rows", "explain", TinyModels.WriteLinear(folder), folder.Write("rows.csv", "a,b,c\n1,2,3\n"), "--batch", "1000000000");
    }

    [Fact]
    public void Labels_of_a_network_that_is_no_classifier_are_to_be_left_out()
    {
        string[] arguments = [Samples.Model("digits-tsne.onnx"), Samples.Digits, "--scale", "1/16", "--rows", "10"];
        Refused("label 2 is beyond the network's 2 outputs, 0 to 1. Labels number the outputs of a classifier; of another network leave them out (a column of them: --ignore-column).", ["explain", .. arguments, "--label-column", "label"]);
        Assert.Equal(0, CliRun.Of(["explain", .. arguments, "--ignore-column", "label"]).Code);
    }

    private static void Refused(string message, params string[] arguments)
    {
        var run = CliRun.Of(arguments);
        Assert.Contains(message, run.Error, StringComparison.OrdinalIgnoreCase);
        Assert.Equal((1, ""), (run.Code, run.Out));
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
    }
}
