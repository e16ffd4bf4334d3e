using System.Runtime.InteropServices;
using Google.Protobuf;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Onnx;

/// <summary>Stored tensors to arrays and back. ONNX stores values little-endian in <c>raw_data</c> or typed lists.</summary>
internal static class Tensors
{
    public static DataType ElementType(this TensorProto tensor) => (DataType)tensor.DataType;

    public static long Count(this TensorProto tensor) => tensor.Dims.Aggregate(1L, (a, d) => a * d);

    public static TensorProto Of(string name, ReadOnlySpan<float> values, params ReadOnlySpan<long> dims) => Raw(name, DataType.Float, MemoryMarshal.AsBytes(values), dims);

    public static TensorProto Of(string name, ReadOnlySpan<long> values, params ReadOnlySpan<long> dims) => Raw(name, DataType.Int64, MemoryMarshal.AsBytes(values), dims);

    public static TensorProto Of(string name, ReadOnlySpan<double> values, params ReadOnlySpan<long> dims) => Raw(name, DataType.Double, MemoryMarshal.AsBytes(values), dims);

    public static TensorProto Raw(string name, DataType type, ReadOnlySpan<byte> bytes, ReadOnlySpan<long> dims)
    {
        var tensor = new TensorProto { Name = name, DataType = (int)type, RawData = ByteString.CopyFrom(bytes) };
        foreach (var d in dims) tensor.Dims.Add(d);
        return tensor;
    }

    public static TensorProto OfStrings(string name, IReadOnlyCollection<string> values, params ReadOnlySpan<long> dims)
    {
        var tensor = new TensorProto { Name = name, DataType = (int)DataType.String };
        foreach (var d in dims) tensor.Dims.Add(d);
        tensor.StringData.AddRange(values.Select(ByteString.CopyFromUtf8));
        return tensor;
    }

    /// <summary>Integer, boolean or bool-like values widened to <see cref="long"/>.</summary>
    public static long[] ToInt64(this TensorProto t) => t.ElementType() switch
    {
        DataType.Int64 => t.HasRawData ? MemoryMarshal.Cast<byte, long>(t.RawData.Span).ToArray() : [.. t.Int64Data],
        DataType.Int32 => t.HasRawData ? Widen(MemoryMarshal.Cast<byte, int>(t.RawData.Span)) : [.. t.Int32Data.Select(v => (long)v)],
        DataType.Bool or DataType.Uint8 => t.HasRawData ? [.. t.RawData.Select(v => (long)v)] : [.. t.Int32Data.Select(v => (long)v)],
        DataType.Int8 => t.HasRawData ? [.. t.RawData.Select(v => (long)(sbyte)v)] : [.. t.Int32Data.Select(v => (long)v)],
        var type => throw new InvalidModelException($"Tensor '{t.Name}' holds {type}; integers were expected."),
    };

    /// <summary>Floating-point values as <see cref="float"/>.</summary>
    public static float[] ToSingle(this TensorProto t) => t.ElementType() switch
    {
        DataType.Float => t.HasRawData ? MemoryMarshal.Cast<byte, float>(t.RawData.Span).ToArray() : [.. t.FloatData],
        DataType.Double => [.. t.ToDouble().Select(v => (float)v)],
        DataType.Float16 => [.. Bits16(t).Select(v => (float)BitConverter.UInt16BitsToHalf(v))],
        // bfloat16 is the upper half of a float32.
        DataType.Bfloat16 => [.. Bits16(t).Select(v => BitConverter.UInt32BitsToSingle((uint)v << 16))],
        var type => throw new InvalidModelException($"Tensor '{t.Name}' holds {type}; floating-point numbers were expected."),
    };

    /// <summary>Floating-point values as <see cref="double"/>.</summary>
    public static double[] ToDouble(this TensorProto t) => t.ElementType() switch
    {
        DataType.Double => t.HasRawData ? MemoryMarshal.Cast<byte, double>(t.RawData.Span).ToArray() : [.. t.DoubleData],
        _ => [.. t.ToSingle().Select(v => (double)v)],
    };

    private static ushort[] Bits16(TensorProto t) => t.HasRawData ? MemoryMarshal.Cast<byte, ushort>(t.RawData.Span).ToArray() : [.. t.Int32Data.Select(v => (ushort)v)];

    private static long[] Widen(ReadOnlySpan<int> values)
    {
        var result = new long[values.Length];
        for (var i = 0; i < result.Length; i++) result[i] = values[i];
        return result;
    }
}
