using MLNetLinearize.Benchmarks.Networks;
using TorchSharp;
using static TorchSharp.torch;

namespace MLNetLinearize.Benchmarks.Peers;

/// <summary>How libtorch is asked to work; each is sometimes the fastest.</summary>
/// <param name="ChannelsLast">Whether images and kernels lie in memory with the channel innermost.</param>
/// <param name="Folded">Whether each BatchNorm is folded into the convolution before it.</param>
internal sealed record LibTorchVariant(bool ChannelsLast, bool Folded)
{
    /// <summary>Every network's.</summary>
    public static readonly LibTorchVariant Plain = new(ChannelsLast: false, Folded: false);

    public static IEnumerable<LibTorchVariant> For(Network network)
    {
        foreach (var last in network.IsConvolutional ? new[] { false, true } : [false])
            foreach (var folded in network.HasBatchNorm ? new[] { true, false } : [false])
                yield return new LibTorchVariant(last, folded);
    }

    public override string ToString() => $"{(ChannelsLast ? "NHWC" : "NCHW")}{(Folded ? ", folded" : "")}";
}

/// <summary>A network and a batch of rows in libtorch, with gradients by its autograd.</summary>
internal sealed class LibTorchNetwork : IDisposable
{
    private readonly DisposeScope weights = NewDisposeScope();
    private readonly Func<Tensor, Tensor> forward;
    private readonly Tensor input;
    private readonly int outputs;
    private readonly bool channelsLast;

    public LibTorchNetwork(Network network, LibTorchVariant variant, float[] rows, int count)
    {
        channelsLast = variant.ChannelsLast;
        outputs = network.Outputs;
        forward = Chain(variant.Folded ? BatchNormFolding.Fold(network.Layers) : network.Layers);
        input = Stored(rows, [count, .. network.RowShape.Select(d => (long)d)]);
        weights.Detach(input);
    }

    /// <summary>Whether libtorch's own libraries lie beside the program.</summary>
    public static bool IsAvailable { get; } = new[] { "libtorch_cpu.so", "torch_cpu.dll", "libtorch_cpu.dylib" }
        .Any(name => Directory.EnumerateFiles(AppContext.BaseDirectory, name, SearchOption.AllDirectories).Any());

    public static string Absence => "libtorch is not here. Build with -p:LibTorch=true, or with the environment variable LibTorch=true.";

    public static void UseThreads(int threads) => set_num_threads(threads);

    /// <summary>Scores alone, [N, C].</summary>
    public float[] Score()
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        return Copied(forward(input));
    }

    public void RunScore()
    {
        using var scope = NewDisposeScope();
        using var inference = inference_mode();
        forward(input);
    }

    /// <summary>Score, class and gradient × input of the largest score of each row: one backward call for the batch.</summary>
    public void RunTop()
    {
        using var scope = NewDisposeScope();
        var x = Leaf(input);
        var scores = forward(x);
        var (best, _) = scores.max(1);
        var gradient = autograd.grad([best.sum()], [x])[0];
        using var inference = inference_mode();
        _ = gradient * x;
    }

    /// <summary>W of all classes, one backward call for each over one forward pass.</summary>
    public void RunAllByLoop() => Gradients(Enumerable.Range(0, outputs));

    /// <summary>W of all classes in one backward call over inputs repeated for each class.</summary>
    public void RunAllByRepeating()
    {
        using var scope = NewDisposeScope();
        var count = input.shape[0];
        var x = Leaf(Laid(input.repeat([outputs, .. Enumerable.Repeat(1L, input.shape.Length - 1)])));
        var own = arange(outputs).repeat_interleave(count).unsqueeze(1);
        autograd.grad([forward(x).gather(1, own).sum()], [x]);
    }

    /// <summary>The backward calls of <see cref="RunAllByLoop"/> for the first classes, over a forward pass that is done here and not timed.</summary>
    public Action BackwardOf(int classes)
    {
        var scope = NewDisposeScope();
        var x = Leaf(input);
        var scores = forward(x);
        weights.Attach([x, scores]);
        scope.Dispose();
        return () =>
        {
            using var inner = NewDisposeScope();
            for (var c = 0; c < classes; c++) autograd.grad([scores.select(1, c).sum()], [x], retain_graph: true);
        };
    }

    /// <summary>Rows of W for some classes: [class][N · row length].</summary>
    public float[][] Weights(IEnumerable<int> classes)
    {
        using var scope = NewDisposeScope();
        return [.. Gradients(classes).Select(Copied)];
    }

    public void Dispose()
    {
        input.Dispose();
        weights.Dispose();
    }

    private List<Tensor> Gradients(IEnumerable<int> classes)
    {
        var x = Leaf(input);
        var scores = forward(x);
        return [.. classes.Select(c => autograd.grad([scores.select(1, c).sum()], [x], retain_graph: true)[0])];
    }

    private static Tensor Leaf(Tensor tensor) => tensor.detach().requires_grad_(true);

    private static float[] Copied(Tensor tensor) => tensor.contiguous().data<float>().ToArray();

    private Func<Tensor, Tensor> Chain(IReadOnlyList<Layer> layers)
    {
        Func<Tensor, Tensor>[] steps = [.. layers.Select(Step)];
        return x =>
        {
            foreach (var step in steps) x = step(x);
            return x;
        };
    }

    private Func<Tensor, Tensor> Step(Layer layer)
    {
        switch (layer)
        {
            case Dense d:
                var (matrix, offset) = (Stored(d.Kernel, d.Out, d.In), Stored(d.Bias, d.Out));
                return x => nn.functional.linear(x, matrix, offset);
            case Conv c:
                var (kernel, bias) = (Stored(c.Kernel, c.Out, c.In, c.Size, c.Size), c.Bias is { } b ? Stored(b, c.Out) : null);
                long[] strides = [c.Stride, c.Stride], padding = [c.Padding, c.Padding];
                return x => nn.functional.conv2d(x, kernel, bias, strides, padding);
            case BatchNorm n:
                var parts = new[] { n.Mean, n.Variance, n.Scale, n.Shift }.Select(v => Stored(v, v.Length)).ToArray();
                return x => nn.functional.batch_norm(x, parts[0], parts[1], parts[2], parts[3], training: false, eps: BatchNorm.Epsilon);
            case Relu:
                return x => nn.functional.relu(x);
            case MaxPool p:
                return x => nn.functional.max_pool2d(x, p.Size, p.Stride, p.Padding);
            case GlobalAveragePool:
                return x => x.mean([2, 3]);
            case Flatten:
                return x => x.flatten(1);
            case Residual r:
                var (body, shortcut) = (Chain(r.Body), Chain(r.Shortcut));
                return x => body(x) + shortcut(x);
            default:
                throw new ArgumentException($"No libtorch function for {layer.GetType().Name}.");
        }
    }

    private Tensor Stored(float[] values, params long[] dims) => Laid(tensor(values, dims)).requires_grad_(false);

    /// <summary>The tensor in this network's memory layout.</summary>
    private Tensor Laid(Tensor tensor) =>
        channelsLast && tensor.shape.Length == 4 ? tensor.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2) : tensor;
}
