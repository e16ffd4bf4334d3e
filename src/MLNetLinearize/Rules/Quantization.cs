using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Rules;

/// <summary>
/// Rounding to integers, or to floats of 8 bits, has no slope of its own. A quantized network is explained as the float network
/// it stands for: slope 1/scale where x/scale + zero point rounds into the range of the type, 0 where it saturates (the
/// straight-through rule of fake quantization: Bengio et al. 2013, arXiv 1308.3432; Jacob et al. 2018, arXiv 1712.05877);
/// what rounding adds or takes away is an offset, so that W·x + b is still the quantized score.
/// </summary>
internal static class Quantization
{
    public static void Quantize(Vjp v)
    {
        var (e, x, shape) = (v.E, v.In(0), v.OutShape());
        var type = v.Network.Type(v.Node.Output[0]);
        var scaled = e.Div(x, PerAxis(v, v.In(1), 1));
        var inside = IsInside(e, IsFloat(type) ? scaled : Rounded(v.Network, v.Node, e, scaled), type);
        v.Give(0, v.Times(e.Div(v.G, PerAxis(v, v.In(1), 1)), inside));
        v.Offset(v.G, shape, e.Sub(v.Out(), e.Mul(scaled, inside)), shape);
    }

    /// <summary>(q − zero point)·scale.</summary>
    public static void Dequantize(Vjp v)
    {
        var (e, shape) = (v.E, v.OutShape());
        var g = e.Mul(v.G, PerAxis(v, v.In(1), 1));
        v.Give(0, g);
        if (v.HasInput(2)) v.Offset(g, shape, PerAxis(v, e.Cast(v.In(2), DataType.Float), 2), AxisShape(v, 2), -1);
    }

    /// <summary>
    /// Scale and zero point are taken from the row so that nothing saturates. They are held, as a network quantized once and
    /// for all holds them: what they would add cancels when the integers become numbers again.
    /// </summary>
    public static void DynamicQuantize(Vjp v)
    {
        var (e, scale) = (v.E, v.RequireOutput(1));
        v.Give(0, e.Div(v.G, scale));
        v.Offset(v.G, v.OutShape(), e.Sub(v.Out(), e.Div(v.In(0), scale)), v.OutShape());
    }

    /// <summary>
    /// Writes QuantizeLinear and DequantizeLinear out as what they compute: ONNX Runtime's optimizer moves them, and puts integer
    /// kernels in place of the operators between them, whose scores are steps off those of the model as it stands.
    /// </summary>
    public static void WriteOut(CanonicalNetwork network, Emitter e)
    {
        foreach (var node in network.Graph.Nodes.Where(n => n.IsStandard() && n.OpType is "QuantizeLinear" or "DequantizeLinear").ToList())
            e.Restate(node.Output[0], node.OpType == "QuantizeLinear" ? Quantized(network, node, e) : Dequantized(network, node, e));
    }

    private static string Quantized(CanonicalNetwork network, NodeProto node, Emitter e)
    {
        var type = network.Type(node.Output[0]);
        var scaled = e.Div(Number(network, e, node.Input[0]), PerAxis(network, node, e, node.Input[1], 1));
        if (IsFloat(type)) return e.Op("Cast", [scaled], ("to", (long)type), ("saturate", node.Int("saturate", 1)));
        var (low, high) = Ranges[type];
        return e.Cast(e.Op("Clip", [Rounded(network, node, e, scaled), e.Scalar(low), e.Scalar(high)]), type);
    }

    /// <summary>Half steps go to the even one.</summary>
    private static string Rounded(CanonicalNetwork network, NodeProto node, Emitter e, string scaled)
    {
        var rounded = e.Op("Round", [scaled]);
        return node.InputOrNull(2) is { } zero ? e.Add(rounded, PerAxis(network, node, e, Number(network, e, zero), 2)) : rounded;
    }

    private static string Dequantized(CanonicalNetwork network, NodeProto node, Emitter e)
    {
        var value = Number(network, e, node.Input[0]);
        if (node.InputOrNull(2) is { } zero) value = e.Sub(value, PerAxis(network, node, e, Number(network, e, zero), 2));
        return e.Mul(value, PerAxis(network, node, e, node.Input[1], 1));
    }

    private static string Number(CanonicalNetwork network, Emitter e, string tensor) => network.Type(tensor) == DataType.Float ? tensor : e.Cast(tensor, DataType.Float);

    /// <summary>Between float types of 16 bits and more, which are computed as one, nothing; to 8 bits it rounds and saturates.</summary>
    public static void Cast(Vjp v)
    {
        var (e, shape, type) = (v.E, v.OutShape(), v.Network.Type(v.Node.Output[0]));
        if (!IsFloat(type))
        {
            v.Give(0, v.G);
            return;
        }
        var inside = IsInside(e, v.In(0), type);
        v.Give(0, v.Times(v.G, inside));
        v.Offset(v.G, shape, e.Sub(v.Out(), e.Mul(v.In(0), inside)), shape);
    }

    /// <summary>Types that only quantization makes, and that carry a cotangent like float numbers.</summary>
    public static bool IsQuantized(DataType type) => Ranges.ContainsKey(type);

    /// <summary>Floats of 8 bits, which have no zero point but 0.</summary>
    public static bool IsFloat(DataType type) => type is DataType.Float8E4M3Fn or DataType.Float8E4M3Fnuz or DataType.Float8E5M2 or DataType.Float8E5M2Fnuz;

    /// <summary>The finite range of each type (Micikevicius et al. 2022, arXiv 2209.05433, for floats of 8 bits; without negative zero, Noune et al. 2022, arXiv 2206.02915).</summary>
    private static readonly Dictionary<DataType, (float Low, float High)> Ranges = new()
    {
        [DataType.Uint8] = (byte.MinValue, byte.MaxValue),
        [DataType.Int8] = (sbyte.MinValue, sbyte.MaxValue),
        [DataType.Uint16] = (ushort.MinValue, ushort.MaxValue),
        [DataType.Int16] = (short.MinValue, short.MaxValue),
        [DataType.Uint4] = (0, 15),
        [DataType.Int4] = (-8, 7),
        [DataType.Uint2] = (0, 3),
        [DataType.Int2] = (-2, 1),
        [DataType.Float8E4M3Fn] = (-448, 448),
        [DataType.Float8E4M3Fnuz] = (-240, 240),
        [DataType.Float8E5M2] = (-57344, 57344),
        [DataType.Float8E5M2Fnuz] = (-57344, 57344),
    };

    private static string IsInside(Emitter e, string values, DataType type)
    {
        var (low, high) = Ranges[type];
        return e.Indicator(e.Op("And", [e.Op("GreaterOrEqual", [values, e.Scalar(low)]), e.Op("LessOrEqual", [values, e.Scalar(high)])]));
    }

    private static string PerAxis(Vjp v, string values, int input) => PerAxis(v.Network, v.Node, v.E, values, input);

    /// <summary>One number for the tensor, for each index of the axis, or for each block along the axis.</summary>
    private static string PerAxis(CanonicalNetwork network, NodeProto node, Emitter e, string values, int input)
    {
        var (given, shape) = (network.Shape(node.Input[input]), AxisShape(network, node, input));
        if (given.Count == 1) return e.Reshape(values);
        var block = node.Int("block_size", 0);
        if (block == 0) return e.Reshape(values, shape.Dims);
        // Every number is repeated for its block; the last block may be cut short.
        var axis = Structural.Axis(node.Int("axis", 1), shape);
        long[] blocks = [.. given.Dims];
        var repeated = e.Op("Expand", [e.Reshape(values, [.. blocks.Take(axis + 1), 1, .. blocks.Skip(axis + 1)]), e.Ints([.. Enumerable.Repeat(1L, axis + 1), block, .. Enumerable.Repeat(1L, shape.Rank - axis - 1)])]);
        return e.Slice(e.Reshape(repeated, [.. blocks.Take(axis), blocks[axis] * block, .. blocks.Skip(axis + 1)]), 0, shape.Dims[axis], axis);
    }

    private static TensorShape AxisShape(Vjp v, int input) => AxisShape(v.Network, v.Node, input);

    private static TensorShape AxisShape(CanonicalNetwork network, NodeProto node, int input)
    {
        var (shape, given) = (network.Shape(node.Input[0]), network.Shape(node.Input[input]));
        if (given.Count == 1) return new TensorShape([], -1);
        var axis = Structural.Axis(node.Int("axis", 1), shape);
        if (node.Int("block_size", 0) > 0) return new TensorShape([.. shape.Dims.Select((d, i) => i == axis ? d : given.Dims[i])], -1);
        return new TensorShape([given.Count, .. Enumerable.Repeat(1L, shape.Rank - axis - 1)], -1);
    }
}
