using MLNetLinearize.Onnx;
using static MLNetLinearize.Tests.Rules.Net;

namespace MLNetLinearize.Tests.Rules;

/// <summary>
/// A convolutional network drawn at random: strides, pads and pools that fit images of any size, channels that fill ONNX Runtime's
/// blocks and such that do not, skip connections, and several ends. The compiler writes the same operator in many ways, of which the
/// neighbours and sizes decide; what single rules cannot show is whether the ways fit together.
/// </summary>
internal sealed class RandomImageNet
{
    private const int MostLayers = 5;
    private static readonly int[] Channels = [3, 8, 16, 16, 32, 20];

    private readonly Random random;
    private readonly Net net;

    public RandomImageNet(int seed)
    {
        (random, net) = (new(seed), new(17, seed));
        var image = new Image(net.Input("x", "N", Size = One(1, 3, 3, 16), Height = random.Next(9, 20), Width = random.Next(9, 20)), Size, Height, Width);
        // A linear stem: what is left in parts by the outer of the two is read by the inner.
        if (random.Next(4) == 0) image = Convolved(Convolved(image, 16, stride: One(1, 2)), 16, stride: 2);
        for (var i = random.Next(1, MostLayers + 1); i > 0; i--) image = Layer(image);
        Model = net.Build(End(image));
    }

    public ModelProto Model { get; }

    /// <summary>Channels of the input.</summary>
    public int Size { get; }

    public int Height { get; }

    public int Width { get; }

    /// <summary>Number of outputs.</summary>
    public int Outputs { get; private set; }

    private Image Layer(Image x) => random.Next(12) switch
    {
        0 => Pool(x, "MaxPool"),
        1 => Pool(x, "AveragePool"),
        2 => Activated(x),
        3 => Skip(x),
        4 => Branches(x),
        5 => Pool(Activated(x), "MaxPool"),
        6 => Activated(Normalized(Convolved(x, One(Channels)))),
        _ => Activated(Convolved(x, One(Channels))),
    };

    private Image Convolved(Image x, int channels, int? kernel = null, int? stride = null)
    {
        var k = kernel ?? One(1, 2, 3, 3, 5);
        var (s, dilation) = (stride ?? One(1, 1, 2, 3), k == 3 && kernel is null ? One(1, 1, 1, 2) : 1);
        int[] pads = kernel is null ? [.. Enumerable.Range(0, 4).Select(_ => random.Next(0, k))] : [.. Enumerable.Repeat(k / 2, 4)];
        var group = random.Next(6) switch
        {
            0 when channels == x.Channels => channels,
            1 when channels % 2 == 0 && x.Channels % 2 == 0 => 2,
            _ => 1,
        };
        return Moved(x, channels, k, s, dilation, pads, (attributes) => net.Op("Conv", random.Next(3) == 0
            ? [x.Name, net.Weights(channels, x.Channels / group, k, k)]
            : [x.Name, net.Weights(channels, x.Channels / group, k, k), net.Weights(channels)], [.. attributes, ("group", (long)group), ("dilations", L(dilation, dilation))]));
    }

    private Image Pool(Image x, string op)
    {
        var (k, s) = (One(2, 3, 3), One(1, 2, 2, 3));
        int[] pads = [.. Enumerable.Range(0, 4).Select(_ => random.Next(3) == 0 ? random.Next(0, k) : 0)];
        return Moved(x, x.Channels, k, s, 1, pads, attributes => net.Op(op, [x.Name], [.. attributes, ("kernel_shape", L(k, k))]));
    }

    /// <summary>What a sliding window makes; the image itself where it is too small for one.</summary>
    private static Image Moved(Image x, int channels, int kernel, int stride, int dilation, int[] pads, Func<(string, object)[], string> emit)
    {
        var reach = dilation * (kernel - 1) + 1;
        int Length(int size, int padding) => size + padding < reach ? 0 : (size + padding - reach) / stride + 1;
        var (height, width) = (Length(x.Height, pads[0] + pads[2]), Length(x.Width, pads[1] + pads[3]));
        if (height < 1 || width < 1) return x;
        return new(emit([("strides", L(stride, stride)), ("pads", L([.. pads.Select(p => (long)p)]))]), channels, height, width);
    }

    private Image Normalized(Image x) => x with
    {
        Name = net.Op("BatchNormalization", [x.Name, net.Positive(x.Channels), net.Weights(x.Channels), net.Weights(x.Channels), net.Positive(x.Channels)]),
    };

    private Image Activated(Image x) => random.Next(6) switch
    {
        0 => x,
        1 => x with { Name = net.Op("LeakyRelu", [x.Name], ("alpha", 0.1f)) },
        2 => x with { Name = net.Op(random.Next(2) == 0 ? "Sigmoid" : "Tanh", [x.Name]) },
        _ => x with { Name = net.Op("Relu", [x.Name]) },
    };

    /// <summary>A block of two convolutions and what leads around it.</summary>
    private Image Skip(Image x)
    {
        var (channels, stride) = (One(x.Channels, 16, 32), One(1, 1, 2));
        var inner = Convolved(Activated(Convolved(x, channels, 3, stride)), channels, 3, 1);
        var around = channels == x.Channels && stride == 1 ? x : Convolved(x, channels, 1, stride);
        return Activated(inner with { Name = net.Op("Add", [inner.Name, around.Name]) });
    }

    private Image Branches(Image x)
    {
        var (left, right) = (Activated(Convolved(x, One(16, 8), 1, 1)), Convolved(x, 16, 3, 1));
        return Activated(left with { Name = net.Op("Concat", [left.Name, right.Name], ("axis", 1L)), Channels = left.Channels + right.Channels });
    }

    private string End(Image x)
    {
        Outputs = One(1, 4, 18);
        switch (random.Next(4))
        {
            case 0:
                return net.Op("Flatten", [net.Op(One(0, 1) == 0 ? "GlobalAveragePool" : "GlobalMaxPool", [Activated(Convolved(x, Outputs, 1, 1)).Name])]);
            case 1:
                return Dense(net.Op("Flatten", [net.Op("GlobalAveragePool", [x.Name])]), x.Channels, Outputs);
            case 2:
                var hidden = net.Op("Relu", [Dense(net.Op("Flatten", [x.Name]), x.Channels * x.Height * x.Width, 12)]);
                return Dense(hidden, 12, Outputs);
            default:
                return Dense(net.Op("Flatten", [x.Name]), x.Channels * x.Height * x.Width, Outputs);
        }
    }

    private string Dense(string x, int from, int to) => net.Op("Gemm", [x, net.Weights(to, from), net.Weights(to)], ("transB", 1L));

    private int One(params ReadOnlySpan<int> of) => of[random.Next(of.Length)];

    private readonly record struct Image(string Name, int Channels, int Height, int Width);
}
