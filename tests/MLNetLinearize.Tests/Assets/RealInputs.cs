using System.Globalization;
using System.IO.Compression;

namespace MLNetLinearize.Tests.Assets;

/// <summary>Real rows for real networks, each normalised as its network was trained.</summary>
internal static class RealInputs
{
    /// <summary>MNIST test images, 0 … 255.</summary>
    public static float[][] Mnist(int count, Func<float, float> normalize)
    {
        using var stream = new GZipStream(File.OpenRead(AssetFolder.File("data/mnist/t10k-images-idx3-ubyte.gz")), CompressionMode.Decompress);
        stream.ReadExactly(new byte[16]);
        var image = new byte[784];
        return [.. Enumerable.Range(0, count).Select(_ =>
        {
            stream.ReadExactly(image);
            return image.Select(p => normalize(p)).ToArray();
        })];
    }

    /// <summary>CIFAR-10 test images as planes of red, green and blue.</summary>
    public static float[][] Cifar(int count, float[] mean, float[] deviation) =>
        [.. File.ReadLines(AssetFolder.File("data/cifar10/eran_cifar10_test_100.csv")).Take(count).Select(line =>
        {
            // A row is the label, then red, green and blue of one pixel after the other.
            var pixels = Numbers(line)[1..];
            return Enumerable.Range(0, 3072).Select(i => (pixels[i % 1024 * 3 + i / 1024] / 255 - mean[i / 1024]) / deviation[i / 1024]).ToArray();
        })];

    /// <summary>Two photographs, mirrored and shifted to give more: planes of blue, green and red, less their means.</summary>
    public static float[][] Photographs(int count)
    {
        const int side = 224;
        var originals = new[] { "fish.csv", "kitten_224.csv" }.Select(f => Numbers(File.ReadAllText(AssetFolder.File($"data/imagenet/{f}")))).ToArray();
        float[] mean = [104, 117, 123];
        return [.. Enumerable.Range(0, count).Select(n =>
        {
            var (image, mirrored, shift) = (originals[n % 2], n / 2 % 2 == 1, n / 4 * 9);
            return Enumerable.Range(0, 3 * side * side).Select(i =>
            {
                var (plane, row, column) = (i / (side * side), i / side % side, i % side);
                // The shifted window repeats the last row and column, as a crop at the border does.
                var (r, c) = (Math.Min(row + shift, side - 1), Math.Min(column + shift, side - 1));
                return image[(plane * side + r) * side + (mirrored ? side - 1 - c : c)] - mean[plane];
            }).ToArray();
        })];
    }

    /// <summary>ACAS Xu states: half near the intruder, where the networks are not constant, half from the boxes of properties 1 to 3.</summary>
    public static float[][] AcasXu(int count)
    {
        float[] mean = [19791.091f, 0, 0, 650, 600], range = [60261, 2 * MathF.PI, 2 * MathF.PI, 1100, 1200];
        var boxes = Enumerable.Range(1, 3).Select(p => File.ReadLines(AssetFolder.File($"data/acasxu/eran_prop_{p}_input_prenormalized.txt"))
            .Where(l => l.StartsWith('[')).Select((l, i) => Numbers(l.Trim('[', ']', ' ')).Select(v => (v - mean[i]) / range[i]).ToArray()).ToArray()).ToArray();
        float[][] near = [[-0.33f, -0.28f], .. Enumerable.Repeat(new[] { -0.5f, 0.5f }, 4)];
        var random = new Random(7);
        return [.. Enumerable.Range(0, count).Select(n => (n % 2 == 0 ? near : boxes[n / 2 % 3]).Select(side => side[0] + random.NextSingle() * (side[1] - side[0])).ToArray())];
    }

    /// <summary>Iris flowers in centimetres, from all three species.</summary>
    public static float[][] Iris(int count) =>
        [.. File.ReadLines(AssetFolder.File("data/tabular/iris_winml.csv")).Skip(1).Where((_, i) => i % 7 == 0).Take(count).Select(l => Numbers(l[..l.LastIndexOf(',')])[1..])];

    private static float[] Numbers(string text) => [.. text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(v => float.Parse(v, CultureInfo.InvariantCulture))];
}
