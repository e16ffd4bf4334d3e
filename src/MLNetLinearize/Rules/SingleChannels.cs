using MLNetLinearize.Onnx;

namespace MLNetLinearize.Rules;

/// <summary>
/// Cotangents of one target that are zero in all channels but one, which is the same for every row: those of a single element of
/// what a pool over all of space makes, as far back as the convolution before it. Its transpose then reads one of the kernel's output channels.
/// </summary>
internal sealed class SingleChannels
{
    private readonly Dictionary<string, string> channels = [];

    /// <summary>Says which channel of a cotangent [N, C, d…] is not zero.</summary>
    /// <param name="cotangent">The cotangent.</param>
    /// <param name="channel">Its channel, Int64 [1].</param>
    public void Mark(string cotangent, string channel) => channels[cotangent] = channel;

    /// <summary>The one channel, Int64 [1]; null where there may be several.</summary>
    public string? Of(string cotangent) => channels.GetValueOrDefault(cotangent);

    /// <summary>Marks what a node gave, if it keeps channels apart.</summary>
    public void Pass(Vjp v)
    {
        if (v.Cotangents[0] is { } g && Of(g) is { } channel && v.Given is [var only] && Keeps(v)) Mark(only.Cotangent, channel);
    }

    private static bool Keeps(Vjp v) => v.Node.IsStandard() && v.Node.OpType is "Relu" or "LeakyRelu" or "Clip" or "Identity" or "GlobalAveragePool";
}
