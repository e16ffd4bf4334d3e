using MLNetLinearize.Linearization;
using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Preprocessing;

/// <summary>Writes affine maps as nodes over tensors [N, slots].</summary>
/// <param name="nodes">Writer.</param>
/// <param name="replacesMissing">
/// Whether some stage replaces NaN. Then NaN goes beside the numbers, as a mask, so that where it is replaced the weight is 0
/// and not NaN; and comes back where no stage replaced it.
/// </param>
internal sealed class AffineNodes(FinishNodes nodes, bool replacesMissing)
{
    /// <param name="Value">The numbers, [N, slots], with 0 for NaN where there is a mask.</param>
    /// <param name="Missing">1 for NaN, else 0; null where no stage replaces NaN.</param>
    public readonly record struct Slots(string Value, string? Missing);

    public string ToSingle(string value) => nodes.Add("Cast", [value], ("to", (int)DataType.Float));

    /// <summary>The pixels out of extracted ones. They are whole numbers, so that rounding gives them exactly.</summary>
    public string Pixels(string extracted, AffineMap map, int[] shape)
    {
        var pixels = nodes.Add("Add", [nodes.Add("Div", [extracted, Constant(map.Scale, shape)]), Constant(map.Offset, shape)]);
        return nodes.Add("Round", [pixels]);
    }

    /// <summary>Joins columns to the tensor <paramref name="name"/>, which keeps the shape of an only one, and takes it apart again.</summary>
    public IReadOnlyList<Slots> Join(IReadOnlyList<(string Value, int Length)> parts, string name)
    {
        var length = parts.Sum(p => p.Length);
        var joined = parts.Count == 1 ? parts[0].Value : nodes.Add("Concat", [.. parts.Select(p => Flat(p.Value, p.Length))], ("axis", 1));
        string? missing = null;
        if (replacesMissing)
        {
            var isNaN = nodes.Add("IsNaN", [joined]);
            nodes.Add("Where", [isNaN, Constant([0f]), joined], name);
            missing = Flat(ToSingle(isNaN), length);
        }
        else
        {
            nodes.Add("Identity", [joined], name);
        }
        var flat = Flat(name, length);
        var start = 0;
        return [.. parts.Select(p => (Start: (start += p.Length) - p.Length, p.Length)).Select(p => new Slots(Part(flat, p.Start, p.Length, length), missing is null ? null : Part(missing, p.Start, p.Length, length)))];
    }

    public Slots Concat(IReadOnlyList<Slots> parts) => parts.Count == 1 ? parts[0] : new(
        nodes.Add("Concat", [.. parts.Select(p => p.Value)], ("axis", 1)),
        replacesMissing ? nodes.Add("Concat", [.. parts.Select(p => p.Missing!)], ("axis", 1)) : null);

    public Slots Apply(AffineMap map, Slots x)
    {
        if (map.IsIdentity) return x;
        if (map.Source is null) return Dense(map, x);
        var (value, missing) = (Pick(map, x.Value), x.Missing is null ? null : Pick(map, x.Missing));
        if (map.Offset.Any(o => o != 0)) value = nodes.Add("Sub", [value, Constant(map.Offset, [map.Outputs])]);
        if (map.Scale.Any(s => s != 1)) value = nodes.Add("Mul", [value, Constant(map.Scale, [map.Outputs])]);
        float[] constants = [.. map.Constant.Select((c, i) => map.Source[i] < 0 ? c : 0)];
        if (constants.Any(c => c != 0)) value = nodes.Add("Add", [value, Constant(constants, [map.Outputs])]);
        return missing is not null && map.ReplacesMissing ? Replace(map.Missing!, value, missing) : new(value, missing);
    }

    /// <summary>Writes a tensor under a name and shape, NaN where NaN is left.</summary>
    public void Give(Slots x, long[] shape, string name)
    {
        var value = x.Value;
        // Added, not chosen: the bias takes what is added, and the weights pass.
        if (x.Missing is not null)
            value = nodes.Add("Add", [value, nodes.Add("Where", [nodes.Add("Cast", [x.Missing], ("to", (int)DataType.Bool)), Constant([float.NaN]), Constant([0f])])]);
        nodes.Add("Reshape", [value, nodes.Constant(shape)], name);
    }

    private Slots Dense(AffineMap map, Slots x)
    {
        var product = nodes.Add("MatMul", [x.Value, nodes.Constant(Tensors.Of("", map.Matrix, map.Inputs, map.Outputs))]);
        var value = map.Constant.Any(c => c != 0) ? nodes.Add("Add", [product, Constant(map.Constant, [map.Outputs])]) : product;
        if (x.Missing is null) return new(value, null);
        var any = nodes.Add("ReduceMax", [x.Missing, nodes.Constant([1L])], ("keepdims", 1));
        return new(value, nodes.Add("Mul", [any, nodes.Constant(Tensors.Of("", Enumerable.Repeat(1f, map.Outputs).ToArray(), 1, map.Outputs))]));
    }

    private Slots Replace(float[] replacements, string value, string missing)
    {
        float[] replaced = [.. replacements.Select(r => float.IsFinite(r) ? 1f : 0f)];
        var hit = nodes.Add("Mul", [missing, Constant(replaced, [replaced.Length])]);
        var kept = nodes.Add("Mul", [value, nodes.Add("Sub", [Constant([1f]), hit])]);
        var given = nodes.Add("Mul", [hit, Constant([.. replacements.Select(r => float.IsFinite(r) ? r : 0)], [replaced.Length])]);
        return new(nodes.Add("Add", [kept, given]), nodes.Add("Sub", [missing, hit]));
    }

    private string Pick(AffineMap map, string x) => map.Inputs == map.Outputs && map.Source!.Select((s, i) => s == i).All(same => same)
        ? x
        : nodes.Add("Gather", [x, nodes.Constant([.. map.Source!.Select(s => (long)Math.Max(s, 0))])], ("axis", 1));

    private string Flat(string x, int length) => nodes.Add("Reshape", [x, nodes.Constant([-1L, length])]);

    private string Part(string x, int start, int length, int whole) => length == whole ? x
        : nodes.Add("Slice", [x, nodes.Constant([(long)start]), nodes.Constant([(long)start + length]), nodes.Constant([1L])]);

    /// <summary>One number for all slots where they have the same.</summary>
    private string Constant(float[] values, params int[] shape) => values.Length > 1 && values.All(v => v == values[0])
        ? Constant([values[0]])
        : nodes.Constant(Tensors.Of("", values, [.. shape.Length == 0 ? [values.Length] : shape.Select(d => (long)d)]));
}
