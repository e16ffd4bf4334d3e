using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// Attention as ONNX Runtime's transformer optimizer fuses it (domain com.microsoft), written out as
/// <see cref="AttentionOperators"/> writes the standard one. Equations: ONNX Runtime's documentation of both operators.
/// </summary>
internal static class FusedAttention
{
    private const string Remedy = "export the model before ONNX Runtime's transformer optimizer";

    /// <summary>Self-attention together with the projection that makes queries, keys and values of its input.</summary>
    public static void Attention(Expansion x)
    {
        RefuseAny(x, (4, "a past state"), (6, "a past state"));
        if (x.Node.Int("do_rotary", 0) != 0) throw new ExpansionException("it rotates queries and keys inside", Remedy);
        var projected = x.Op("MatMul", [x.In(0), x.In(1)]);
        if (x.InOrNull(2) is { } bias) projected = x.Add(projected, bias);
        var third = x.Dims(1)[1] / 3;
        var sizes = x.Node.Ints("qkv_hidden_sizes") ?? [third, third, third];
        var parts = Parts(x, projected, sizes, axis: 2);
        var length = x.Dims(0)[1];
        Attend(x, parts, sizes[0], length, length, mask: 3, bias: 5);
    }

    /// <summary>Attention of queries, keys and values that were projected before.</summary>
    public static void MultiHeadAttention(Expansion x)
    {
        RefuseAny(x, (6, "a past state"), (7, "a past state"));
        if (x.Rank(0) != 3 || x.InOrNull(1) is null || x.Rank(1) != 3 || x.InOrNull(2) is null || x.Rank(2) != 3)
            throw new ExpansionException("its queries, keys and values come packed, or by heads", Remedy);
        string[] parts = [x.In(0), x.In(1), x.In(2)];
        if (x.InOrNull(3) is { } bias)
            parts = [.. parts.Zip(Parts(x, bias, [x.Dims(0)[2], x.Dims(1)[2], x.Dims(2)[2]], axis: 0), x.Add)];
        Attend(x, parts, x.Dims(0)[2], x.Dims(0)[1], x.Dims(1)[1], mask: 4, bias: 5);
    }

    private static void Attend(Expansion x, string[] parts, long width, long queries, long keys, int mask, int bias)
    {
        if (x.Makes(1)) throw new ExpansionException("it hands on its state", Remedy);
        var heads = x.Node.Int("num_heads", 1);
        var split = parts.Select(p => x.Transpose(x.Reshape(p, 0, 0, heads, -1), 0, 2, 1, 3)).ToArray();
        var scale = x.Node.Float("scale", 0) is var given && given != 0 ? given : 1 / MathF.Sqrt(width / (float)heads);
        var scores = x.Scaled(x.Op("MatMul", [split[0], x.Transpose(split[1], 0, 1, 3, 2)]), scale);
        if (x.InOrNull(mask) is not null) scores = x.Add(scores, Mask(x, mask, keys));
        if (x.Node.Int("unidirectional", 0) != 0) scores = x.Add(scores, AttentionOperators.Causal(x, queries, keys, past: 0));
        if (x.InOrNull(bias) is { } added) scores = x.Add(scores, added);
        var y = x.Op("MatMul", [x.Op("Softmax", [scores], ("axis", -1L)), split[2]]);
        x.Output(0, x.Reshape(x.Transpose(y, 0, 2, 1, 3), 0, 0, -1));
    }

    /// <summary>0 where a key may be seen, the filter value where not: a mask of keys, of keys by queries, or the number of keys.</summary>
    private static string Mask(Expansion x, int input, long keys)
    {
        var numbers = x.Cast(x.In(input), DataType.Float);
        var seen = x.Dims(input) switch
        {
            [1] => x.Op("Less", [x.Floats([.. Enumerable.Range(0, (int)keys).Select(i => (float)i)], keys), x.Unsqueeze(numbers, 1, 2, 3)]),
            [_, var length] when length == keys => x.Op("Greater", [x.Unsqueeze(numbers, 1, 2), x.Scalar(0)]),
            [_, _, var length] when length == keys => x.Op("Greater", [x.Unsqueeze(numbers, 1), x.Scalar(0)]),
            var dims => throw new ExpansionException($"its mask is [{string.Join(", ", dims)}] for {keys} keys", Remedy),
        };
        return x.Op("Where", [seen, x.Scalar(0), x.Scalar(x.Node.Float("mask_filter_value", -10_000))]);
    }

    private static string[] Parts(Expansion x, string tensor, long[] sizes, long axis)
    {
        var ends = sizes.Select((_, i) => sizes.Take(i + 1).Sum()).ToArray();
        return [.. sizes.Select((size, i) => x.Slice(tensor, ends[i] - size, ends[i], axis))];
    }

    private static void RefuseAny(Expansion x, params ReadOnlySpan<(int Input, string What)> inputs)
    {
        foreach (var (input, what) in inputs)
            if (x.InOrNull(input) is not null) throw new ExpansionException($"it reads {what}", Remedy);
    }
}
