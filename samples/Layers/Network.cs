using System.Globalization;
using MathNet.Numerics.LinearAlgebra;
using MLNetLinearize;
using MLNetLinearize.Reporting;

namespace Layers;

/// <summary>An image as the network takes it, and its class.</summary>
internal sealed record Image(string Name, float[] Pixels, int Label);

/// <summary>A place in a network to look at: a tensor that everything passes through, and what it is.</summary>
internal sealed record Stage(string Tensor, string Title);

/// <summary>A network, the places to look at from its input to its scores, and the linearizers that explain each of them.</summary>
internal sealed class Network : IDisposable
{
    private readonly string file;
    private readonly int widest;
    private readonly Dictionary<(string? From, string? To), Linearizer> maps = [];

    /// <param name="widest">Units of a stage up to which the map from the pixels is written out, a row for each.</param>
    private Network(string file, int side, int widest, string[] classes, params Stage[] stages)
    {
        (this.file, Side, this.widest, Classes, Stages) = (file, side, widest, classes, stages);
        EveryLayer = new LayerLinearizer(file);
    }

    public string Name => Path.GetFileNameWithoutExtension(file);

    public int Side { get; }

    public string[] Classes { get; }

    public Stage[] Stages { get; }

    /// <summary>Explains the predicted class by every layer at once.</summary>
    public LayerLinearizer EveryLayer { get; }

    public static Network Digits(string samples) => new(Path.Combine(samples, "models/digits-cnn.onnx"), 8, 2048, [.. Enumerable.Range(0, 10).Select(d => $"{d}")],
        new("pixels", "pixels"), new("/1/Relu_output_0", "convolution 1"), new("/3/Relu_output_0", "convolution 2"), new("/6/Relu_output_0", "convolution 3"), new("/10/Relu_output_0", "dense"), new("logits", "scores"));

    public static Network Fashion(string samples) => new(Path.Combine(samples, "models/fashion-cnn.onnx"), 28, 600, File.ReadAllLines(Path.Combine(samples, "data/fashion-mnist/labels.txt")),
        new("image", "pixels"), new("/4/MaxPool_output_0", "convolution 1"), new("/8/Add_output_0", "residual block 1"), new("/13/Add_output_0", "residual block 2"), new("/16/MaxPool_output_0", "pooling"), new("logits", "scores"));

    /// <summary>Rows of <c>digits.csv</c>, by number.</summary>
    public static Image[] DigitRows(string samples, params int[] numbers)
    {
        var lines = File.ReadAllLines(Path.Combine(samples, "data/digits/digits.csv"));
        return [.. numbers.Select(n => lines[n + 1].Split(',').Select(v => float.Parse(v, CultureInfo.InvariantCulture)).ToArray()).Zip(numbers, (values, n) => new Image($"digit-{n}", [.. values.Skip(1).Select(v => v / 16)], (int)values[0]))];
    }

    /// <summary>Photographs of <c>data/fashion-mnist/png</c>, by number; the file's name tells the class.</summary>
    public Image[] Photographs(string samples, params int[] numbers) => [.. numbers.Select(n =>
    {
        var png = Directory.GetFiles(Path.Combine(samples, "data/fashion-mnist/png"), $"{n:000}_*.png").Single();
        using var photograph = ImageFile.Open(png);
        using var bitmap = photograph.Decode();
        var label = Path.GetFileNameWithoutExtension(png)[4..];
        return new Image($"clothes-{n}", [.. bitmap.Pixels.Select(p => p.Red / 255f)], Array.FindIndex(Classes, c => string.Equals(c.Replace('/', '-').Replace(' ', '-'), label, StringComparison.OrdinalIgnoreCase)));
    })];

    /// <summary>The map from the input to a stage; null where the stage is too wide to write it out.</summary>
    public LinearMap? FromInput(Stage stage, Image image) =>
        stage == Stages[0] || EveryLayer.Layers.Single(l => l.Tensor == stage.Tensor).RowLength > widest ? null : Map(null, stage.Tensor).Explain(image.Pixels);

    /// <summary>How chosen units of a stage follow from the pixels: a row of W for each.</summary>
    public Matrix<float> ToUnits(Stage stage, Image image, int[] units)
    {
        using var map = new Linearizer(file, new() { ExplainedOutput = stage.Tensor, Targets = Targets.Classes(units) });
        return map.Explain(image.Pixels).Weights;
    }

    /// <summary>The map from a stage to all scores.</summary>
    public LinearMap ToScores(Stage stage, Image image) => Map(stage.Tensor, null).Explain(image.Pixels);

    public void Dispose()
    {
        EveryLayer.Dispose();
        foreach (var map in maps.Values) map.Dispose();
    }

    private Linearizer Map(string? from, string? to)
    {
        if (!maps.TryGetValue((from, to), out var map))
            maps[(from, to)] = map = new Linearizer(file, new() { ExplainedInputs = from is null ? null : [from], ExplainedOutput = to, Targets = Targets.All });
        return map;
    }
}
