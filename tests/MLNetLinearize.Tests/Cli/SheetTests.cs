using SkiaSharp;

namespace MLNetLinearize.Tests.Cli;

/// <summary>A contact sheet shows the score that was asked for.</summary>
public sealed class SheetTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Theory]
    [InlineData("predicted", true)]
    [InlineData("all", true)]
    [InlineData("classes:1", true)]
    [InlineData("contrast:1,0", true)]
    [InlineData("contrast:0,1", false)]
    [InlineData("predicted-vs-runner-up", true)]
    public void Maps_are_of_the_targets(string targets, bool isRed)
    {
        // Output c is the sum of channel c; one channel alone has light, and its output is predicted.
        var rows = folder.Write("rows.csv", "a,b,c,d,e,f,g,h,i,j,k,l\n0,0,0,0,1,2,3,4,0,0,0,0\n");
        var run = CliRun.Of("explain", TinyModels.WriteImage(folder), rows, "--targets", targets, "--picture", folder.File("sheet.png"));
        Assert.Equal("", run.Code == 0 ? "" : run.Error);
        using var sheet = SKBitmap.Decode(folder.File("sheet.png"));
        // The legend has as much of either.
        var (red, blue) = (sheet.Pixels.Count(p => p.Red > p.Blue + 100), sheet.Pixels.Count(p => p.Blue > p.Red + 100));
        Assert.True(isRed ? red > 2 * blue : blue > 2 * red, $"{red} red pixels, {blue} blue ones");
    }

    [Fact]
    public void Mistakes_are_drawn_by_the_difference_too()
    {
        string[] arguments = ["explain", Samples.Model("digits-cnn.onnx"), Samples.Digits, "--label-column", "label", "--scale", "1/16", "--targets", "contrast:3,5", "--quiet", "--picture", folder.File("sheet.png")];
        var run = CliRun.Of(arguments);
        Assert.Equal((0, ""), (run.Code, run.Error));
        using var sheet = SKBitmap.Decode(folder.File("sheet.png"));
        // Mistakes are framed in red, and these digits have some.
        Assert.True(sheet.Pixels.Count(p => p is { Red: > 150, Green: < 80, Blue: < 80 }) > 500);
    }

    [Theory]
    [InlineData("classes:0,1", "--picture", "sheet.png", "--picture draws one score a row, and --targets classes:0,1 asks for 2.")]
    [InlineData("contrast:0,1", "--report", "report.html", "--report shows the scores of outputs, and of any two their difference itself; --targets contrast:0,1 asks for a difference alone.")]
    [InlineData("predicted-vs-runner-up", "--report", "report.html", "--targets predicted-vs-runner-up asks for a difference alone.")]
    public void What_cannot_be_shown_is_refused_before_the_run(string targets, string option, string file, string message)
    {
        var rows = folder.Write("rows.csv", "a,b,c,d,e,f,g,h,i,j,k,l\nno number,0,0,0,1,2,3,4,0,0,0,0\n");
        var run = CliRun.Of("explain", TinyModels.WriteImage(folder), rows, "--targets", targets, option, folder.File(file));
        Assert.Equal((1, ""), (run.Code, run.Out));
        Assert.Contains(message, run.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(folder.File(file)));
    }
}
