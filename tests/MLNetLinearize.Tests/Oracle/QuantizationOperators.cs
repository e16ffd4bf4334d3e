using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Tests.Oracle;

/// <summary>Rounding to integers and back, read straight through: the slope of the network that the quantized one stands for.</summary>
internal static class QuantizationOperators
{
    public static Dual Quantize(OracleNode node) =>
        Rounded(node.X, PerAxis(node, 1), PerAxis(node, 2), node.Optional(2)?.StoredAs ?? (DataType)node.Int("output_dtype", (long)DataType.Uint8));

    /// <summary>To floats of 8 bits.</summary>
    public static Dual Cast(OracleNode node, DataType to) => Rounded(node.X, [.. node.X.Value.Select(_ => 1.0)], new double[node.X.Value.Length], to);

    /// <summary>Scale and zero point so that 0 and all elements fit into 0 to 255, and are held.</summary>
    public static IReadOnlyList<Dual> Dynamic(OracleNode node)
    {
        // In single precision, as the integers are to be the same ones.
        var (low, high) = ((float)Math.Min(0, node.X.Value.Min()), (float)Math.Max(0, node.X.Value.Max()));
        var scale = (high - low) / 255;
        var zero = Math.Clamp(Math.Round(-low / scale, MidpointRounding.ToEven), 0, 255);
        var y = Rounded(node.X, [.. node.X.Value.Select(_ => (double)scale)], [.. node.X.Value.Select(_ => zero)], DataType.Uint8);
        return [y, Dual.Scalar(scale), new Dual([], [zero], null, true)];
    }

    public static Dual Convolution(OracleNode node)
    {
        var bias = node.Optional(8) is { } b ? new Dual(b.Shape, [.. b.Value.Select((v, i) => v * node[1].Value[0] * node[4].Value[i % node[4].Value.Length])]) : null;
        var product = ConvolutionOperators.Conv(node.With(Float(node, 0, 1), Float(node, 3, 0), bias));
        return Requantized(node, product);
    }

    public static Dual MatrixProduct(OracleNode node) => Requantized(node, MatrixOperators.Multiply(Float(node, 0, node.X.Rank - 2), Float(node, 3, node[3].Rank - 1)));

    public static Dual IntegerConvolution(OracleNode node) => ConvolutionOperators.Conv(node.With(Centred(node, 0, 2), Centred(node, 1, 3)));

    /// <summary>Integers less their zero point.</summary>
    public static Dual Centred(OracleNode node, int input, int zero)
    {
        var x = new Dual(node[input].Shape, node[input].Value, node[input].Columns);
        return node.Optional(zero) is { } point ? x - new Dual(point.Shape, point.Value) : x;
    }

    private static Dual Requantized(OracleNode node, Dual product) =>
        Rounded(product, [.. product.Value.Select(_ => node[6].Value[0])], [.. product.Value.Select(_ => node[7].Value[0])], node[7].StoredAs);

    /// <summary>Integers, their scale and zero point as numbers.</summary>
    private static Dual Float(OracleNode node, int i, int axis)
    {
        var x = new Dual(node[i].Shape, node[i].Value, node[i].Columns);
        Dual Along(Dual v) => new(v.Value.Length == 1 ? [] : [v.Value.Length, .. Enumerable.Repeat(1, x.Rank - 1 - axis)], v.Value);
        return (x - Along(node[i + 2])) * Along(node[i + 1]);
    }

    private static Dual Rounded(Dual x, double[] scale, double[] zero, DataType type)
    {
        var (low, high) = QuantizedElements.Range(type);
        double[] value = [.. x.Value.Select((z, i) => QuantizedElements.Round(z / scale[i], type) + zero[i])];
        // A float saturates by itself, an integer by what it would round to.
        var inside = value.Select((q, i) => (QuantizedElements.IsFloat(type) ? x.Value[i] / scale[i] : q) is var at && at >= low && at <= high ? 1.0 : 0).ToArray();
        double[] clipped = [.. value.Select(q => Math.Clamp(q, low, high))];
        if (x.Columns is null) return new(x.Shape, clipped);
        var columns = x.Columns.Select((column, c) => column.Select((d, i) => d * inside[i] / scale[i] + (c == x.Columns.Length - 1 ? clipped[i] - x.Value[i] * inside[i] / scale[i] : 0)).ToArray());
        return new(x.Shape, clipped, [.. columns]);
    }

    public static Dual Dequantize(OracleNode node) => (new Dual(node.X.Shape, node.X.Value, node.X.Columns) - new Dual(node.X.Shape, PerAxis(node, 2))) * new Dual(node.X.Shape, PerAxis(node, 1));

    private static double[] PerAxis(OracleNode node, int input)
    {
        var x = node.X;
        if (node.Optional(input) is not { } given) return new double[x.Value.Length];
        if (given.Value.Length == 1) return [.. x.Value.Select(_ => given.Value[0])];
        if ((int)node.Int("block_size", 0) is > 0 and var block)
        {
            var (along, strides) = (Shapes.Axis(node.Int("axis", 1), x.Rank), Shapes.Strides(given.Shape));
            return [.. Shapes.Map(x.Shape, at => Shapes.Flat(at.With(along, at[along] / block), strides)).Select(k => given.Value[k])];
        }
        var stride = Shapes.Strides(x.Shape)[Shapes.Axis(node.Int("axis", 1), x.Rank)];
        return [.. x.Value.Select((_, i) => given.Value[i / stride % given.Value.Length])];
    }
}
