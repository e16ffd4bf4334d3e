namespace MLNetLinearize.Tests.SamplePrograms;

public class ParametricTSneTests
{
    [Fact]
    public void Maps_measures_explains_and_draws()
    {
        using var run = new SampleRun("ParametricTSne");

        run.PrintsWhatItsReadmeShows();
        var sections = run.Output.Split("\n\n");
        Assert.Equal(2, sections.Length);
        // The digits' neighbours are the images the encoder learnt from; of the clothes, the sample states this in a line of its own.
        var learnt = SampleRun.Figures(sections[1], "(neighbours: each other; with the");
        Assert.Equal(60_000, learnt[0]);
        Assert.True(learnt[^1] >= 70, sections[1]);
        foreach (var (section, accuracy, abovePca) in new[] { (sections[0], 93.0, 25.0), (sections[1], 66.0, 15.0) })
        {
            var map = SampleRun.Figures(section, "parametric t-SNE");
            var pca = SampleRun.Figures(section, "two components (PCA)");
            Assert.True(map[0] >= accuracy && map[0] >= pca[0] + abovePca, section);
            Assert.True(map[1] > pca[1], section);
            Assert.True(SampleRun.Figures(section, "exactness: |position − (Σ contributions + bias)| at most")[0] <= 1e-5, section);
            var motion = SampleRun.Figures(section, "motion:");
            Assert.True(motion[1] >= 100 && motion[2] <= 1e-4, section); // moves inside the region, and how far the prediction is off
        }
        foreach (var name in new[] { "digits", "clothes" })
        {
            run.Draws($"{name}-map.png", 1500, 1500);
            run.Draws($"{name}-why.png", 1500, 800);
            run.Draws($"{name}-motion.png", 1500, 800);
            run.Draws($"{name}-between.png", 1500, 600);
        }
    }
}
