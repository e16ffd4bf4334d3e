namespace MLNetLinearize.Tests.SamplePrograms;

public class DownstreamAnalysisTests
{
    [Fact]
    public void Finds_the_planted_mark_among_the_reasons_and_not_among_the_pixels()
    {
        using var run = new SampleRun("DownstreamAnalysis");

        run.PrintsWhatItsReadmeShows();
        // The search itself: the marked class lies apart, by a margin over every other class, and the pixels are those of the mark.
        Assert.Contains("Apart: the two groups of 'coat'. The nine pixels that differ most lie in rows 1 to 3, columns 1 to 3,", run.Output, StringComparison.Ordinal);
        var classes = File.ReadAllLines("samples/data/fashion-mnist/labels.txt");
        var separations = classes.ToDictionary(c => c, c => SampleRun.Figures(run.Output, c)[2]); // after the two groups' sizes
        Assert.True(separations["Coat"] < 1);
        Assert.All(separations.Where(s => s.Key != "Coat"), s => Assert.True(s.Value > separations["Coat"] + 0.2, $"{s.Key}: {s.Value}"));
        // What the network does with the mark, by experiment.
        var (blackened, whitened) = (SampleRun.Figures(run.Output, "blackened in that group:"), SampleRun.Figures(run.Output, "whitened on everything else:"));
        Assert.True(blackened[0] < 0.8 * blackened[1], run.Output);
        Assert.True(whitened[0] > 0.2 * whitened[1], run.Output);
        // Against what we planted: purity and recall in percent.
        var truth = run.Output[run.Output.IndexOf("The truth:", StringComparison.Ordinal)..];
        var chance = SampleRun.Figures(truth, "The truth:")[1];
        var (why, pixels) = (SampleRun.Figures(truth, "grouped by why"), SampleRun.Figures(truth, "grouped by pixels"));
        Assert.True(why[0] >= 95 && why[1] >= 95, run.Output);
        Assert.True(pixels[0] < chance + 15, run.Output);
        run.Draws("groups.png", 2400, 900);
    }
}
