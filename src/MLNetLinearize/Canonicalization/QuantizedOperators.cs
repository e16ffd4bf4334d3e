using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Canonicalization;

/// <summary>
/// Operators on 8-bit integers in the spelling of quantized networks that keeps the float operator visible (DequantizeLinear,
/// the operator, QuantizeLinear). A product of integers may come out one step of the scale off where it lies between two steps.
/// </summary>
internal static class QuantizedOperators
{
    /// <summary>ONNX Runtime's own QuantizeLinear and DequantizeLinear, which took 16-bit integers before the standard's did, as the standard's.</summary>
    /// <returns>Whether there were any.</returns>
    public static bool Standardize(Graph graph)
    {
        var own = graph.Nodes.Where(n => n.Domain == "com.microsoft" && n.OpType is "QuantizeLinear" or "DequantizeLinear").ToList();
        foreach (var node in own) node.Domain = "";
        return own.Count > 0;
    }

    /// <summary>x, its scale and zero point; w likewise; scale and zero point of y; bias in units of both scales.</summary>
    public static void Convolution(Expansion x)
    {
        var product = x.Op("Conv", [Float(x, 0), Float(x, 3, 0)], [.. Attributes(x.Node)]);
        if (x.InOrNull(8) is { } bias)
        {
            // Per channel, behind the batch axis.
            var scaled = x.Mul(x.Cast(bias, DataType.Float), x.Mul(x.In(1), x.In(4)));
            product = x.Add(product, x.Reshape(scaled, [-1, .. Enumerable.Repeat(1L, x.Rank(0) - 2)]));
        }
        x.Output(0, x.Op("QuantizeLinear", [product, x.In(6), x.In(7)]));
    }

    /// <summary>a and b with scale and zero point each, for the whole or for a's rows and b's columns; then those of y.</summary>
    public static void MatrixProduct(Expansion x) =>
        x.Output(0, x.Op("QuantizeLinear", [x.Op("MatMul", [Float(x, 0, x.Rank(0) - 2), Float(x, 3, x.Rank(3) - 1)]), x.In(6), x.In(7)]));

    public static void IntegerConvolution(Expansion x) => Integers(x, (a, b) => x.Op("Conv", [a, b], [.. Attributes(x.Node)]), [-1, .. Enumerable.Repeat(1L, x.Rank(1) - 1)]);

    public static void IntegerMatrixProduct(Expansion x) => Integers(x, (a, b) => x.Op("MatMul", [a, b]), [-1]);

    /// <summary>A product of integers without scales: in float, as what follows it until it is made float.</summary>
    private static void Integers(Expansion x, Func<string, string, string> product, long[] perChannel)
    {
        if (IntegerSums.Objection(x.Graph, x.Node.Output[0]) is { } why) throw new ExpansionException(why.Reason, why.Remedy);
        string Centred(int input, int zero, long[] shape)
        {
            var values = x.Cast(x.In(input), DataType.Float);
            if (x.InOrNull(zero) is not { } point) return values;
            var centre = x.Cast(point, DataType.Float);
            return x.Sub(values, x.Rank(zero) == 0 ? centre : x.Reshape(centre, shape));
        }
        x.Output(0, product(Centred(0, 2, [-1, 1]), Centred(1, 3, perChannel)));
    }

    /// <summary>The float numbers that input <paramref name="i"/>, scale and zero point stand for.</summary>
    private static string Float(Expansion x, int i, long axis = 1) => x.Op("DequantizeLinear", [x.In(i), x.In(i + 1), x.In(i + 2)], ("axis", axis));

    private static IEnumerable<(string, object)> Attributes(NodeProto node)
    {
        foreach (var name in new[] { "dilations", "kernel_shape", "pads", "strides" })
            if (node.Ints(name) is { } values) yield return (name, values);
        yield return ("group", node.Int("group", 1));
        yield return ("auto_pad", node.Text("auto_pad", "NOTSET"));
    }
}
