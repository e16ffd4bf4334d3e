using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

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

    private static OrtValue Numbers<T>(T[] array, long[] shape) where T : unmanaged =>
        OrtValue.CreateTensorValueFromMemory(OrtMemoryInfo.DefaultInstance, array.AsMemory(0, checked((int)shape.Aggregate(1L, (a, d) => a * d))), shape);

    private static OrtValue Strings(string[] array, long[] shape)
    {
        var value = OrtValue.CreateTensorWithEmptyStrings(OrtAllocator.DefaultInstance, shape);
        for (var i = 0; i < shape.Aggregate(1L, (a, d) => a * d); i++) value.StringTensorSetElementAt(array[i].AsSpan(), i);
        return value;
    }
}
