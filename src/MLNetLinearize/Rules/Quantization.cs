using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Rules;

/// <summary>
/// Rounding to integers has no slope of its own. A quantized network is explained as the float network it stands for: slope
/// 1/scale where x/scale + zero point rounds into the range of the type, 0 where it saturates (the straight-through rule of
/// fake quantization); what rounding adds or takes away is an offset, so that W·x + b is still the quantized score.
/// </summary>
internal static class Quantization
{
    public static void Quantize(Vjp v)
    {
        var (e, x, shape) = (v.E, v.In(0), v.OutShape());
        var (low, high) = Range(v.Network.Type(v.Out()));
        var scaled = e.Div(x, PerAxis(v, v.In(1), 1));
        var rounded = e.Op("Round", [scaled]);
        if (v.HasInput(2)) rounded = e.Add(rounded, PerAxis(v, e.Cast(v.In(2), DataType.Float), 2));
        var inside = e.Indicator(e.Op("And", [e.Op("GreaterOrEqual", [rounded, e.Scalar(low)]), e.Op("LessOrEqual", [rounded, e.Scalar(high)])]));
        v.Give(0, e.Mul(e.Div(v.G, PerAxis(v, v.In(1), 1)), inside));
        v.Offset(v.G, shape, e.Sub(e.Cast(v.Out(), DataType.Float), e.Mul(scaled, inside)), shape);
    }

    /// <summary>(q − zero point)·scale.</summary>
    public static void Dequantize(Vjp v)
    {
        var (e, shape) = (v.E, v.OutShape());
        var g = e.Mul(v.G, PerAxis(v, v.In(1), 1));
        v.Give(0, g);
        if (v.HasInput(2)) v.Offset(g, shape, PerAxis(v, e.Cast(v.In(2), DataType.Float), 2), AxisShape(v, 2), -1);
    }

    public static (string Reason, string Remedy)? WholeAxesOnly(NodeProto node) => node.Int("block_size", 0) == 0 ? null : ("it is quantized in blocks", "quantize by tensor or by axis");

    /// <summary>Types that only quantization makes, and that carry a cotangent like float numbers.</summary>
    public static bool IsQuantized(DataType type) => type is DataType.Uint8 or DataType.Int8 or DataType.Uint16 or DataType.Int16;

    private static (float Low, float High) Range(DataType type) => type switch
    {
        DataType.Uint8 => (byte.MinValue, byte.MaxValue),
        DataType.Int8 => (sbyte.MinValue, sbyte.MaxValue),
        DataType.Uint16 => (ushort.MinValue, ushort.MaxValue),
        DataType.Int16 => (short.MinValue, short.MaxValue),
        _ => throw new RuleException($"it quantizes to {type}", "quantize to 8 or 16 bits"),
    };

    /// <summary>One number for the tensor, or one for each index of the axis.</summary>
    private static string PerAxis(Vjp v, string values, int input) => v.InShape(input).Count == 1 ? v.E.Reshape(values) : v.E.Reshape(values, AxisShape(v, input).Dims);

    private static TensorShape AxisShape(Vjp v, int input)
    {
        var (shape, count) = (v.InShape(0), v.InShape(input).Count);
        if (count == 1) return new TensorShape([], -1);
        var axis = Structural.Axis(v.Node.Int("axis", 1), shape);
        return new TensorShape([count, .. Enumerable.Repeat(1L, shape.Rank - axis - 1)], -1);
    }
}
