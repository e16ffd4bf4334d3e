using Microsoft.ML.OnnxRuntime;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Runtime;

/// <summary>Managed arrays as ONNX Runtime values, without a copy where the element type allows it.</summary>
internal static class OrtArrays
{
    public static OrtValue Wrap(Array array, long[] shape) => array switch
    {
        float[] a => Numbers(a, shape),
        double[] a => Numbers(a, shape),
        long[] a => Numbers(a, shape),
        int[] a => Numbers(a, shape),
        short[] a => Numbers(a, shape),
        sbyte[] a => Numbers(a, shape),
        byte[] a => Numbers(a, shape),
        ushort[] a => Numbers(a, shape),
        uint[] a => Numbers(a, shape),
        ulong[] a => Numbers(a, shape),
        bool[] a => Numbers(a, shape),
        string[] a => Strings(a, shape),
        _ => throw new ArgumentException($"ONNX Runtime takes no {array.GetType().GetElementType()!.Name} tensors."),
    };

    /// <summary>ONNX element type of an array.</summary>
    public static DataType TypeOf(Array array) => array switch
    {
        float[] => DataType.Float,
        double[] => DataType.Double,
        long[] => DataType.Int64,
        int[] => DataType.Int32,
        short[] => DataType.Int16,
        sbyte[] => DataType.Int8,
        byte[] => DataType.Uint8,
        ushort[] => DataType.Uint16,
        uint[] => DataType.Uint32,
        ulong[] => DataType.Uint64,
        bool[] => DataType.Bool,
        string[] => DataType.String,
        _ => throw new ArgumentException($"ONNX has no element type for {array.GetType().GetElementType()!.Name}."),
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
