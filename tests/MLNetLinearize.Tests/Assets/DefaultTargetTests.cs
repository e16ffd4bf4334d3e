namespace MLNetLinearize.Tests.Assets;

/// <summary>
/// The column as users get it by default, for the predicted output, to fixed bounds at every row. (Scores that are small
/// beside the contributions they are made of, as those of unlikely classes can be, are bounded by float32's own rounding
/// in <see cref="RealNetworkTests"/>.)
/// </summary>
public class DefaultTargetTests
{
    public static TheoryData<string> Files => RealNetworkTests.Files;

    [AssetTheory]
    [MemberData(nameof(Files))]
    public void The_predicted_score_is_its_contributions_and_bias(string file)
    {
        var network = RealNetwork.All.Single(n => n.File == file);
        using var linearizer = new Linearizer(AssetFolder.File(file));
        var rows = network.Rows(24);
        Assert.True(rows.Length >= 20);
        for (var r = 0; r < rows.Length; r++)
        {
            var map = linearizer.Explain(rows[r]);
            Assert.True(map.Error[0] <= 1e-5f, $"row {r}: error {map.Error[0]}");
            var score = Math.Abs(map.ExplainedScores[0]);
            if (score > 0.01f) Assert.True(map.Error[0] * Math.Max(1, score) / score <= 1e-4f, $"row {r}: relative error at score {score}");
        }
    }
}
