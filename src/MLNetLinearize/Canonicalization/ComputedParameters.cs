using MLNetLinearize.Onnx;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// Normalization whose scale or statistics, and activations whose slope or bounds, are computed from the row (adaptive
/// normalization, hypernetworks): in sums and products, so that what is computed is explained as well.
/// </summary>
internal static class ComputedParameters
{
    /// <summary>(x − mean)·scale/√(variance + ε) + bias, channel by channel; in training mode by the statistics of x, which the running ones take a part of.</summary>
    public static void BatchNormalization(Expansion x)
    {
        string Parameter(int i) => PerChannel(x, i, x.Dims(i)[0]);
        var (mean, variance) = IsTraining(x.Node) ? Statistics(x) : (Parameter(3), Parameter(4));
        var deviation = x.Op("Sqrt", [x.Add(variance, x.Scalar(x.Node.Float("epsilon", 1e-5f)))]);
        var scaled = x.Mul(x.Sub(x.In(0), mean), Parameter(1));
        x.Output(0, x.Add(x.Op("Div", [scaled, deviation]), Parameter(2)));
        var momentum = x.Node.Float("momentum", 0.9f);
        string Running(int i, string now) => x.Add(x.Scaled(x.In(i), momentum), x.Scaled(x.Reshape(now, -1), 1 - momentum));
        if (x.Makes(1)) x.Output(1, Running(3, mean));
        if (x.Makes(2)) x.Output(2, Running(4, variance));
    }

    public static bool IsTraining(NodeProto node) => node.OpType == "BatchNormalization" && node.Int("training_mode", 0) != 0;

    /// <summary>LayerNormalization and RMSNormalization: the scale multiplies, and the bias is added, behind it. The first tells its statistics as well.</summary>
    public static void LastAxes(Expansion x)
    {
        var (axis, epsilon) = (x.Axis(0, x.Node.Int("axis", -1)), x.Node.Float("epsilon", 1e-5f));
        long[] dims = [.. x.Dims(0).Skip(axis)];
        var y = x.Mul(x.Op(x.Node.OpType, [x.In(0), Filled(x, 1, dims)], ("axis", (long)axis), ("epsilon", epsilon)), x.In(1));
        x.Output(0, x.InOrNull(2) is { } bias ? x.Add(y, bias) : y);
        if (!x.Makes(1) && !x.Makes(2)) return;
        string Mean(string t) => x.Op("ReduceMean", [t, x.Ints([.. dims.Select((_, i) => (long)(axis + i))])]);
        var mean = Mean(x.In(0));
        var centred = x.Sub(x.In(0), mean);
        x.Output(1, mean);
        x.Output(2, x.Op("Reciprocal", [x.Op("Sqrt", [x.Add(Mean(x.Mul(centred, centred)), x.Scalar(epsilon))])]));
    }

    /// <summary>InstanceNormalization and GroupNormalization, whose scale and bias are per channel, or per group before opset 21.</summary>
    public static void Channels(Expansion x)
    {
        var channels = x.Dims(0)[1];
        var count = x.Dims(1)[0];
        List<(string, object)> attributes = [("epsilon", x.Node.Float("epsilon", 1e-5f))];
        if (x.Node.OpType == "GroupNormalization") attributes.Add(("num_groups", x.Node.Int("num_groups", 1)));
        var y = x.Op(x.Node.OpType, [x.In(0), Filled(x, 1, count), Filled(x, 0, count)], [.. attributes]);
        x.Output(0, x.Add(x.Mul(y, PerChannel(x, 1, channels)), PerChannel(x, 2, channels)));
    }

    /// <summary>max(x, 0) + slope·min(x, 0).</summary>
    public static void PRelu(Expansion x) => x.Output(0, x.Add(x.Op("Relu", [x.In(0)]), x.Mul(x.In(1), x.Op("Min", [x.In(0), x.Scalar(0f)]))));

    public static void Clip(Expansion x)
    {
        var y = x.In(0);
        if (x.InOrNull(1) is { } low) y = x.Op("Max", [y, low]);
        if (x.InOrNull(2) is { } high) y = x.Op("Min", [y, high]);
        x.Output(0, y);
    }

    /// <summary>Of the batch where the model fixes one of several rows; of each row where it fixes a batch of one.</summary>
    /// <exception cref="ExpansionException">The batch is open: each row depends on those it comes with.</exception>
    private static (string Mean, string Variance) Statistics(Expansion x)
    {
        var isOne = x.Dims(0)[0] == 1;
        if (isOne && !HasFixedBatch(x)) throw new ExpansionException("it is in training mode, and computes statistics over a batch of rows that depend on each other", "export the model in evaluation mode, or with a fixed batch, which is then explained as a whole");
        long[] axes = [.. isOne ? Array.Empty<long>() : [0], .. Enumerable.Range(2, Math.Max(0, x.Rank(0) - 2)).Select(i => (long)i)];
        string Mean(string t) => axes.Length == 0 ? t : x.Op("ReduceMean", [t, x.Ints(axes)]);
        var mean = Mean(x.In(0));
        var centred = x.Sub(x.In(0), mean);
        return (mean, Mean(x.Mul(centred, centred)));
    }

    private static bool HasFixedBatch(Expansion x)
    {
        var behind = ValueFlow.Behind(x.Graph, x.In(0));
        return x.Graph.Inputs.Where(i => behind.Contains(i.Name)).All(i => i.Type?.TensorType?.Shape?.Dim is [{ DimValue: > 0 }, ..]);
    }

    /// <summary>A parameter as [channels, 1, …]; one per group is repeated for the group's channels.</summary>
    private static string PerChannel(Expansion x, int i, long channels)
    {
        var (name, given) = (x.In(i), x.Dims(i)[0]);
        if (given != channels) name = x.Op("Expand", [x.Reshape(name, given, 1), x.Ints(given, channels / given)]);
        return x.Reshape(name, [channels, .. Enumerable.Repeat(1L, Math.Max(0, x.Rank(0) - 2))]);
    }

    private static string Filled(Expansion x, float value, params long[] dims) => x.Floats([.. Enumerable.Repeat(value, (int)dims.Aggregate(1L, (a, d) => a * d))], dims);
}
