using System.IO.Compression;
using SkiaSharp;

namespace MLNetLinearize.Tests.Cli;

/// <summary>Small files that ask for much, or say what they do not hold: refused by name, in one message, before anything is made of them.</summary>
public sealed class HostileDataTests : IDisposable
{
    private const int Much = 100_000_000;
    private static readonly string Clothes = Samples.Model("fashion-cnn.onnx");

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData(SKEncodedImageFormat.Png, "2.png")]
    [InlineData(SKEncodedImageFormat.Jpeg, "2.jpg")]
    public void An_image_that_was_cut_short_is_named(SKEncodedImageFormat format, string name)
    {
        WriteImages(name, DamagedImages.CutShort(format));
        Refused($"{name}' ends before its last pixel: it is cut short or damaged.", "explain", Clothes, folder.File("images"), "--resize", "28x28");
    }

    [Fact]
    public void An_image_s_header_is_enough_to_refuse_it()
    {
        WriteImages("2.png", DamagedImages.OfSize(40_000, 40_000));
        Refused("2.png' has 40,000 × 40,000 pixels, more than the 100,000,000 that an image may have. "
            + "Make it smaller, or take it out of the folder.", "explain", Clothes, folder.File("images"), "--resize", "28x28");
        // Of the right number of pixels, and not of the network's size: there is no need to decode it.
        WriteImages("2.png", DamagedImages.OfSize(5_000, 5_000));
        Refused("2.png' has 5000 × 5000 pixels; the network takes 28 × 28.", "explain", Clothes, folder.File("images"));
        // A strip whose shorter edge is made longer.
        WriteImages("2.png", DamagedImages.OfSize(1, 900_000));
        Refused("2.png' has 900000 × 1 pixels and would be resized to 25200000 × 28, more than the 100,000,000 that an image may have.", "explain", Clothes, folder.File("images"), "--preprocessing", folder.Write("edge.json", """{"size": {"shortest_edge": 28}, "crop_size": 28}"""));
    }

    [Fact]
    public void A_line_without_an_end_is_not_read_to_it()
    {
        using (var gzip = new GZipStream(File.Create(folder.File("rows.csv.gz")), CompressionLevel.Fastest))
        {
            gzip.Write("a,b,c\n1,2,3\n"u8);
            var zeros = new byte[1 << 20].AsSpan();
            zeros.Fill((byte)'0');
            for (var i = 0; i < Much >> 20; i++) gzip.Write(zeros);
        }
        var model = TinyModels.WriteLinear(folder);
        Refused("rows.csv.gz', line 3, has more than 4,194,496 bytes, the most that a row of a table for this network may have. "
            + "Check that its lines end and its quotes are closed.", "explain", model, folder.File("rows.csv.gz"));
        var rows = folder.Write("rows.csv", "a,b,c\n1,2,3\n");
        Refused("labels', line 1: has more than 65,536 characters, "
            + "where a label has a few.", "explain", model, rows, "--labels", folder.Write("labels", new string('x', Much / 10)));
        Refused("names' has more than 16,777,216 characters, "
            + "which no such file needs.", "explain", model, rows, "--class-names", folder.Write("names", new string('x', Much / 5)));
        Refused("numbers.json' has more than 16,777,216 characters, "
            + "which no such file needs.", "explain", model, rows, "--preprocessing", folder.Write("numbers.json", new string('[', Much / 5)));
    }

    [Fact]
    public void Messages_repeat_no_more_of_the_data_than_tells_it()
    {
        var model = TinyModels.WriteLinear(folder);
        var name = new string('n', 1_000_000);
        var start = $"{name[..80]}…";
        var refusals = new[]
        {
            ($"has 2 columns for the network's input 'x', which takes 3 values a row ([3]). Columns: {start}, b.", $"{name},b\n1,2\n", Array.Empty<string>()),
            ($"line 2, column '{start}': expected a finite number, but got '{start}'.", $"{name},b,c\n{name},2,3\n", []),
            ($"line 2: label '{start}' is neither a class name nor a number.", $"a,b,c,t\n1,2,3,{name}\n", ["--label-column", "t"]),
            ($"line 2, column '{start}': expected a number, but there is none;", $"{name},b,c\n,2,3\n", []),
        };
        foreach (var (message, table, options) in refusals)
            Assert.InRange(Refused(message, ["explain", model, folder.Write("rows.csv", table), .. options]).Length, 0, 1000);
        var names = folder.Write("names.txt", $"{name}\n{name}\n");
        Assert.InRange(Refused($"has '{start}' 2 times. Names must differ.", "explain", model, folder.File("rows.csv"), "--class-names", names).Length, 0, 1000);
        var fields = folder.Write("fields.json", $$"""{"{{name}}": 1}""");
        Assert.InRange(Refused($"has the field '{start}', which is not "
            + "understood.", "explain", model, folder.File("rows.csv"), "--preprocessing", fields).Length, 0, 1000);
    }

    [Theory]
    [InlineData("rows.idx", new byte[] { 0, 0, 14, 2, 0, 0, 0, 1, 15, 255, 255, 0, 1 }, "holds rows of shape [268435200], but the network's input 'x' takes [3]")]
    [InlineData("rows.parquet", new byte[] { 80, 65, 82, 49, 0, 0, 0, 0, 255, 255, 255, 127, 80, 65, 82, 49 }, "rows.parquet' is no sound Parquet file: its footer would have 2,147,483,647 bytes, and there are 4.")]
    [InlineData("rows.parquet", new byte[] { 80, 65, 82, 49, 0, 0, 0, 0, 255, 255, 255, 255, 80, 65, 82, 49 }, "rows.parquet' is no sound Parquet file: its footer would have -1 bytes, and there are 4.")]
    [InlineData("rows.parquet", new byte[] { 80, 65, 82, 49, 0 }, "rows.parquet' is no sound Parquet file: it is cut short.")]
    [InlineData("rows.parquet", new byte[] { 80, 65, 82, 49, 21, 21, 21, 21, 4, 0, 0, 0, 80, 65, 82, 49 }, "rows.parquet' is no sound Parquet file: ")]
    public void Sizes_that_a_file_only_claims_cost_no_memory(string name, byte[] bytes, string message)
    {
        var before = GC.GetTotalAllocatedBytes(precise: true);
        Refused(message, "explain", TinyModels.WriteLinear(folder), folder.Write(name, bytes));
        Assert.InRange(GC.GetTotalAllocatedBytes(precise: true) - before, 0, 1_000_000_000);
    }

    [Fact]
    public void A_scaler_s_fields_are_looked_at()
    {
        var (model, rows) = (TinyModels.WriteLinear(folder), folder.Write("rows.csv", "a,b,c\n1,2,3\n"));
        Refused("field 'feature_names_in_': expected names that differ.", "explain", model, rows, "--preprocessing", folder.Write("s.json", """{"mean_": [1, 2, 3], "feature_names_in_": ["a", null, null]}"""));
        Refused("field 'scale_': expected numbers other than 0,", "explain", model, rows, "--preprocessing", folder.Write("s.json", """{"min_": [1, 2, 3], "scale_": [1, 1, 1e-320]}"""));
        Refused("is not a readable preprocessing file: ", "explain", model, rows, "--preprocessing", folder.Write("s.json", """{"mean_": [1, 2, 3], "mean_": [1, 2, 4]}"""));
        Refused("field 'size' is -5; expected", "explain", model, rows, "--preprocessing", folder.Write("s.json", """{"size": -5}"""));
    }

    [Theory]
    [InlineData("--out", "-", "--format", "npz")]
    [InlineData("--out", "-", "--format", "parquet")]
    [InlineData("-")]
    public async Task A_folder_of_temporary_files_that_is_not_there_is_named(params string[] options)
    {
        if (OperatingSystem.IsWindows()) return;
        var (model, missing) = (TinyModels.WriteLinear(folder), folder.File("missing"));
        var data = options[0] == "-" ? "-" : folder.Write("rows.csv", "a,b,c\n1,2,3\n");
        // What stands at the input begins like a Parquet file, which is read from its end and so put aside first.
        using var process = CliProcess.StartBy($"printf PAR1PAR1PAR1 | TMPDIR='{missing}' \"$@\"", ["explain", model, data, "--quiet", .. options[0] == "-" ? [] : options]);
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal((1, $"The folder of temporary files '{missing}' cannot be written to: There is no such folder. "
            + "Set TMPDIR to a folder that can be written to, on a disk with room for it.\n"), (process.ExitCode, error));
        Assert.False(Directory.Exists(missing));
    }

    [Fact]
    public async Task A_temporary_file_that_finds_no_room_is_told_by_its_folder()
    {
        if (OperatingSystem.IsWindows()) return;
        using var process = CliProcess.StartBy("trap '' XFSZ; ulimit -f 64; "
            + "exec \"$@\"", ["explain", Samples.Model("digits-cnn.onnx"), Samples.Digits, "--label-column", "label", "--targets", "all", "--quiet", "--out", "-", "--format", "parquet"]);
        var error = await process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.StartsWith($"The folder of temporary files '{Path.TrimEndingDirectorySeparator(Path.GetTempPath())}' cannot be written to: ", error, StringComparison.Ordinal);
        Assert.Equal(1, process.ExitCode);
    }

    private void WriteImages(string name, byte[] image)
    {
        if (Directory.Exists(folder.File("images"))) Directory.Delete(folder.File("images"), recursive: true);
        Directory.CreateDirectory(folder.File("images"));
        folder.Write(Path.Combine("images", name), image);
    }

    private static string Refused(string message, params string[] arguments)
    {
        var run = CliRun.Of([.. arguments, "--quiet"]);
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.Equal((1, ""), (run.Code, run.Out));
        Assert.Single(run.Error.TrimEnd('\n').Split('\n'));
        return run.Error;
    }
}
