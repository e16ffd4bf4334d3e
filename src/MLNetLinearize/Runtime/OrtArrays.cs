using Microsoft.ML.OnnxRuntime;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Runtime;

/// <summary>Managed arrays as ONNX Runtime values, without a copy where the element type allows it.</summary>
internal static class OrtArrays
{
    // By type code, never by pattern: the runtime takes a uint[] for an int[] as well.
    public static OrtValue Wrap(Array array, long[] shape) => Type.GetTypeCode(array.GetType().GetElementType()) switch
    {
        TypeCode.Single => Numbers((float[])array, shape),
        TypeCode.Double => Numbers((double[])array, shape),
        TypeCode.Int64 => Numbers((long[])array, shape),
        TypeCode.Int32 => Numbers((int[])array, shape),
        TypeCode.Int16 => Numbers((short[])array, shape),
        TypeCode.SByte => Numbers((sbyte[])array, shape),
        TypeCode.Byte => Numbers((byte[])array, shape),
        TypeCode.UInt16 => Numbers((ushort[])array, shape),
        TypeCode.UInt32 => Numbers((uint[])array, shape),
        TypeCode.UInt64 => Numbers((ulong[])array, shape),
        TypeCode.Boolean => Numbers((bool[])array, shape),
        TypeCode.String => Strings((string[])array, shape),
        _ => throw new ArgumentException($"ONNX Runtime takes no {array.GetType().GetElementType()!.Name} tensors."),
    };

    /// <summary>ONNX element type of an array.</summary>
    public static DataType TypeOf(Array array) => TypeOf(array.GetType().GetElementType()!);

    /// <summary>ONNX element type of a .NET type.</summary>
    public static DataType TypeOf(Type element) => Type.GetTypeCode(element) switch
    {
        TypeCode.Single => DataType.Float,
        TypeCode.Double => DataType.Double,
        TypeCode.Int64 => DataType.Int64,
        TypeCode.Int32 => DataType.Int32,
        TypeCode.Int16 => DataType.Int16,
        TypeCode.SByte => DataType.Int8,
        TypeCode.Byte => DataType.Uint8,
        TypeCode.UInt16 => DataType.Uint16,
        TypeCode.UInt32 => DataType.Uint32,
        TypeCode.UInt64 => DataType.Uint64,
        TypeCode.Boolean => DataType.Bool,
        TypeCode.String => DataType.String,
        _ => throw new ArgumentException($"ONNX has no element type for {element.Name}."),
    };

    /// <summary>.NET type of an ONNX element type, or null where there is none.</summary>
    public static Type? TypeOf(DataType type) => type switch
    {
        DataType.Float => typeof(float),
        DataType.Double => typeof(double),
        DataType.Int64 => typeof(long),
        DataType.Int32 => typeof(int),
        DataType.Int16 => typeof(short),
        DataType.Int8 => typeof(sbyte),
        DataType.Uint8 => typeof(byte),
        DataType.Uint16 => typeof(ushort),
        DataType.Uint32 => typeof(uint),
        DataType.Uint64 => typeof(ulong),
        DataType.Bool => typeof(bool),
        DataType.String => typeof(string),
        _ => null,
    };

    private static OrtValue Numbers<T>(T[] array, long[] shape) where T : unmanaged =>
        OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, array.AsMemory(0, checked((int)shape.Aggregate(1L, (a, d) => a * d))), shape);

    private static OrtValue Strings(string[] array, long[] shape)
    {
        var value = OrtValue.CreateTensorWithEmptyStrings(OrtAllocator.DefaultInstance, shape);
        for (var i = 0; i < shape.Aggregate(1L, (a, d) => a * d); i++) value.StringTensorSetElementAt(array[i].AsSpan(), i);
        return value;
    }
}
