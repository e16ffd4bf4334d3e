namespace MLNetLinearize.Tests.Oracle;

/// <summary>Rounding to integers and back, read straight through: the slope of the network that the quantized one stands for.</summary>
internal static class QuantizationOperators
{
    public static Dual Quantize(OracleNode node)
    {
        var x = node.X;
        var (scale, zero) = (PerAxis(node, 1), PerAxis(node, 2));
        var (low, high) = node.Optional(2) is { IsSignedByte: true } ? (-128.0, 127.0) : (0.0, 255.0);
        var value = x.Value.Select((z, i) => Math.Round(z / scale[i], MidpointRounding.ToEven) + zero[i]).ToArray();
        var inside = value.Select(q => q >= low && q <= high ? 1.0 : 0).ToArray();
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
        var stride = Shapes.Strides(x.Shape)[Shapes.Axis(node.Int("axis", 1), x.Rank)];
        return [.. x.Value.Select((_, i) => given.Value[i / stride % given.Value.Length])];
    }
}
