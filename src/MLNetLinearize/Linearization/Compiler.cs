using MLNetLinearize.Onnx;

namespace MLNetLinearize.Linearization;

internal static class Compiler
{
    public static LinearizationGraph Compile(ModelProto model, LinearizeOptions options) => throw new NotSupportedException();
}
