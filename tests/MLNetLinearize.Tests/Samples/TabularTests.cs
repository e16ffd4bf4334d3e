namespace MLNetLinearize.Tests.SamplePrograms;

public class TabularTests
{
    [Fact]
    public void Explains_in_the_tables_own_columns_and_writes_a_letter_that_keeps_its_word()
    {
        using var run = new SampleRun("Tabular");

        run.PrintsWhatItsReadmeShows();
        // The preprocessing that ML.NET fitted is the one the network learnt with: as accurate as results.json says.
        var cases = SampleRun.Figures(run.Output, "569 cases; of the");
        Assert.True(cases[1] >= 0.95 * cases[0], run.Output);
        Assert.True(SampleRun.Figures(run.Output, "exactness: |log-odds − (Σ weight · measurement + bias)|, in the table's units, at most")[0] <= 1e-4, run.Output);
        Assert.True(SampleRun.Figures(run.Output, "pulled back: weight per unit · difference from the average = contribution of the standardised measurement, within")[0] <= 1e-4, run.Output);
        // Inside the linear region the network does what the letters say, always.
        var changes = SampleRun.Figures(run.Output, "What would have to change, for all");
        Assert.True(changes[1] >= 50 && changes[2] <= 1e-4, run.Output);
        var turned = SampleRun.Figures(run.Output, "and the diagnosis turns in");
        Assert.True(turned[0] == turned[1] && turned[1] == changes[1], run.Output);
        Assert.Contains("The rules that hold for this case hold up to there.", run.Output, StringComparison.Ordinal);
        Assert.Contains("On the way there other rules come to hold", run.Output, StringComparison.Ordinal);
        run.Draws("summary.png", 1900, 1100);
    }
}
