using MLNetLinearize.Onnx;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// What ONNX Runtime's transformer optimizer fuses (domain com.microsoft, written by saved optimized models and by
/// Optimum), in standard operators again. Equations: ONNX Runtime's documentation of its contributed operators.
/// </summary>
internal static class TransformerFusions
{
    private const string Microsoft = "com.microsoft";

    /// <summary>What is added to the variance where the node does not say, in the operators that add before they normalize.</summary>
    private const float SkipEpsilon = 1e-12f;

    private static readonly Dictionary<string, Action<Replacement>> Table = new(StringComparer.Ordinal)
    {
        ["Gelu"] = x => x.Output(0, Gelu(x, x.In(0))),
        ["BiasGelu"] = x => x.Output(0, Gelu(x, x.Add(x.In(0), x.In(1)))),
        ["FastGelu"] = FastGelu,
        ["QuickGelu"] = x => x.Output(0, x.Mul(x.In(0), x.Op("Sigmoid", [x.Scaled(x.In(0), x.Node.Float("alpha", 1.702f))]))),
        ["SkipLayerNormalization"] = SkipLayerNormalization,
        ["SkipSimplifiedLayerNormalization"] = SkipRootMeanSquare,
        ["EmbedLayerNormalization"] = EmbedLayerNormalization,
    };

    /// <summary>The nodes that <paramref name="node"/> stands for; null where it is none of these.</summary>
    public static List<NodeProto>? Written(Graph graph, NodeProto node)
    {
        // ONNX Runtime keeps SimplifiedLayerNormalization in the default domain, where the standard does not know it.
        var write = node is { Domain: "" or "ai.onnx", OpType: "SimplifiedLayerNormalization" } ? RootMeanSquare
            : node.Domain == Microsoft ? Table.GetValueOrDefault(node.OpType) : null;
        if (write is null) return null;
        var replacement = new Replacement(graph, node);
        write(replacement);
        return replacement.Nodes;
    }

    /// <summary>x·Φ(x), with the normal distribution Φ.</summary>
    private static string Gelu(Replacement x, string z)
    {
        var distribution = x.Add(x.Op("Erf", [x.Scaled(z, (float)Math.Sqrt(0.5))]), x.Scalar(1));
        return x.Scaled(x.Mul(z, distribution), 0.5f);
    }

    /// <summary>x·(1 + tanh(√(2/π)·(x + 0.044715·x³)))/2.</summary>
    private static void FastGelu(Replacement x)
    {
        var z = x.InOrNull(1) is { } bias ? x.Add(x.In(0), bias) : x.In(0);
        var cube = x.Mul(x.Mul(z, z), z);
        var gate = x.Add(x.Op("Tanh", [x.Scaled(x.Add(z, x.Scaled(cube, 0.044715f)), (float)Math.Sqrt(2 / Math.PI))]), x.Scalar(1));
        x.Output(0, x.Scaled(x.Mul(z, gate), 0.5f));
    }

    private static void SkipLayerNormalization(Replacement x) =>
        x.Output(0, LayerNormalization(x, Skipped(x, bias: 4), x.In(2), x.InOrNull(3), SkipEpsilon));

    private static void SkipRootMeanSquare(Replacement x) =>
        x.Output(0, RootMeanSquare(x, Skipped(x, bias: 3), x.In(2), SkipEpsilon));

    private static void RootMeanSquare(Replacement x)
    {
        if (x.Node.Int("axis", -1) == -1) x.Output(0, RootMeanSquare(x, x.In(0), x.In(1), 1e-5f));
        else x.Nodes.Add(x.Node); // left as it is, to be refused by name
    }

    /// <summary>The residual sum in front of a normalization, which is output 3 as well.</summary>
    private static string Skipped(Replacement x, int bias)
    {
        var sum = x.Add(x.In(0), x.In(1));
        if (x.InOrNull(bias) is { } added) sum = x.Add(sum, added);
        return Named(x, 3, sum);
    }

    /// <summary>A tensor under the name that the node has for it, where it has one: what is explained by it must read it there.</summary>
    private static string Named(Replacement x, int output, string tensor)
    {
        x.Output(output, tensor);
        return x.Makes(output) ? x.Node.Output[output] : tensor;
    }

    private static string LayerNormalization(Replacement x, string z, string scale, string? shift, float defaultEpsilon) =>
        x.Op("LayerNormalization", shift is null ? [z, scale] : [z, scale, shift], ("axis", -1L), ("epsilon", x.Node.Float("epsilon", defaultEpsilon)));

    private static string RootMeanSquare(Replacement x, string z, string scale, float defaultEpsilon)
    {
        var mean = x.Op("ReduceMean", [x.Mul(z, z), x.Ints(-1)]);
        var size = x.Op("Sqrt", [x.Add(mean, x.Scalar(x.Node.Float("epsilon", defaultEpsilon)))]);
        return x.Mul(x.Op("Div", [z, size]), scale);
    }

    /// <summary>Sum of the embeddings of word, position and segment, normalized. Output 1 counts each row's unmasked positions.</summary>
    private static void EmbedLayerNormalization(Replacement x)
    {
        var length = x.Op("Shape", [x.In(0)], ("start", 1L), ("end", 2L));
        var positions = x.InOrNull(8) is { } given
            ? x.Op("Gather", [x.In(3), given])
            : x.Op("Slice", [x.In(3), x.Ints(0), length, x.Ints(0)]);
        var sum = x.Add(x.Op("Gather", [x.In(2), x.In(0)]), positions);
        if (x.InOrNull(1) is { } segments) sum = x.Add(sum, x.Op("Gather", [x.In(4), segments]));
        x.Output(0, LayerNormalization(x, Named(x, 2, sum), x.In(5), x.InOrNull(6), SkipEpsilon));
        if (x.Makes(1)) x.Output(1, x.Op("ReduceSum", [x.InOrNull(7) ?? x.Op("Sub", [x.In(0), x.In(0)]), x.Ints(1)], ("keepdims", 0L)));
    }
}
