using Microsoft.ML;
using Microsoft.ML.Data;
using SkiaSharp;

namespace Fashion;

/// <summary>The test of an explanation: pixels that spoke for the wrong class are taken away, the strongest first, until the right one is ahead.</summary>
internal static class Blackening
{
    /// <param name="contrast">Explains the wrong class's score less the right one's, of a grey image.</param>
    /// <returns>How many pixels it took, or null where even all of them are too few; and the image without them.</returns>
    public static (int? Count, SKBitmap Image) Until(MLContext ml, Network network, Explanation contrast, int truth)
    {
        int[] strongest = [.. Enumerable.Range(0, contrast.Pixels.Length).Where(i => contrast.Contributions[i] > 0).OrderByDescending(i => contrast.Contributions[i])];
        var schema = SchemaDefinition.Create(typeof(Row));
        var pixels = schema[nameof(Row.Pixels)];
        (pixels.ColumnName, pixels.ColumnType) = (network.Input, new VectorDataViewType(NumberDataViewType.Single, contrast.Pixels.Length));
        var rows = ml.Data.LoadFromEnumerable(Enumerable.Range(0, strongest.Length + 1).Select(count => new Row { Pixels = Without(contrast.Pixels, strongest[..count]) }), schema);
        using var model = ml.Transforms.ApplyOnnxModel(network.Output, network.Input, network.File).Fit(rows);
        var count = model.Transform(rows).GetColumn<float[]>(network.Output).TakeWhile(scores => scores[contrast.Class] > scores[truth]).Count();

        var image = contrast.Photograph.Copy();
        foreach (var i in strongest.Take(count)) image.SetPixel(i % network.Width, i / network.Width, SKColors.Black);
        return (count > strongest.Length ? null : count, image);
    }

    private static float[] Without(float[] pixels, int[] gone)
    {
        var left = (float[])pixels.Clone();
        foreach (var i in gone) left[i] = 0;
        return left;
    }

    private sealed class Row
    {
        public float[] Pixels { get; set; } = [];
    }
}
