namespace MLNetLinearize.Benchmarks.Networks;

/// <summary>The networks that are measured: dense and convolutional, narrow and wide, with and without normalization.</summary>
internal static class NetworkCatalog
{
    private static readonly Relu Relu = new();

    private static readonly Dictionary<string, Func<string, Network>> Makers = new(StringComparer.Ordinal)
    {
        ["mlp"] = name => DenseNetwork(name, 64, 256, 256, 10),
        ["acas"] = name => DenseNetwork(name, 5, 50, 50, 50, 50, 50, 50, 5),
        ["encoder"] = name => DenseNetwork(name, 784, 500, 500, 2000, 2),
        ["autoencoder"] = name => DenseNetwork(name, 784, 256, 32, 256, 784),
        ["mnist-cnn"] = MnistCnn,
        ["vgg-small"] = VggSmall,
        ["resnet-20"] = ResNet20,
        ["resnet-18"] = ResNet18,
    };

    public static IReadOnlyCollection<string> Names => Makers.Keys;

    public static Network Make(string name) =>
        Makers.TryGetValue(name, out var make) ? make(name) : throw new ArgumentException($"There is no network '{name}'. There are {string.Join(", ", Names)}.");

    private static Network DenseNetwork(string name, params int[] widths)
    {
        var draw = new Draw(17);
        var layers = new List<Layer>();
        for (var i = 1; i < widths.Length; i++)
        {
            layers.Add(draw.Dense(widths[i - 1], widths[i]));
            if (i < widths.Length - 1) layers.Add(Relu);
        }
        return new Network(name, [widths[0]], widths[^1], layers);
    }

    /// <summary>Two convolutions, one pool, two dense layers: the usual first network for handwritten digits.</summary>
    private static Network MnistCnn(string name)
    {
        var draw = new Draw(18);
        return new Network(name, [1, 28, 28], 10,
        [
            draw.Conv(1, 32, 3), Relu, draw.Conv(32, 64, 3), Relu, new MaxPool(2, 2, 0),
            new Flatten(), draw.Dense(64 * 12 * 12, 128), Relu, draw.Dense(128, 10),
        ]);
    }

    /// <summary>Pairs of 3×3 convolutions between pools, after Simonyan and Zisserman (arXiv 1409.1556), for 32×32 images.</summary>
    private static Network VggSmall(string name)
    {
        var draw = new Draw(19);
        var layers = new List<Layer>();
        var channels = 3;
        foreach (var width in new[] { 32, 64, 128 })
        {
            layers.AddRange([draw.Conv(channels, width, 3, padding: 1), Relu, draw.Conv(width, width, 3, padding: 1), Relu, new MaxPool(2, 2, 0)]);
            channels = width;
        }
        layers.AddRange([new Flatten(), draw.Dense(128 * 4 * 4, 128), Relu, draw.Dense(128, 10)]);
        return new Network(name, [3, 32, 32], 10, layers);
    }

    /// <summary>He et al. 2015 (arXiv 1512.03385), section 4.2, with n = 3 and projections where the width changes.</summary>
    private static Network ResNet20(string name)
    {
        var draw = new Draw(20);
        List<Layer> layers = [draw.Conv(3, 16, 3, padding: 1, hasBias: false), draw.BatchNorm(16), Relu];
        Stages(layers, draw, [16, 32, 64], blocks: 3);
        layers.AddRange([new GlobalAveragePool(), draw.Dense(64, 10)]);
        return new Network(name, [3, 32, 32], 10, layers);
    }

    /// <summary>He et al. 2015 (arXiv 1512.03385), table 1, the 18-layer column.</summary>
    private static Network ResNet18(string name)
    {
        var draw = new Draw(21);
        List<Layer> layers = [draw.Conv(3, 64, 7, stride: 2, padding: 3, hasBias: false), draw.BatchNorm(64), Relu, new MaxPool(3, 2, 1)];
        Stages(layers, draw, [64, 128, 256, 512], blocks: 2);
        layers.AddRange([new GlobalAveragePool(), draw.Dense(512, 1000)]);
        return new Network(name, [3, 224, 224], 1000, layers);
    }

    private static void Stages(List<Layer> layers, Draw draw, int[] widths, int blocks)
    {
        var channels = widths[0];
        foreach (var width in widths)
            for (var block = 0; block < blocks; block++)
            {
                var stride = block == 0 && width != channels ? 2 : 1;
                layers.Add(new Residual(
                    [draw.Conv(channels, width, 3, stride, 1, false), draw.BatchNorm(width), Relu, draw.Conv(width, width, 3, 1, 1, false), draw.BatchNorm(width)],
                    stride == 1 ? [] : [draw.Conv(channels, width, 1, stride, 0, false), draw.BatchNorm(width)]));
                layers.Add(Relu);
                channels = width;
            }
    }
}
