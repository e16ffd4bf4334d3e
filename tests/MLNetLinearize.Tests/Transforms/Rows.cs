using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize.Transforms;

namespace MLNetLinearize.Tests.Transforms;

/// <summary>A row that the hand-made network takes, with a column of many a type beside it.</summary>
public sealed class Row
{
    public long Id { get; set; }
    [VectorType(4)]
    public float[] x { get; set; } = [];
    public float Number { get; set; }
    public string Text { get; set; } = "";
    public bool Flag { get; set; }
    public DateTime Time { get; set; }
    public double[] Ragged { get; set; } = [];
}

/// <summary>Data for these tests, and what they compare.</summary>
internal static class Rows
{
    public static Row[] Make(int count, int seed = 3)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(i => new Row
        {
            Id = i,
            x = [.. Enumerable.Range(0, 4).Select(_ => random.NextSingle() * 4 - 2)],
            Number = random.NextSingle(),
            Text = $"row {i}",
            Flag = i % 3 == 0,
            Time = new DateTime(2020, 1, 1).AddDays(i),
            Ragged = [.. Enumerable.Range(0, i % 5).Select(j => (double)(i + j))],
        })];
    }

    public static IDataView View(MLContext ml, int count) => ml.Data.LoadFromEnumerable(Make(count));

    public static IDataView Named(MLContext ml) => ml.Data.LoadFromEnumerable(Enumerable.Range(0, 3).Select(i => new { a = 1f + i, b = 2f, c = 3f, d = 4f }));

    public static DataViewSchema SchemaOf(params (string Name, DataViewType Type)[] columns)
    {
        var builder = new DataViewSchema.Builder();
        foreach (var (name, type) in columns) builder.AddColumn(name, type);
        return builder.ToSchema();
    }

    public static SchemaShape ShapeOf(DataViewSchema schema) => SchemaPromise.ShapeOf(schema);

    public static string Write(SchemaShape shape) => string.Join('\n', shape.Select(c => $"{c.Name} {c.Kind} {c.ItemType}{(c.IsKey ? " key" : "")} [{string.Join(' ', c.Annotations.Select(a => a.Name))}]"));

    public static void Close(float[] expected, float[] actual, float tolerance = 1e-6f)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (var i = 0; i < expected.Length; i++)
            Assert.True(Math.Abs(expected[i] - actual[i]) <= tolerance * Math.Max(1, Math.Abs(expected[i])) || (float.IsNaN(expected[i]) && float.IsNaN(actual[i])), $"element {i}: expected {expected[i]}, got {actual[i]}");
    }
}
