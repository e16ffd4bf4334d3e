using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// Folds a BatchNormalization into the convolution whose output it alone reads: the kernel takes the slope, the bias the
/// shift. ONNX Runtime does so on the way forward; done before the adjoint, the way back costs no product either.
/// </summary>
internal static class BatchNormFolding
{
    /// <param name="graph">Rewritten in place.</param>
    /// <param name="kept">Tensors that must keep existing.</param>
    public static void Apply(Graph graph, IReadOnlyCollection<string> kept)
    {
        var readers = graph.Nodes.SelectMany(Graph.Reads).GroupBy(name => name).ToDictionary(g => g.Key, g => g.Count());
        var makers = graph.Nodes.Where(n => n.IsStandard() && n.OpType == "Conv").ToDictionary(n => n.Output[0]);
        var folded = new HashSet<NodeProto>();
        foreach (var norm in graph.Nodes.Where(n => n.IsStandard() && n.OpType == "BatchNormalization" && n.Int("training_mode", 0) == 0))
        {
            var between = norm.Input[0];
            if (!makers.TryGetValue(between, out var conv) || kept.Contains(between) || readers[between] != 1) continue;
            if (Folded(graph, conv, norm) is not { } weights) continue;
            while (conv.Input.Count > 1) conv.Input.RemoveAt(1);
            conv.Input.AddRange(weights.Select(graph.AddInitializer));
            conv.Output[0] = norm.Output[0];
            folded.Add(norm);
        }
        graph.Nodes.RemoveAll(folded.Contains);
    }

    /// <summary>Kernel and bias of the two as one, in double precision; null where a part is no stored float tensor.</summary>
    private static TensorProto[]? Folded(Graph graph, NodeProto conv, NodeProto norm)
    {
        var inputs = conv.Input.Skip(1).Where(i => i.Length > 0).Concat(norm.Input.Skip(1)).ToList();
        if (inputs.Any(i => !graph.Initializers.TryGetValue(i, out var t) || t.ElementType() != DataType.Float)) return null;
        var kernel = graph.Initializers[conv.Input[1]];
        float[] Stored(string name) => graph.Initializers[name].ToSingle();
        var (scale, shift, mean, variance) = (Stored(norm.Input[1]), Stored(norm.Input[2]), Stored(norm.Input[3]), Stored(norm.Input[4]));
        var epsilon = (double)norm.Float("epsilon", 1e-5f);
        double[] slope = [.. scale.Select((s, c) => s / Math.Sqrt(variance[c] + epsilon))];
        var bias = conv.InputOrNull(2) is { } given ? Stored(given) : new float[slope.Length];
        var size = kernel.Count() / slope.Length;
        return
        [
            Tensors.Of($"{conv.Name}/kernel", [.. kernel.ToSingle().Select((w, i) => (float)(w * slope[i / size]))], [.. kernel.Dims]),
            Tensors.Of($"{conv.Name}/bias", [.. slope.Select((s, c) => (float)(s * (bias[c] - (double)mean[c]) + shift[c]))], slope.Length),
        ];
    }
}
