using MLNetLinearize.Tests.Documentation;

namespace MLNetLinearize.Tests.SamplePrograms;

public class FashionTests
{
    [Fact]
    public void Scores_explains_saves_loads_elsewhere_and_draws()
    {
        using var run = new SampleRun("Fashion");

        run.PrintsWhatItsReadmeShows();
        Assert.True(SampleRun.Figures(run.Output, "right:")[0] >= 89, run.Output);
        Assert.True(SampleRun.Figures(run.Output, "exactness:")[0] <= 1e-5, run.Output);
        Assert.True(SampleRun.Figures(run.Output, "saved as fashion.zip")[0] <= 1e-5, run.Output);
        var parts = run.Output.Split("\n\n");
        Assert.Equal(3, parts.Length);
        AddUp(parts[1], 6);
        AddUp(parts[2], 11);
        Assert.True(File.Exists(Path.Combine(run.Folder, "fashion.zip")));
        run.Draws("photographs.png", 2000, 2000);
        run.Draws("shirt-not-coat.png", 2000, 1200);
        run.Draws("mistakes.png", 3000, 2000);
    }

    [Fact]
    public void Explains_any_network_and_folder()
    {
        using var run = new SampleRun("Fashion", "--model", Repository.File("samples/models/fashion-cnn.onnx"), "--images", Repository.File("samples/data/fashion-mnist/png"),
            "--labels", Repository.File("samples/data/fashion-mnist/labels.txt"));

        Assert.Equal([89, 100], SampleRun.Figures(run.Output, "right:"));
        Assert.True(SampleRun.Figures(run.Output, "exactness:")[0] <= 1e-5, run.Output);
        AddUp(run.Output, 100);
        run.Draws("photographs-1.png", 2000, 1500);
        run.Draws("photographs-13.png", 2000, 800);
    }

    /// <summary>In each row, what the score is made of gives the score as printed: two decimals, three times rounded.</summary>
    private static void AddUp(string table, int rows)
    {
        var found = table.Split('\n').Where(l => l.Contains('=', StringComparison.Ordinal) && char.IsDigit(l.TrimStart()[0])).ToArray();
        Assert.Equal(rows, found.Length);
        foreach (var line in found)
        {
            var sides = line.Split('=');
            var words = sides[1].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            Assert.True(words[1] is "+" or "−" && char.IsDigit(words[2][0]), line); // a bias is added or taken away, and never "+ −"
            var sum = Number(words[0]) + Number(words[1] + words[2]);
            Assert.True(Math.Abs(Number(sides[0].Split(' ', StringSplitOptions.RemoveEmptyEntries)[^1]) - sum) <= 0.0151, line);
        }
    }

    private static double Number(string text) => double.Parse(text.Replace('−', '-'), System.Globalization.CultureInfo.InvariantCulture);
}
