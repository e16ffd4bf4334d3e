using Microsoft.ML;
using MLNetLinearize.Preprocessing;

namespace MLNetLinearize.Tests.Preprocessing;

/// <summary>What a probe cannot see, the data at Fit may show.</summary>
public class StageComparisonTests
{
    private readonly MLContext ml = new(seed: 1);
    private readonly List<Measurement> rows = Measurement.Make(60);

    [Fact]
    public void A_value_that_no_probe_meets_is_found_in_the_data()
    {
        var (stage, map, data) = Sentinel();
        Assert.True(new StageComparison(data).Next([(stage, map)]));
        rows[40].V[2] = -999;
        var error = Assert.Throws<ArgumentException>(() => new StageComparison(ml.Data.LoadFromEnumerable(rows)).Next([(stage, map)]));
        Assert.Contains("at row 40 of the data, slot 2 of 'f' is 0, where a straight line through its other values gives -62.4375", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Missing_and_infinite_numbers_are_compared_as_what_they_are()
    {
        var (stage, map, _) = Sentinel();
        rows[1].V[0] = float.NaN;
        rows[2].V[1] = float.PositiveInfinity;
        Assert.True(new StageComparison(ml.Data.LoadFromEnumerable(rows)).Next([(stage, map)]));
    }

    [Fact]
    public void Data_without_what_a_stage_reads_beside_the_way_have_nothing_to_compare()
    {
        var data = ml.Data.LoadFromEnumerable(rows);
        var both = ml.Transforms.NormalizeMinMax([new InputOutputColumnPair("f", "V"), new InputOutputColumnPair("g", "B")]).Fit(data);
        var trace = new ChainTrace(new(both, data.Schema));
        trace.Follow(trace.Find("f"));
        var stage = trace.Makers.Single().Value;
        Assert.False(new StageComparison(ml.Transforms.SelectColumns("V").Fit(data).Transform(data)).Next([(stage, StageProbe.Map(stage))]));
    }

    /// <summary>An expression that no probe tells from x/16.</summary>
    private (Stage Stage, AffineMap Map, IDataView Data) Sentinel()
    {
        var data = ml.Data.LoadFromEnumerable(rows);
        var trace = new ChainTrace(new(ml.Transforms.Expression("f", "v => v == -999f ? 0f : v / 16", "V").Fit(data), data.Schema));
        trace.Follow(trace.Find("f"));
        var stage = trace.Makers.Single().Value;
        return (stage, StageProbe.Map(stage), data);
    }
}
