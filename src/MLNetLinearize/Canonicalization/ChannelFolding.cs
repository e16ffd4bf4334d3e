using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// Folds what scales and shifts every channel by itself, a BatchNormalization or a sum or product with stored numbers, into the
/// convolution or BatchNormalization whose output it alone reads: kernel or scale take the slope, the bias takes the shift. ONNX
/// Runtime does some of it on the way forward; done before the adjoint, the way back costs no product either.
/// </summary>
internal static class ChannelFolding
{
    /// <param name="graph">Rewritten in place.</param>
    /// <param name="shapes">Of its tensors.</param>
    /// <param name="kept">Tensors that must keep existing.</param>
    public static void Apply(Graph graph, IReadOnlyDictionary<string, TensorShape> shapes, IReadOnlyCollection<string> kept)
    {
        var readers = graph.Nodes.SelectMany(Graph.Reads).GroupBy(name => name).ToDictionary(g => g.Key, g => g.Count());
        var makers = graph.Nodes.Where(n => n.IsStandard() && n.OpType is "Conv" or "BatchNormalization").ToDictionary(n => n.Output[0]);
        var folded = new HashSet<NodeProto>();
        foreach (var node in graph.Nodes.Where(n => n.IsStandard()))
        {
            if (node.Input.FirstOrDefault(makers.ContainsKey) is not { } between || kept.Contains(between) || readers[between] != 1) continue;
            var maker = makers[between];
            if (Scaling(graph, shapes, node, between) is not var (slope, shift) || !Fold(graph, maker, slope, shift)) continue;
            makers.Remove(between);
            makers[maker.Output[0] = node.Output[0]] = maker;
            folded.Add(node);
        }
        graph.Nodes.RemoveAll(folded.Contains);
    }

    /// <summary>What a node makes of each channel of <paramref name="x"/>, in double precision: its slope and shift; null where it is no such node.</summary>
    private static (double[] Slope, double[] Shift)? Scaling(Graph graph, IReadOnlyDictionary<string, TensorShape> shapes, NodeProto node, string x)
    {
        if (node.OpType == "BatchNormalization") return Normalization(graph, node);
        if (node.OpType is not ("Add" or "Sub" or "Mul" or "Div") || node.Input[0] == node.Input[1]) return null;
        var isFirst = node.Input[0] == x;
        if (Channels(graph, node.Input[isFirst ? 1 : 0], shapes[x]) is not { } c) return null;
        double[] Each(double value) => [.. c.Select(_ => value)];
        return node.OpType switch
        {
            "Add" => (Each(1), c),
            "Sub" => isFirst ? (Each(1), [.. c.Select(v => -v)]) : (Each(-1), c),
            "Mul" => (c, Each(0)),
            _ => isFirst && !c.Contains(0) ? ([.. c.Select(v => 1 / v)], Each(0)) : null,
        };
    }

    private static (double[] Slope, double[] Shift)? Normalization(Graph graph, NodeProto norm)
    {
        if (norm.Int("training_mode", 0) != 0 || Stored(graph, norm.Input.Skip(1)) is not [var scale, var bias, var mean, var variance]) return null;
        var epsilon = (double)norm.Float("epsilon", 1e-5f);
        double[] slope = [.. scale.Select((s, c) => s / Math.Sqrt(variance[c] + epsilon))];
        return (slope, [.. slope.Select((s, c) => bias[c] - s * mean[c])]);
    }

    /// <summary>A stored number for each channel of a tensor [N, C, …], which spreads over all else; null where it is no such thing.</summary>
    private static double[]? Channels(Graph graph, string constant, TensorShape shape)
    {
        if (Stored(graph, [constant]) is not [var values]) return null;
        var dims = graph.Initializers[constant].Dims;
        var (channels, axis) = (shape.Dims[1], dims.Count - shape.Rank + 1);
        if (dims.Count > shape.Rank || dims.Where((d, i) => d != 1 && i != axis).Any() || !values.All(double.IsFinite)) return null;
        return values.Length == channels ? values : values.Length == 1 ? [.. Enumerable.Repeat(values[0], (int)channels)] : null;
    }

    private static bool Fold(Graph graph, NodeProto maker, double[] slope, double[] shift)
    {
        string Add(string what, IEnumerable<double> values, params long[] dims) => graph.AddInitializer(Tensors.Of($"{maker.Name}/{what}", [.. values.Select(v => (float)v)], dims));
        IEnumerable<double> Scaled(IEnumerable<double> values) => values.Select((b, c) => slope[c] * b + shift[c]);
        if (maker.OpType == "BatchNormalization")
        {
            if (maker.Int("training_mode", 0) != 0 || Stored(graph, maker.Input.Skip(1).Take(2)) is not [var scale, var bias]) return false;
            maker.Input[1] = Add("scale", scale.Zip(slope, (s, f) => s * f), slope.Length);
            maker.Input[2] = Add("bias", Scaled(bias), slope.Length);
            return true;
        }
        if (Stored(graph, maker.Input.Skip(1).Where(i => i.Length > 0)) is not [var kernel, .. var rest]) return false;
        var size = kernel.Length / slope.Length;
        var dims = graph.Initializers[maker.Input[1]].Dims;
        while (maker.Input.Count > 1) maker.Input.RemoveAt(1);
        maker.Input.Add(Add("kernel", kernel.Select((w, i) => w * slope[i / size]), [.. dims]));
        maker.Input.Add(Add("bias", Scaled(rest is [var given] ? given : new double[slope.Length]), slope.Length));
        return true;
    }

    /// <summary>Stored float tensors; none where one of them is no such thing.</summary>
    private static double[][] Stored(Graph graph, IEnumerable<string> names)
    {
        var tensors = names.Select(n => graph.Initializers.GetValueOrDefault(n)).ToList();
        return tensors.All(t => t?.ElementType() == DataType.Float) ? [.. tensors.Select(t => t!.ToDouble())] : [];
    }
}
