using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize;

namespace ParametricTSne;

/// <summary>
/// An image on the map, and why it lies there: position = Σ contributions + bias, in x and in y. <see cref="Weights"/> says
/// where the point goes when a pixel is brightened: row 0 for x, row 1 for y, one column per pixel.
/// </summary>
internal sealed record Point(Image Image, float X, float Y, float[,] Weights, float BiasX, float BiasY, float Error)
{
    /// <summary>How far, and where to, pixel <paramref name="i"/> carries the point as bright as it is.</summary>
    public (float X, float Y) Contribution(int i) => (Weights[0, i] * Image.Pixels[i], Weights[1, i] * Image.Pixels[i]);

    /// <summary>Places and explains images with an ML.NET pipeline of one stage.</summary>
    public static Point[] Place(MLContext ml, string encoder, Image[] images)
    {
        var n = images[0].Pixels.Length;
        var schema = SchemaDefinition.Create(typeof(Row));
        schema[nameof(Row.Pixels)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, n);
        var rows = ml.Data.LoadFromEnumerable(images.Select(i => new Row { Pixels = i.Pixels }), schema);
        var explained = ml.Transforms.Linearize(encoder, new() { InputColumn = nameof(Row.Pixels), Targets = Targets.All }).Fit(rows).Transform(rows);
        return [.. ml.Data.CreateEnumerable<Explained>(explained, reuseRowObject: true).Zip(images, (row, image) =>
        {
            var weights = new float[2, n];
            Buffer.BlockCopy(row.Weights, 0, weights, 0, 2 * n * sizeof(float));
            return new Point(image, row.ExplainedScore[0], row.ExplainedScore[1], weights, row.Bias[0], row.Bias[1], row.LinearizationError.Max());
        })];
    }

    private sealed class Row
    {
        public float[] Pixels { get; set; } = [];
    }

    private sealed class Explained
    {
        public float[] Weights { get; set; } = [];
        public float[] Bias { get; set; } = [];
        public float[] ExplainedScore { get; set; } = [];
        public float[] LinearizationError { get; set; } = [];
    }
}
