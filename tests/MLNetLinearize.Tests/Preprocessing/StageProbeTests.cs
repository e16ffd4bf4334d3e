using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize.Preprocessing;

namespace MLNetLinearize.Tests.Preprocessing;

/// <summary>How few probes find a map, and how exactly.</summary>
public class StageProbeTests
{
    private readonly MLContext ml = new(seed: 1);

    [Fact]
    public void ShiftAndScaleAreFoundToTheLastDigit()
    {
        var random = new Random(2);
        var rows = Enumerable.Range(0, 50).Select(_ => new Wide { x = [.. Enumerable.Range(0, Wide.Size).Select(j => (float)(Math.Pow(10, j % 9) * (1 + 0.001 * random.NextDouble())))] }).ToList();
        var data = ml.Data.LoadFromEnumerable(rows);
        var stage = ml.Transforms.NormalizeMinMax("y", "x", fixZero: false).Fit(data);
        var map = StageProbe.Map(StageOf(stage, data));
        var expected = stage.Transform(data).GetColumn<float[]>("y").ToList();

        for (var i = 0; i < rows.Count; i++)
            for (var j = 0; j < Wide.Size; j++) Assert.Equal(expected[i][j], (rows[i].x[j] - map.Offset[j]) * map.Scale[j]);
    }

    [Theory]
    [InlineData(false, 60)]
    [InlineData(true, Wide.Size + 60)]
    public void ProbesAreFewWhereEachOutputTakesOneInput(bool isDense, int most)
    {
        var probes = 0;
        var stage = ml.Transforms.CustomMapping<Wide, Mapped>((from, to) =>
        {
            probes++;
            var sum = isDense ? from.x.Sum() : 0;
            to.y = [.. Enumerable.Range(0, Wide.Size).Select(j => 3 * from.x[Wide.Size - 1 - j] + 1 + sum)];
        }, null).Fit(ml.Data.LoadFromEnumerable(new List<Wide>()));
        var map = StageProbe.Map(StageOf(stage, ml.Data.LoadFromEnumerable(new List<Wide>())));

        Assert.InRange(probes, 1, most);
        Assert.Equal(isDense, map.Source is null);
        if (!isDense) Assert.All(Enumerable.Range(0, Wide.Size), j => Assert.Equal((Wide.Size - 1 - j, 3f), (map.Source![j], map.Scale[j])));
        else Assert.All(Enumerable.Range(0, Wide.Size), j => Assert.Equal(4f, map.Matrix[(Wide.Size - 1 - j) * Wide.Size + j]));
    }

    [Fact]
    public void APictureFullOfSlotsIsProbedAtOnce()
    {
        var schema = new DataViewSchema.Builder();
        schema.AddColumn("x", new VectorDataViewType(NumberDataViewType.Single, 3, 224, 224));
        var data = new MLNetLinearize.Transforms.EmptyView(schema.ToSchema());
        var map = StageProbe.Map(StageOf(ml.Transforms.CopyColumns("y", "x").Fit(data), data));

        Assert.True(map.IsIdentity);
        Assert.Equal(3 * 224 * 224, map.Outputs);
    }

    private static Stage StageOf(ITransformer transformer, IDataView data) =>
        new(transformer, 1, data.Schema, [data.Schema["x"]], transformer.GetOutputSchema(data.Schema)["y"]);

    private sealed class Wide
    {
        public const int Size = 300;

        [VectorType(Size)]
        public float[] x { get; set; } = new float[Size];
    }

    private sealed class Mapped
    {
        [VectorType(Wide.Size)]
        public float[] y { get; set; } = [];
    }
}
