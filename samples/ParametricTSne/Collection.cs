using Microsoft.ML;
using Microsoft.ML.Data;
using Samples.Shared;

namespace ParametricTSne;

/// <summary>One image: its pixels from 0 to 1, row by row, and its class, which the map was not told.</summary>
internal sealed record Image(float[] Pixels, int Label);

/// <summary>Where an encoder puts images that it learnt from, and their classes; the images themselves are not here.</summary>
internal sealed record Learnt(float[][] Map, int[] Labels);

/// <summary>
/// Images and the encoder that maps them. <see cref="HeldOut"/> are those the encoder has not seen. The class of a held-out
/// image is guessed from its nearest neighbour among <see cref="Neighbours"/>: images the encoder learnt from, or the other held-out ones;
/// in this case also among those <see cref="Learnt"/>.
/// </summary>
internal sealed record Collection(string Name, string Encoder, int Side, string[] Classes, Image[] HeldOut, Image[] Neighbours, Learnt? Learnt = null)
{
    /// <summary>Optical Recognition of Handwritten Digits. Every seventh row was held out.</summary>
    public static Collection Digits(MLContext ml, string samples)
    {
        var rows = ml.Data.LoadFromTextFile(Path.Combine(samples, "data/digits/digits.csv"),
            [new("Label", DataKind.Int32, 0), new("Pixels", DataKind.Single, 1, 64)], separatorChar: ',', hasHeader: true);
        var images = ml.Data.CreateEnumerable<DigitRow>(rows, reuseRowObject: false)
            .Select(row => new Image([.. row.Pixels.Select(p => p / 16)], row.Label)).ToArray();
        var heldOut = images.Where((_, i) => i % 7 == 0).ToArray();
        return new("digits", "digits-tsne.onnx", 8, [.. Enumerable.Range(0, 10).Select(d => $"{d}")], heldOut, [.. images.Where((_, i) => i % 7 != 0)]);
    }

    /// <summary>Fashion-MNIST: the first 1,000 of its test images, and where the encoder puts the 60,000 training images.</summary>
    public static Collection Fashion(string samples)
    {
        var folder = Path.Combine(samples, "data/fashion-mnist");
        var pixels = SampleData.ReadIdx(Path.Combine(folder, "t10k-1000-images-idx3-ubyte.gz"));
        var labels = SampleData.ReadIdx(Path.Combine(folder, "t10k-1000-labels-idx1-ubyte.gz"));
        var images = pixels.Chunk(784).Zip(labels, (image, label) => new Image([.. image.Select(p => p / 255f)], label)).ToArray();
        var learnt = SampleData.ReadIdxSingles(Path.Combine(samples, "models/fashion-tsne-learnt-idx2-float.gz")).Chunk(3).ToArray(); // x, y, class
        return new("clothes", "fashion-tsne.onnx", 28, File.ReadAllLines(Path.Combine(folder, "labels.txt")), images, images,
            new([.. learnt.Select(row => row[..2])], [.. learnt.Select(row => (int)row[2])]));
    }

    private sealed class DigitRow
    {
        public int Label { get; set; }
        [VectorType(64)] public float[] Pixels { get; set; } = [];
    }
}
