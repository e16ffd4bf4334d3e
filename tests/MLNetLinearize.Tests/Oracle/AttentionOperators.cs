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
        var capped = scores;
        var (masks, isHidden) = Masks(n, [rows, heads, queries, keys], past: keys - n[1].Shape[isFlat ? 1 : 2]);
        var masked = scores + masks;
        // A query that sees no key has weights of 0: its masks are left out, and what comes of it is taken away.
        int[] shown = [.. Enumerable.Range(0, masks.Value.Length).Select(i => isHidden[i / keys] ? -1 : i)];
        scores += masks.Pick(masks.Shape, shown);
        var weights = Reading.Tangent(() => NormalizationOperators.Softmax(scores, [3], logarithm: false)).As(Role.Gate);
        Dual Seen(Dual t) => isHidden.Contains(true) ? t.Pick(t.Shape, [.. Enumerable.Range(0, t.Value.Length).Select(i => isHidden[i / t.Shape[3]] ? -1 : i)]) : t;
        var y = Seen(MatrixOperators.Multiply(weights, Shared(v)));
        return [isFlat ? ShapeOperators.Permute(y, [0, 2, 1, 3]).Reshaped(rows, queries, heads * v.Shape[3]) : y, present.k, present.v, n.Int("qk_matmul_output_mode", 0) switch
        {
            0 => raw,
            1 => capped,
            2 => masked,
            _ => Seen(weights),
        }];
    }

    /// <summary>What is added to the scores, and which queries see no key.</summary>
    private static (Dual Masks, bool[] IsHidden) Masks(OracleNode n, int[] shape, int past)
    {
        var (heads, queries, keys) = (shape[1], shape[2], shape[3]);
        var lengths = n.Optional(6);
        var table = new double[shape[0] * heads * queries * keys];
        for (var i = 0; i < table.Length; i++)
        {
            var (key, query, row) = (i % keys, i / keys % queries, i / keys / queries / heads);
            // With lengths, a row's last key is its last query's own.
            var last = query + (lengths is null ? past : (int)lengths.Value[row] - queries);
            if (n.Int("is_causal", 0) != 0 && key > last || lengths is not null && key >= lengths.Value[row]) table[i] = double.NegativeInfinity;
        }
        var masks = new Dual(shape, table);
        if (n.Optional(3) is { } mask)
        {
            var barrier = mask.IsInteger ? new Dual(mask.Shape, [.. mask.Value.Select(v => v != 0 ? 0 : double.NegativeInfinity)]) : mask;
            // Keys that the mask does not reach are hidden.
            if (mask.Shape[^1] is > 1 and var reached && reached < keys)
                barrier = barrier.Pick([.. mask.Shape[..^1], keys], [.. Enumerable.Range(0, mask.Value.Length / reached * keys).Select(i => i % keys < reached ? i / keys * reached + i % keys : -1)], double.NegativeInfinity);
            masks += barrier.BroadcastTo(shape);
        }
        return (masks, [.. masks.Value.Chunk(keys).Select(row => row.All(double.IsNegativeInfinity))]);
    }

    /// <summary>y = x·cos ± (its partner)·sin, by elements.</summary>
    public static Dual Rotary(OracleNode n)
    {
        var x = n.X.Rank == 3 ? ByHead(n.X, (int)n.Int("num_heads", 0)) : n.X;
        var (positions, size, turned) = (x.Shape[2], x.Shape[3], (int)n.Int("rotary_embedding_dim", 0));
        if (turned == 0) turned = size;
        var interleaved = n.Int("interleaved", 0) != 0;
        // The place in the table of angles, −1 where nothing is turned.
        var (angles, signs, partner) = (new int[x.Value.Length], new double[x.Value.Length], new int[x.Value.Length]);
        for (var i = 0; i < angles.Length; i++)
        {
            var (at, position, row) = (i % size, i / size % positions, i / size / positions / x.Shape[1]);
            (angles[i], partner[i]) = (-1, i);
            if (at >= turned) continue;
            var pair = interleaved ? at / 2 : at % (turned / 2);
            var isFirst = interleaved ? at % 2 == 0 : at < turned / 2;
            angles[i] = (n.Optional(3) is { } ids ? (int)ids.Value[row * positions + position] : row * positions + position) * (turned / 2) + pair;
            signs[i] = isFirst ? -1 : 1;
            partner[i] = i + (interleaved ? 1 : turned / 2) * (isFirst ? 1 : -1);
        }
        var y = x * n[1].Pick(x.Shape, angles, fill: 1) + x.Pick(x.Shape, partner) * n[2].Pick(x.Shape, angles) * new Dual(x.Shape, signs);
        return n.X.Rank == 3 ? ShapeOperators.Permute(y, [0, 2, 1, 3]).Reshaped(n.X.Shape) : y;
    }

    private static Dual ByHead(Dual x, int heads) => x.Rank == 4 ? x : ShapeOperators.Permute(x.Reshaped(x.Shape[0], x.Shape[1], heads, x.Shape[2] / heads), [0, 2, 1, 3]);
}
