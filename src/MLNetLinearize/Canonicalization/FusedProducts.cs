using MLNetLinearize.Onnx;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// Matrix products that ONNX Runtime fuses with what stands around them (domain com.microsoft): transposed operands, a factor,
/// weights that are packed in a few bits each. Equations: ONNX Runtime's documentation of its contributed operators.
/// </summary>
internal static class FusedProducts
{
    /// <summary>Whether an operand has its rows in front of its batch axes, which to put right takes its rank.</summary>
    public static bool MovesBatches(NodeProto node) => node.Int("transBatchA", 0) != 0 || node.Int("transBatchB", 0) != 0;

    public static List<NodeProto> MatMul(Graph graph, NodeProto node)
    {
        var pieces = new List<NodeProto>();
        foreach (var (i, attribute) in new[] { (0, "transA"), (1, "transB") })
        {
            if (node.Int(attribute, 0) == 0) continue;
            // Without a known rank the last two axes are swapped through Einsum's ellipsis.
            var swapped = graph.Fresh($"{node.Output[0]}/{attribute}");
            pieces.Add(Nodes.Create("Einsum", [node.Input[i]], [swapped], graph.Fresh(swapped + "/node"), ("equation", "...ij->...ji")));
            node.Input[i] = swapped;
        }
        var alpha = node.Float("alpha", 1);
        var output = node.Output[0];
        node.Domain = "";
        node.OpType = "MatMul";
        node.Remove("transA", "transB", "alpha", "transBatchA", "transBatchB");
        pieces.Add(node);
        if (alpha != 1)
        {
            node.Output[0] = graph.Fresh($"{output}/unscaled");
            pieces.Add(Nodes.Create("Mul", [node.Output[0], graph.AddInitializer(Tensors.Of($"{output}/alpha", [alpha]))], [output], graph.Fresh($"{output}/scale")));
        }
        return pieces;
    }

    /// <summary>The same where an operand is [rows, batch…, columns]: it becomes [batch…, rows, columns], which is transposed last.</summary>
    public static void MatMul(Expansion x)
    {
        string Operand(int i, string name)
        {
            var rank = x.Rank(i);
            var perm = Enumerable.Range(0, rank).Select(k => (long)k).ToList();
            if (x.Node.Int($"transBatch{name}", 0) != 0) perm = [.. perm[1..^1], perm[0], perm[^1]];
            if (x.Node.Int($"trans{name}", 0) != 0) (perm[^1], perm[^2]) = (perm[^2], perm[^1]);
            return x.Transpose(x.In(i), [.. perm]);
        }
        x.Output(0, x.Scaled(x.Op("MatMul", [Operand(0, "A"), Operand(1, "B")]), x.Node.Float("alpha", 1)));
    }

    /// <summary>
    /// y = x·Wᵀ + b with weights (q − zero point)·scale, of which each row's blocks have a scale and a zero point each. The bits of a byte are
    /// filled from the lowest on. Weights that are computed are left, to be refused by name.
    /// </summary>
    public static IReadOnlyList<NodeProto> OfPackedWeights(Graph graph, NodeProto node)
    {
        TensorProto? Stored(int i) => node.InputOrNull(i) is { } name ? graph.Initializers.GetValueOrDefault(name) : null;
        var (columns, rows, bits, block) = (node.Int("K", 0), node.Int("N", 0), (int)node.Int("bits", 4), node.Int("block_size", 0));
        if (Stored(1) is not { HasRawData: true } packed || Stored(2) is not { } scales || node.InputOrNull(3) is not null && Stored(3) is null || block < 1 || bits is not (2 or 4 or 8)) return [node];
        if (node.InputOrNull(4) is not null && Stored(4) is null) return [node];
        var blocks = (columns + block - 1) / block;
        var (zeros, places) = (ZeroPoints(Stored(3)), Stored(4)?.ToInt64());
        var (bytes, scale) = (packed.RawData.Memory, scales.ToSingle());
        if (bytes.Length != rows * blocks * block * bits / 8 || scale.Length != rows * blocks) return [node];
        var weights = new float[rows * columns];
        for (var r = 0L; r < rows; r++)
            for (var c = 0L; c < columns; c++)
            {
                var at = places is null ? c / block : places[c];
                weights[r * columns + c] = (Bits(bytes.Span, bits, r * blocks * block + c) - zeros(r, at)) * scale[r * blocks + at];
            }
        var to = new Replacement(graph, node);
        var y = to.Op("MatMul", [node.Input[0], to.Transpose(to.Floats(weights, rows, columns), 1, 0)]);
        return to.Output(0, node.InputOrNull(5) is { } bias ? to.Add(y, bias) : y);

        Func<long, long, float> ZeroPoints(TensorProto? stored)
        {
            if (stored is null) return (_, _) => 1 << (bits - 1);
            if (stored.ElementType() != TensorProto.Types.DataType.Uint8)
            {
                var given = stored.ToSingle();
                return (r, b) => given[r * blocks + b];
            }
            // Every row begins with a byte of its own.
            var (filled, width) = (stored.RawData.Memory, (blocks * bits + 7) / 8 * 8 / bits);
            return (r, b) => Bits(filled.Span, bits, r * width + b);
        }
    }

    private static int Bits(ReadOnlySpan<byte> bytes, int bits, long i) => bytes[(int)(i * bits / 8)] >> (int)(i * bits % 8) & ((1 << bits) - 1);
}
