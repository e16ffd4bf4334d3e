using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Tests.Oracle;

/// <summary>
/// Elements of quantized networks, as the ONNX specification lays them out: integers of 16, 8, 4 and 2 bits, the first of a
/// byte in its lowest bits, and floats of 8.
/// </summary>
internal static class QuantizedElements
{
    /// <summary>Bits of the mantissa, bias of the exponent, largest finite value.</summary>
    private static readonly Dictionary<DataType, (int Mantissa, int Bias, double Largest)> Floats = new()
    {
        [DataType.Float8E4M3Fn] = (3, 7, 448),
        [DataType.Float8E4M3Fnuz] = (3, 8, 240),
        [DataType.Float8E5M2] = (2, 15, 57344),
        [DataType.Float8E5M2Fnuz] = (2, 16, 57344),
    };

    private static readonly Dictionary<DataType, (int Bits, bool IsSigned)> Integers = new()
    {
        [DataType.Uint16] = (16, false),
        [DataType.Int16] = (16, true),
        [DataType.Uint8] = (8, false),
        [DataType.Int8] = (8, true),
        [DataType.Uint4] = (4, false),
        [DataType.Int4] = (4, true),
        [DataType.Uint2] = (2, false),
        [DataType.Int2] = (2, true),
    };

    public static bool Knows(DataType type) => Floats.ContainsKey(type) || Integers.ContainsKey(type);

    public static bool IsFloat(DataType type) => Floats.ContainsKey(type);

    public static (double Low, double High) Range(DataType type)
    {
        if (Floats.TryGetValue(type, out var format)) return (-format.Largest, format.Largest);
        var (bits, isSigned) = Integers[type];
        return isSigned ? (-Math.Pow(2, bits - 1), Math.Pow(2, bits - 1) - 1) : (0, Math.Pow(2, bits) - 1);
    }

    /// <summary>The nearest value of the type, were its range without end; ties to even.</summary>
    public static double Round(double value, DataType type)
    {
        if (!Floats.TryGetValue(type, out var format)) return Math.Round(value, MidpointRounding.ToEven);
        // The last place of a normal number, and of all that are smaller than the least normal one.
        var exponent = value == 0 ? 1 - format.Bias : Math.Max((int)Math.Floor(Math.Log2(Math.Abs(value))), 1 - format.Bias);
        var step = Math.Pow(2, exponent - format.Mantissa);
        return Math.Round(value / step, MidpointRounding.ToEven) * step;
    }

    public static double[] Read(TensorProto tensor)
    {
        var (type, count) = (tensor.ElementType(), (int)tensor.Count());
        if (!tensor.HasRawData && type is DataType.Uint16 or DataType.Int16) return [.. tensor.Int32Data.Select(v => (double)v)];
        byte[] bytes = tensor.HasRawData ? tensor.RawData.ToByteArray() : [.. tensor.Int32Data.Select(v => unchecked((byte)v))];
        if (Floats.ContainsKey(type)) return [.. bytes.Select(b => Float(b, type))];
        var (bits, isSigned) = Integers[type];
        return [.. Enumerable.Range(0, count).Select(i => (double)Integer(bytes, i, bits, isSigned))];
    }

    private static int Integer(byte[] bytes, int i, int bits, bool isSigned)
    {
        var at = i * bits;
        var word = bits == 16 ? bytes[at / 8] | bytes[at / 8 + 1] << 8 : bytes[at / 8] >> at % 8 & (1 << bits) - 1;
        return isSigned && word >= 1 << bits - 1 ? word - (1 << bits) : word;
    }

    private static double Float(byte code, DataType type)
    {
        var (mantissa, bias, _) = Floats[type];
        var (sign, exponent, fraction) = (code >= 128 ? -1 : 1, (code & 127) >> mantissa, code & (1 << mantissa) - 1);
        return exponent == 0
            ? sign * fraction * Math.Pow(2, 1 - bias - mantissa)
            : sign * (1 + fraction * Math.Pow(2, -mantissa)) * Math.Pow(2, exponent - bias);
    }
}
