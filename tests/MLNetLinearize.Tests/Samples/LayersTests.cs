namespace MLNetLinearize.Tests.SamplePrograms;

public class LayersTests
{
    [Fact]
    public void Follows_images_through_two_networks()
    {
        using var run = new SampleRun("Layers");

        run.PrintsWhatItsReadmeShows();
        var stories = run.Output.Split("\n\n");
        Assert.Equal(5, stories.Length);
        foreach (var story in stories)
        {
            // float32 sums of up to 12,544 terms, and products of two maps with inner dimensions up to 2,048.
            Assert.True(SampleRun.Figures(story, "sums: Σ contributions + bias is the score at each of")[1] <= 1e-5, story);
            Assert.True(SampleRun.Figures(story, "halves: pixels to layer and layer to scores, put together, are pixels to scores, within")[0] <= 1e-5, story);
            foreach (var line in story.Split('\n').Skip(3).TakeWhile(l => l.Contains('|', StringComparison.Ordinal))) MakesSense(line, story);
        }
        // The ten scores read ten directions of each layer; the active units of the dense layer are all independent.
        foreach (var digit in stories[..2])
        {
            var dense = SampleRun.Figures(digit, "dense");
            Assert.Equal(dense[1], dense[2]);
            Assert.InRange(dense[1], 11, 32);
        }
        foreach (var picture in new[] { "digit-63.png", "digit-28.png", "clothes-0.png", "clothes-17.png", "clothes-25.png" }) run.Draws(picture, 2000, 1500);
        Assert.Contains("clothes-25: Coat, taken for Pullover,", run.Output, StringComparison.Ordinal);
    }

    /// <summary>Rank is bounded by what is active, and Σ + bias is the score.</summary>
    private static void MakesSense(string line, string story)
    {
        var score = SampleRun.Figures(story, story[..story.IndexOf(", score ", StringComparison.Ordinal)] + ", score")[0];
        var cells = line.Split('|');
        var name = cells[0].Trim().Split("  ")[0];
        var (units, active) = (SampleRun.Figures(cells[0], name)[0], SampleRun.Figures(cells[0], name)[1]);
        Assert.True(active <= units, line);
        if (SampleRun.Figures(cells[1], "") is [var rank, > 0, var biasShare]) Assert.True(rank >= 1 && rank <= active && biasShare is > 0 and < 2, line);
        if (SampleRun.Figures(cells[2], "") is [var read, > 0]) Assert.Equal(10, read);
        var sum = cells[3].Replace('−', '-').Split(' ', StringSplitOptions.RemoveEmptyEntries).Sum(v => double.Parse(v, System.Globalization.CultureInfo.InvariantCulture));
        Assert.True(Math.Abs(sum - score) <= 0.0151, line); // three figures of two decimals
    }
}
