using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// Losses of scores [N, classes, …] against labels [N, …], which are parameters of the row: the label's score is picked by a
/// one-hot mask, weighed, and reduced. Equations: the ONNX specification of both operators.
/// </summary>
internal static class Losses
{
    public static void NegativeLogLikelihood(Expansion x) => x.Output(0, Reduced(x, x.In(0)));

    /// <summary>Of the logarithm of a softmax over the classes, which is the second output.</summary>
    public static void SoftmaxCrossEntropy(Expansion x)
    {
        var logarithms = x.Op("LogSoftmax", [x.In(0)], ("axis", 1L));
        x.Output(0, Reduced(x, logarithms));
        x.Output(1, logarithms);
    }

    private static string Reduced(Expansion x, string logarithms)
    {
        // A label that is no class, as the one to ignore may be, is one-hot nowhere.
        var mask = x.Op("OneHot", [x.In(1), x.Ints(x.Dims(0)[1]), x.Floats([0, 1], 2)], ("axis", 1L));
        if (x.Node.Has("ignore_index"))
        {
            var ignored = x.Op("Equal", [x.Cast(x.In(1), DataType.Int64), x.Ints(x.Node.Int("ignore_index", 0))]);
            mask = x.Mul(mask, x.Unsqueeze(x.Cast(x.Op("Not", [ignored]), DataType.Float), 1));
        }
        if (x.InOrNull(2) is { } weights) mask = x.Mul(mask, x.Reshape(weights, [x.Dims(0)[1], .. Enumerable.Repeat(1L, x.Rank(0) - 2)]));
        var reduction = x.Node.Text("reduction", "mean");
        var losses = x.Op("Neg", [x.Mul(logarithms, mask)]);
        if (reduction == "none") return x.Op("ReduceSum", [losses, x.Ints(1)], ("keepdims", 0L));
        var sum = x.Op("ReduceSum", [losses], ("keepdims", 0L));
        return reduction == "sum" ? sum : x.Op("Div", [sum, x.Op("ReduceSum", [mask], ("keepdims", 0L))]);
    }
}
