using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using MLNetLinearize.Benchmarks.Comparison;
using MLNetLinearize.Benchmarks.Networks;
using MLNetLinearize.Benchmarks.Peers;

namespace MLNetLinearize.Benchmarks;

/// <summary>
/// The same cases under BenchmarkDotNet, for its statistics of one engine. In this process: a child process of its own would
/// copy 600 MB of libtorch for each of the cases. For ratios between engines use <c>compare</c>, which takes turns.
/// </summary>
[Config(typeof(InThisProcess))]
public class ExplainBenchmarks
{
    private Contenders? contenders;

    /// <summary>The cases, by their position in the table.</summary>
    public static IEnumerable<string> Cases => Case.Everything.Select(c => c.ToString());

    /// <summary>The case.</summary>
    [ParamsSource(nameof(Cases))]
    public string Asked { get; set; } = "";

    [GlobalSetup]
    public void Open()
    {
        var asked = Case.Everything.First(c => c.ToString() == Asked);
        contenders = new Contenders(asked, [LibTorchVariant.For(NetworkCatalog.Make(asked.Network)).First()], threads: 1);
    }

    [GlobalCleanup]
    public void Close() => contenders?.Dispose();

    [Benchmark]
    public void Ours() => contenders!.Ours.Run();

    [Benchmark(Baseline = true)]
    public void Peer() => (contenders!.Peers.FirstOrDefault() ?? throw new InvalidOperationException(LibTorchNetwork.Absence)).Run();

    private sealed class InThisProcess : ManualConfig
    {
        public InThisProcess() => AddJob(Job.Default.WithToolchain(InProcessEmitToolchain.Instance));
    }
}
