using MLNetLinearize.Evaluation;
using MLNetLinearize.Reporting;

namespace MLNetLinearize.Tests.Evaluation;

/// <summary>Figures worked out by hand.</summary>
public class StatisticsTests
{
    [Fact]
    public void MeanAndStandardError()
    {
        var mean = new RunningMean();
        Assert.True(double.IsNaN(mean.Value.Mean));
        foreach (var value in new[] { 1.0, double.NaN, 2, 6 }) mean.Add(value);

        // Mean 3, squared differences 4 + 1 + 9 = 14, variance 7, by √3.
        Assert.Equal(3, mean.Value.Mean, 1e-12);
        Assert.Equal(Math.Sqrt(7 / 3.0), mean.Value.StandardError, 1e-12);
        Assert.Equal(6, mean.Largest);
    }

    [Fact]
    public void Correlations()
    {
        Assert.Equal(1, Statistics.Pearson([1, 2, 3], [10, 20, 30]), 1e-12);
        Assert.Equal(-1, Statistics.Spearman([1, 2, 3], [9, 4, 1]), 1e-12);
        // Ranks 0, 1.5, 1.5, 3 against 0, 1, 2, 3: 4.5 / √(4.5 · 5).
        Assert.Equal(Math.Sqrt(0.9), Statistics.Spearman([1, 2, 2, 3], [1, 2, 3, 4]), 1e-12);
        Assert.True(double.IsNaN(Statistics.Pearson([1, 1], [1, 2])));
        Assert.True(double.IsNaN(Statistics.Spearman([], [])));
    }

    [Fact]
    public void AreaByTrapezoids() => Assert.Equal(0.25 * 3 / 2 + 0.75 * 2, Statistics.Area([0, 0.25, 1], [1, 2, 2]), 1e-12);

    [Fact]
    public void StructuralSimilarity()
    {
        var shape = new ImageShape(2, 2);
        Assert.Equal(1, Statistics.StructuralSimilarity([0, 1, 0.5, 0.25], [0, 1, 0.5, 0.25], shape), 1e-12);
        // One window: means ½ and ½, variances ¼ and ¼, covariance −¼. C1 = 0.0001, C2 = 0.0009.
        Assert.Equal((-0.5 + 0.0009) / (0.5 + 0.0009), Statistics.StructuralSimilarity([0, 1, 0, 1], [1, 0, 1, 0], shape), 1e-12);
        // Against an empty map: (C1 / (¼ + C1)) · (C2 / (¼ + C2)).
        Assert.Equal(0.0001 / 0.2501 * (0.0009 / 0.2509), Statistics.StructuralSimilarity([0, 1, 0, 1], [0, 0, 0, 0], shape), 1e-12);
    }

    [Fact]
    public void PatchesCoverAnImageAndNothingElse()
    {
        var units = new Units(EvaluationUnit.Pixel, [.. Enumerable.Range(0, 3 * 28 * 21).Select(e => e % (28 * 21))], new ImageShape(28, 21, 3));

        // Side 3, every pixel: 26 places down, 19 across.
        Assert.Equal(26 * 19, units.Patches.Count);
        Assert.All(units.Patches, p => Assert.Equal(9, p.Distinct().Count()));
        Assert.Equal(Enumerable.Range(0, 28 * 21), units.Patches.SelectMany(p => p).Distinct().Order());
        Assert.All(units.Elements, e => Assert.Equal(3, e.Length));
    }
}
