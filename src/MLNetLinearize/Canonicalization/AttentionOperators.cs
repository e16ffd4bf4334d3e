using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// Attention and RotaryEmbedding in matrix products, Softmax and sums, so that the softmax is the gate that
/// <see cref="Nonlinearity.Frozen"/> holds. Equations: the ONNX specification of both operators (versions 23 and 24).
/// </summary>
internal static class AttentionOperators
{
    /// <summary>Y = softmax(softcap(scale·Q·Kᵀ) + masks)·V, by heads; keys and values of the past come first.</summary>
    public static void Attention(Expansion x)
    {
        var isFlat = x.Rank(0) == 3;
        var (q, k, v) = (Heads(x, 0, "q_num_heads"), Heads(x, 1, "kv_num_heads"), Heads(x, 2, "kv_num_heads"));
        if (x.InOrNull(4) is { } pastKeys) k = x.Concat([pastKeys, k], 2);
        if (x.InOrNull(5) is { } pastValues) v = x.Concat([pastValues, v], 2);
        x.Output(1, k);
        x.Output(2, v);
        var past = x.InOrNull(4) is null ? 0 : x.Dims(4)[2];
        var (queries, keys) = (x.Dims(0)[isFlat ? 1 : 2], past + x.Dims(1)[isFlat ? 1 : 2]);
        var (heads, kept) = (HeadCount(x, 0, "q_num_heads"), HeadCount(x, 1, "kv_num_heads"));
        (k, v) = (Repeated(x, k, heads / kept), Repeated(x, v, heads / kept));
        var size = isFlat ? x.Dims(0)[2] / heads : x.Dims(0)[3];

        var scale = x.Node.Float("scale", 0) is var given && x.Node.Has("scale") ? given : 1 / MathF.Sqrt(size);
        // A root of the scale on either side, as the specification has it, keeps the products small.
        var root = MathF.Sqrt(scale);
        var scores = x.Op("MatMul", [x.Scaled(q, root), x.Transpose(x.Scaled(k, root), 0, 1, 3, 2)]);
        string[] stages = [scores, "", "", ""];
        var softcap = x.Node.Float("softcap", 0);
        if (softcap > 0) scores = x.Scaled(x.Op("Tanh", [x.Scaled(scores, 1 / softcap)]), softcap);
        stages[1] = scores;
        string? seen = null;
        if (Masks(x, queries, keys, past).ToList() is { Count: > 0 } masks)
        {
            var mask = masks.Aggregate(x.Add);
            stages[2] = x.Add(scores, mask);
            // Every query sees the first key where only those behind it are hidden.
            if (x.InOrNull(3) is not null || x.InOrNull(6) is not null) (mask, seen) = WithoutHiddenRows(x, mask);
            scores = x.Add(scores, mask);
        }
        else stages[2] = scores;
        var weights = x.Op("Softmax", [scores], ("axis", -1L));
        var mode = x.Node.Int("qk_matmul_output_mode", 0);
        stages[3] = seen is not null && x.Makes(3) && mode == 3 ? x.Mul(weights, seen) : weights;
        x.Output(3, stages[mode]);
        var y = x.Op("MatMul", [weights, v]);
        if (seen is not null) y = x.Mul(y, seen);
        x.Output(0, isFlat ? x.Reshape(x.Transpose(y, 0, 2, 1, 3), 0, 0, -1) : y);
    }

    /// <summary>Pairs of numbers, turned by the angle of their position.</summary>
    public static void Rotary(Expansion x)
    {
        var isFlat = x.Rank(0) == 3;
        var heads = x.Node.Int("num_heads", 0);
        // [N, positions, heads, size]
        var z = isFlat ? x.Reshape(x.In(0), 0, 0, heads, -1) : x.Transpose(x.In(0), 0, 2, 1, 3);
        var size = isFlat ? x.Dims(0)[2] / heads : x.Dims(0)[3];
        var turned = x.Node.Int("rotary_embedding_dim", 0) is > 0 and var given ? given : size;
        string Angles(int input) => x.Unsqueeze(x.InOrNull(3) is { } positions ? x.Op("Gather", [x.In(input), positions], ("axis", 0L)) : x.In(input), 2);
        var (cos, sin) = (Angles(1), Angles(2));
        var pairs = x.Slice(z, 0, turned, 3);
        var interleaved = x.Node.Int("interleaved", 0) != 0;
        // First and second of each pair are neighbours, or half the size apart.
        string Part(long i) => interleaved ? x.Op("Slice", [pairs, x.Ints(i), x.Ints(turned), x.Ints(3), x.Ints(2)]) : x.Slice(pairs, i * turned / 2, (i + 1) * turned / 2, 3);
        var (a, b) = (Part(0), Part(1));
        var real = x.Sub(x.Mul(a, cos), x.Mul(b, sin));
        var imaginary = x.Add(x.Mul(a, sin), x.Mul(b, cos));
        var result = interleaved
            ? x.Op("Reshape", [x.Concat([x.Unsqueeze(real, 4), x.Unsqueeze(imaginary, 4)], 4), x.Ints(0, 0, 0, -1)])
            : x.Concat([real, imaginary], 3);
        if (turned < size) result = x.Concat([result, x.Slice(z, turned, size, 3)], 3);
        x.Output(0, isFlat ? x.Reshape(result, 0, 0, -1) : x.Transpose(result, 0, 2, 1, 3));
    }

    /// <summary>What is added to the scores before the softmax: 0 where a key may be seen, −∞ where not, or the numbers given.</summary>
    private static IEnumerable<string> Masks(Expansion x, long queries, long keys, long past)
    {
        if (x.InOrNull(3) is { } mask)
        {
            if (x.Type(3) == DataType.Bool) mask = Barrier(x, mask);
            // Keys that the mask does not reach are hidden.
            var missing = keys - x.Dims(3)[^1];
            yield return missing > 0 && x.Dims(3)[^1] > 1 ? x.Op("Pad", [mask, x.Ints(0, missing), x.Scalar(float.NegativeInfinity), x.Ints(-1)]) : mask;
        }
        var isCausal = x.Node.Int("is_causal", 0) != 0;
        if (x.InOrNull(6) is not { } lengths)
        {
            if (isCausal) yield return Causal(x, queries, keys, past);
            yield break;
        }
        // [N, 1, 1, 1]: how many keys of each row are there; the last of them is the last query's own.
        var places = x.Ints([.. Enumerable.Range(0, (int)keys).Select(i => (long)i)]);
        var length = x.Unsqueeze(lengths, 1, 2, 3);
        yield return Barrier(x, x.Op("Less", [places, length]));
        if (!isCausal) yield break;
        var last = x.Add(x.Reshape(x.Ints([.. Enumerable.Range(0, (int)queries).Select(i => i - queries)]), queries, 1), length);
        yield return Barrier(x, x.Op("LessOrEqual", [places, last]));
    }

    /// <summary>−∞ for the keys that come after a query.</summary>
    public static string Causal(Expansion x, long queries, long keys, long past)
    {
        var table = new float[queries * keys];
        for (var i = 0; i < table.Length; i++) table[i] = i % keys > i / keys + past ? float.NegativeInfinity : 0;
        return x.Floats(table, queries, keys);
    }

    /// <summary>A query that sees no key has weights of 0, by the specification, and not 0/0: its mask is taken away, and a factor of 0 takes its place.</summary>
    private static (string Mask, string Seen) WithoutHiddenRows(Expansion x, string mask)
    {
        var isHidden = x.Op("Equal", [x.Op("ReduceMax", [mask, x.Ints(-1)]), x.Scalar(float.NegativeInfinity)]);
        return (x.Op("Where", [isHidden, x.Scalar(0f), mask]), x.Cast(x.Op("Not", [isHidden]), DataType.Float));
    }

    private static string Barrier(Expansion x, string seen) => x.Op("Where", [seen, x.Scalar(0f), x.Scalar(float.NegativeInfinity)]);

    /// <summary>[N, positions, heads·size] as [N, heads, positions, size].</summary>
    private static string Heads(Expansion x, int input, string attribute) =>
        x.Rank(input) == 4 ? x.In(input) : x.Transpose(x.Reshape(x.In(input), 0, 0, x.Node.Int(attribute, 1), -1), 0, 2, 1, 3);

    private static long HeadCount(Expansion x, int input, string attribute) => x.Rank(input) == 4 ? x.Dims(input)[1] : x.Node.Int(attribute, 1);

    /// <summary>Every head of keys or values serves a group of neighbouring heads of queries.</summary>
    private static string Repeated(Expansion x, string heads, long times)
    {
        if (times == 1) return heads;
        var stretched = x.Op("Expand", [x.Unsqueeze(heads, 2), x.Ints(1, 1, times, 1, 1)]);
        return x.Op("Reshape", [stretched, x.Op("Concat", [x.Op("Shape", [heads], ("end", 1L)), x.Ints(-1), x.Op("Shape", [heads], ("start", 2L))], ("axis", 0L))]);
    }
}
