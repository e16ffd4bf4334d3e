using MLNetLinearize.Benchmarks.Networks;
using MLNetLinearize.Benchmarks.Peers;

namespace MLNetLinearize.Benchmarks.Comparison;

/// <summary>One way to answer a case, ready to run again and again.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Run">Answers the case, or a part of it.</param>
/// <param name="Parts">How many times what <paramref name="Run"/> does makes the whole answer.</param>
internal sealed record Contender(string Name, Action Run, double Parts = 1);

/// <summary>All who answer one case in this process, with the same rows, weights and number of threads.</summary>
internal sealed class Contenders : IDisposable
{
    /// <summary>Above this many input elements in one run, repeating the inputs only costs memory.</summary>
    private const long LargestRepetition = 1 << 24;

    /// <summary>Above this many elements of W, libtorch's loop over the classes takes many minutes, all of them alike: a few stand for all.</summary>
    private const long LargestLoop = 1 << 26;

    private const int SampledClasses = 10;

    private readonly List<IDisposable> owned = [];

    /// <param name="asked">The case.</param>
    /// <param name="ways">The ways of libtorch that take part.</param>
    /// <param name="threads">Threads of every engine.</param>
    public Contenders(Case asked, IReadOnlyList<LibTorchVariant> ways, int threads)
    {
        var network = NetworkCatalog.Make(asked.Network);
        var rows = network.Rows(asked.Batch);
        if (asked.Question == Question.MlNet)
        {
            Ours = new("Linearize", Own(MlNetRows.Explaining(network, rows, asked.Batch, threads)).Run);
            Peers = [new("ApplyOnnxModel", Own(MlNetRows.Scoring(network, rows, asked.Batch, threads)).Run)];
            return;
        }
        var model = OnnxWriter.Write(network);
        Scoring = new("ONNX Runtime", Own(new OnnxScoring(network, model, rows, asked.Batch, threads)).Run);
        Ours = asked.Question switch
        {
            Question.Top => new("Linearize", Own(Explaining.Top(network, model, rows, asked.Batch, threads)).Run),
            Question.All => new("Linearize", Own(Explaining.All(network, model, rows, asked.Batch, threads)).Run),
            _ => Scoring,
        };
        if (!LibTorchNetwork.IsAvailable) return;
        LibTorchNetwork.UseThreads(threads);
        Peers = [.. ways.SelectMany(v => LibTorch(network, v, asked, rows))];
    }

    public Contender Ours { get; }

    /// <summary>ONNX Runtime's scoring of the same batch; null through ML.NET.</summary>
    public Contender? Scoring { get; }

    /// <summary>The ways of the peer; its best one counts.</summary>
    public IReadOnlyList<Contender> Peers { get; } = [];

    public void Dispose()
    {
        foreach (var one in owned) one.Dispose();
    }

    private IEnumerable<Contender> LibTorch(Network network, LibTorchVariant variant, Case asked, float[] rows)
    {
        var torch = Own(new LibTorchNetwork(network, variant, rows, asked.Batch));
        switch (asked.Question)
        {
            case Question.Score:
                yield return new($"{variant}", torch.RunScore);
                break;
            case Question.Top:
                yield return new($"{variant}", torch.RunTop);
                break;
            case Question.All when (long)asked.Batch * network.RowLength * network.Outputs > LargestLoop:
                yield return new($"{variant}, loop, {SampledClasses} of {network.Outputs} classes", torch.BackwardOf(SampledClasses), (double)network.Outputs / SampledClasses);
                break;
            default:
                yield return new($"{variant}, loop", torch.RunAllByLoop);
                if ((long)asked.Batch * network.RowLength * network.Outputs <= LargestRepetition)
                    yield return new($"{variant}, repeated", torch.RunAllByRepeating);
                break;
        }
    }

    private T Own<T>(T one) where T : IDisposable
    {
        owned.Add(one);
        return one;
    }
}
