using MLNetLinearize.Cli.Data;
using MLNetLinearize.Cli.Output;
using MLNetLinearize.Reporting;

namespace MLNetLinearize.Tests.Cli;

public class StatisticsTests
{
    [Fact]
    public void Quantiles_are_within_one_percent_and_the_worst_is_exact()
    {
        var quantiles = new LogQuantiles();
        for (var i = 1; i <= 1000; i++) quantiles.Add(i * 1e-7);
        Assert.Equal(1000 * 1e-7, quantiles.Worst);
        Assert.Equal(1000 * 1e-7, quantiles.Quantile(1));
        Assert.InRange(quantiles.Quantile(0.5), 500e-7 * 0.99, 500e-7 * 1.01);
        Assert.InRange(quantiles.Quantile(0.99), 990e-7 * 0.99, 990e-7 * 1.01);
        Assert.InRange(quantiles.Quantile(0), 1e-7 * 0.99, 1e-7 * 1.01);
    }

    [Fact]
    public void Zeros_count_and_nothing_gives_nothing()
    {
        var quantiles = new LogQuantiles();
        Assert.Equal(double.NaN, quantiles.Quantile(0.5));
        quantiles.Add(0);
        quantiles.Add(0);
        quantiles.Add(3);
        Assert.Equal((0, 3, 3), (quantiles.Quantile(0.5), quantiles.Quantile(0.99), quantiles.Count));
    }

    [Fact]
    public void Not_a_number_is_the_worst_error_of_all()
    {
        var quantiles = new LogQuantiles();
        foreach (var value in new[] { 1, double.NaN, 5, double.PositiveInfinity }) quantiles.Add(value);
        Assert.Equal(double.NaN, quantiles.Worst);

        var errors = new ErrorStatistics();
        errors.Add(0, 0, 1, [1f], 0);
        errors.Add(1, 0, float.NaN, [1f], 0);
        errors.Add(2, 0, 9, [1f], 0);
        Assert.Equal((double.NaN, 1), (errors.Scaled.Worst, errors.WorstRow));
    }

    [Fact]
    public void Three_measures_of_one_row_by_hand()
    {
        var errors = new ErrorStatistics();
        // 4 − (1.5 + 2 + 0.25) = 0.25.
        errors.Add(7, 2, 4, [1.5f, 2], 0.25f);
        Assert.Equal((0.0625, 0.25, 0.0625), (errors.Scaled.Worst, errors.Absolute.Worst, errors.Relative.Worst));
        // 0.5 − 0.375 = 0.125: below 1 the scaled error is the absolute one, and the relative one is larger.
        errors.Add(8, 3, 0.5f, [0.375f], 0);
        Assert.Equal((0.125, 0.25, 0.25), (errors.Scaled.Worst, errors.Absolute.Worst, errors.Relative.Worst));
        Assert.Equal((8, 3), (errors.WorstRow, errors.WorstTarget));
        // Too small a score for a relative error.
        errors.Add(9, 0, 0.001f, [0], 0);
        Assert.Equal((3, 2), (errors.Scaled.Count, errors.Relative.Count));
    }

    [Theory]
    [InlineData("1/255", 51, 0.2)]
    [InlineData("0.0625", 8, 0.5)]
    [InlineData("-2", 3, -6)]
    public void Scales(string text, double value, double expected) => Assert.Equal(expected, Scale.TryParse(text)!.Value.Apply(value));

    [Theory]
    [InlineData("0")]
    [InlineData("1/0")]
    [InlineData("1/2/3")]
    [InlineData("")]
    [InlineData("1,5")]
    public void No_scales(string text) => Assert.Null(Scale.TryParse(text));

    [Theory]
    [InlineData(0, "0.000")]
    [InlineData(-0.0123, "−0.012")]
    [InlineData(1.23456, "1.235")]
    [InlineData(12.3456, "12.35")]
    [InlineData(-123.456, "−123.5")]
    [InlineData(0.00012345, "1.23e-4")]
    [InlineData(1234567, "1.235e6")]
    public void Numbers_are_short(double value, string expected) => Assert.Equal(expected, Words.Value(value));
}
