using Microsoft.ML.OnnxRuntime.Tensors;
using MLNetLinearize.Runtime;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Tests.Runtime;

public class OrtArraysTests
{
    [Fact]
    public void UnsignedArraysAreNotTakenForSignedOnes()
    {
        Assert.Equal(DataType.Uint32, OrtArrays.TypeOf(new uint[1]));
        Assert.Equal(DataType.Uint64, OrtArrays.TypeOf(new ulong[1]));
        Assert.Equal(DataType.Uint16, OrtArrays.TypeOf(new ushort[1]));
        Assert.Equal(DataType.Uint8, OrtArrays.TypeOf(new byte[1]));
        Assert.Equal(DataType.Int8, OrtArrays.TypeOf(new sbyte[1]));
        using var value = OrtArrays.Wrap(new uint[] { 3 }, [1]);
        Assert.Equal(TensorElementType.UInt32, value.GetTensorTypeAndShape().ElementDataType);
    }
}
