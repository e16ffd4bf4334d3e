using System.Runtime.InteropServices;
using Microsoft.ML.OnnxRuntime;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Runtime;

/// <summary>Managed arrays as ONNX Runtime values, without a copy where the element type allows it.</summary>
internal static class OrtArrays
{
    /// <summary>The first elements of an array.</summary>
    public static OrtValue Wrap(Array array, long[] shape) => Wrap(array, 0, shape, isPinned: false);

    /// <summary>The elements of an array from <paramref name="start"/> on. Texts are copied, now and with <see cref="SetTexts"/>.</summary>
    /// <param name="array">The array.</param>
    /// <param name="start">First element.</param>
    /// <param name="shape">Shape of the value.</param>
    /// <param name="isPinned">Whether the array never moves, so that the value need not hold it in its place.</param>
    // By type code, never by pattern: the runtime takes a uint[] for an int[] as well.
    public static OrtValue Wrap(Array array, int start, long[] shape, bool isPinned) => Type.GetTypeCode(array.GetType().GetElementType()) switch
    {
        TypeCode.Single => Numbers((float[])array, start, shape, isPinned),
        TypeCode.Double => Numbers((double[])array, start, shape, isPinned),
        TypeCode.Int64 => Numbers((long[])array, start, shape, isPinned),
        TypeCode.Int32 => Numbers((int[])array, start, shape, isPinned),
        TypeCode.Int16 => Numbers((short[])array, start, shape, isPinned),
        TypeCode.SByte => Numbers((sbyte[])array, start, shape, isPinned),
        TypeCode.Byte => Numbers((byte[])array, start, shape, isPinned),
        TypeCode.UInt16 => Numbers((ushort[])array, start, shape, isPinned),
        TypeCode.UInt32 => Numbers((uint[])array, start, shape, isPinned),
        TypeCode.UInt64 => Numbers((ulong[])array, start, shape, isPinned),
        TypeCode.Boolean => Numbers((bool[])array, start, shape, isPinned),
        TypeCode.String => Strings((string[])array, start, shape),
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

    /// <summary>.NET type of ONNX elements by its name, such as <c>Single</c>, or null where there is none.</summary>
    public static Type? TypeNamed(string name) => Enum.GetValues<DataType>().Select(TypeOf).FirstOrDefault(t => t?.Name == name);

    /// <summary>Writes texts into a value over texts.</summary>
    public static void SetTexts(OrtValue value, ReadOnlySpan<string> texts)
    {
        for (var i = 0; i < texts.Length; i++) value.StringTensorSetElementAt(texts[i].AsSpan(), i);
    }

    private static OrtValue Numbers<T>(T[] array, int start, long[] shape, bool isPinned) where T : unmanaged
    {
        var length = Length(shape);
        return OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, isPinned ? MemoryMarshal.CreateFromPinnedArray(array, start, length) : array.AsMemory(start, length), shape);
    }

    private static OrtValue Strings(string[] array, int start, long[] shape)
    {
        var value = OrtValue.CreateTensorWithEmptyStrings(OrtAllocator.DefaultInstance, shape);
        SetTexts(value, array.AsSpan(start, Length(shape)));
        return value;
    }

    private static int Length(long[] shape) => checked((int)shape.Aggregate(1L, (a, d) => a * d));
}
