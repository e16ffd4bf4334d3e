using MLNetLinearize.Benchmarks.Comparison;
using MLNetLinearize.Benchmarks.Networks;
using MLNetLinearize.Benchmarks.Peers;

namespace MLNetLinearize.Tests.Benchmarks;

/// <summary>The benchmarks' short form: the engines that are timed against each other answer the same question.</summary>
public class AgreementTests
{
    private const int Rows = 3;

    public static TheoryData<string> Networks => [.. NetworkCatalog.Names];

    [Theory]
    [MemberData(nameof(Networks))]
    public void Scores_are_ONNX_Runtimes_and_add_up(string network)
    {
        var agreement = Agreement.WithScoring(NetworkCatalog.Make(network), Rows);
        Assert.True(agreement.Holds, $"{agreement}");
    }

    [LibTorchTheory]
    [MemberData(nameof(Networks))]
    public void Scores_and_weights_are_libtorchs(string name)
    {
        var ways = Ways.Of(NetworkCatalog.Make(name));
        Assert.True(ways.Hold, string.Join('\n', ways.Lines));
        Assert.Contains(LibTorchVariant.Plain, ways.Peers);
    }

    [Fact]
    public void A_network_with_other_weights_does_not_agree()
    {
        var network = NetworkCatalog.Make("acas");
        var other = network with { Layers = [.. network.Layers.Select((l, i) => i == 0 && l is Dense d ? d with { Bias = [.. d.Bias.Select(b => b + 0.1f)] } : l)] };
        var rows = network.Rows(Rows);
        using var scoring = new OnnxScoring(other, OnnxWriter.Write(other), rows, Rows, threads: 1);
        scoring.Run();
        var agreement = Agreement.Of(network, rows, Rows, [0, 1], scoring.Scores, null);
        Assert.False(agreement.Holds, $"{agreement}");
    }
}

/// <summary>A test against libtorch; skipped, visibly, where it is absent.</summary>
internal sealed class LibTorchTheoryAttribute : TheoryAttribute
{
    public LibTorchTheoryAttribute() => Skip = LibTorchNetwork.IsAvailable ? null : LibTorchNetwork.Absence;
}
