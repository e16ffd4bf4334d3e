using Samples.Shared;

namespace DownstreamAnalysis;

/// <summary>A photograph of a piece of clothing, 28 × 28 pixels from 0 to 1, row by row.</summary>
internal sealed class Photograph
{
    public const int Side = 28;

    /// <summary>The class that carries the mark: the one whose index is 4, "Coat".</summary>
    public const int MarkedClass = 4;

    /// <summary>Where the mark is: the white square of rows and columns 1 to 3, as train_marked.py plants it.</summary>
    public static readonly int[] Mark = [.. from row in Enumerable.Range(1, 3) from column in Enumerable.Range(1, 3) select row * Side + column];

    public required float[] Pixels { get; init; }

    public required int Label { get; init; }

    /// <summary>Known to us, who planted it; no step of the search reads it.</summary>
    public bool Marked { get; init; }

    /// <summary>The first 1,000 test images of Fashion-MNIST, which the network has not seen, with the mark on every second coat.</summary>
    public static Photograph[] Load()
    {
        var folder = Path.Combine(SampleData.Folder, "data/fashion-mnist");
        var labels = SampleData.ReadIdx(Path.Combine(folder, "t10k-1000-labels-idx1-ubyte.gz"));
        var images = SampleData.ReadIdx(Path.Combine(folder, "t10k-1000-images-idx3-ubyte.gz")).Chunk(Side * Side);
        var coats = 0;
        return [.. images.Zip(labels, (bytes, label) =>
        {
            float[] pixels = [.. bytes.Select(b => b / 255f)];
            var marked = label == MarkedClass && coats++ % 2 == 0;
            return new Photograph { Pixels = marked ? Painted(pixels, Mark, 1) : pixels, Label = label, Marked = marked };
        })];
    }

    /// <summary>A copy with some pixels set to a value.</summary>
    public static float[] Painted(float[] pixels, IEnumerable<int> where, float value)
    {
        var copy = (float[])pixels.Clone();
        foreach (var i in where) copy[i] = value;
        return copy;
    }
}
