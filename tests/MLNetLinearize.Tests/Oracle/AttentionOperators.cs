namespace MLNetLinearize.Tests.Oracle;

/// <summary>Attention and RotaryEmbedding, position by position, by the equations of the ONNX specification.</summary>
internal static class AttentionOperators
{
    public static IReadOnlyList<Dual> Attention(OracleNode n)
    {
        var isFlat = n.X.Rank == 3;
        var (heads, groups) = (isFlat ? (int)n.Int("q_num_heads", 0) : n.X.Shape[1], isFlat ? (int)n.Int("kv_num_heads", 0) : n[1].Shape[1]);
        var (q, k, v) = (ByHead(n.X, heads), ByHead(n[1], groups), ByHead(n[2], groups));
        if (n.Optional(4) is { } pastKeys) k = ShapeOperators.Join([pastKeys, k], 2);
        if (n.Optional(5) is { } pastValues) v = ShapeOperators.Join([pastValues, v], 2);
        var (present, rows, queries, keys, size) = ((k, v), q.Shape[0], q.Shape[2], k.Shape[2], q.Shape[3]);
        // Head h of the queries reads head h / (heads / groups) of the keys.
        Dual Shared(Dual t) => ShapeOperators.Join([.. Enumerable.Range(0, heads).Select(h => ShapeOperators.Range(t, 1, h * groups / heads, 1, 1))], 1);
        var scale = n.Has("scale") ? n.Float("scale", 0) : 1 / Math.Sqrt(size);
        var scores = MatrixOperators.Multiply(q, ShapeOperators.Permute(Shared(k), [0, 1, 3, 2])) * Dual.Scalar(scale);
        var raw = scores;
        if (n.Float("softcap", 0) is > 0 and var cap) scores = PointwiseOperators.Tanh(scores * Dual.Scalar(1 / cap)) * Dual.Scalar(cap);
        var table = new double[rows * heads * queries * keys];
        var mask = n.Optional(3)?.BroadcastTo([rows, heads, queries, keys]);
        var past = keys - n[1].Shape[isFlat ? 1 : 2];
        for (var i = 0; i < table.Length; i++)
        {
            var (key, query, row) = (i % keys, i / keys % queries, i / keys / queries / heads);
            if (mask is not null) table[i] = !mask.IsInteger ? mask.Value[i] : mask.Value[i] != 0 ? 0 : double.NegativeInfinity;
            if (n.Int("is_causal", 0) != 0 && key > query + past) table[i] = double.NegativeInfinity;
            if (n.Optional(6) is { } lengths && key >= lengths.Value[row]) table[i] = double.NegativeInfinity;
        }
        scores += new Dual([rows, heads, queries, keys], table);
        var weights = Reading.Tangent(() => NormalizationOperators.Softmax(scores, [3], logarithm: false)).As(Role.Gate);
        var y = MatrixOperators.Multiply(weights, Shared(v));
        return [isFlat ? ShapeOperators.Permute(y, [0, 2, 1, 3]).Reshaped(rows, queries, heads * v.Shape[3]) : y, present.k, present.v, n.Int("qk_matmul_output_mode", 0) == 0 ? raw : weights];
    }

    /// <summary>y = x·cos ± (its partner)·sin, by elements.</summary>
    public static Dual Rotary(OracleNode n)
    {
        var x = n.X.Rank == 3 ? ByHead(n.X, (int)n.Int("num_heads", 0)) : n.X;
        var (positions, size, turned) = (x.Shape[2], x.Shape[3], (int)n.Int("rotary_embedding_dim", 0));
        if (turned == 0) turned = size;
        var interleaved = n.Int("interleaved", 0) != 0;
        var (cos, sin, partner) = (new double[x.Value.Length], new double[x.Value.Length], new int[x.Value.Length]);
        for (var i = 0; i < cos.Length; i++)
        {
            var (at, position, row) = (i % size, i / size % positions, i / size / positions / x.Shape[1]);
            (cos[i], partner[i]) = (1, i);
            if (at >= turned) continue;
            var pair = interleaved ? at / 2 : at % (turned / 2);
            var isFirst = interleaved ? at % 2 == 0 : at < turned / 2;
            var angle = (n.Optional(3) is { } ids ? (int)ids.Value[row * positions + position] : row * positions + position) * (turned / 2) + pair;
            (cos[i], sin[i]) = (n[1].Value[angle], isFirst ? -n[2].Value[angle] : n[2].Value[angle]);
            partner[i] = i + (interleaved ? 1 : turned / 2) * (isFirst ? 1 : -1);
        }
        var y = x * new Dual(x.Shape, cos) + x.Pick(x.Shape, partner) * new Dual(x.Shape, sin);
        return n.X.Rank == 3 ? ShapeOperators.Permute(y, [0, 2, 1, 3]).Reshaped(n.X.Shape) : y;
    }

    private static Dual ByHead(Dual x, int heads) => x.Rank == 4 ? x : ShapeOperators.Permute(x.Reshaped(x.Shape[0], x.Shape[1], heads, x.Shape[2] / heads), [0, 2, 1, 3]);
}
