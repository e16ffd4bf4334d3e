using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Tests.Rules;

/// <summary>What is not defined everywhere and the guards around it, masks and casts.</summary>
internal sealed partial class DrawnNet
{
    /// <summary>
    /// A function that has an edge, where it or its slope is not finite, and a guard that keeps it away from there, in one of the ways that people write.
    /// </summary>
    private Tensor Guarded(Tensor x)
    {
        var z = x.Name;
        var guarded = random.Next(10) switch
        {
            0 => Where(Above(z), OnPositive(z), net.Op("Neg", [z])),
            1 => Where(Above(z), Clipped(OnPositive(z), -2, 2), net.Op("Mul", [z, net.Scalar(2)])),
            2 => net.Op("Max", [net.Op("Log", [net.Op("Abs", [z])]), net.Scalar(-1)]),
            3 => net.Op("Min", [net.Op("Exp", [net.Op("Mul", [z, net.Scalar(Of(3f, 200f))])]), net.Scalar(5)]),
            4 => Clipped(net.Op(Of("Log", "Reciprocal", "Sqrt"), [net.Op("Abs", [z])]), -1, 1.5f),
            5 => OnPositive(net.Op("Max", [z, net.Scalar(0.1f)])),
            6 => net.Op("Sqrt", [net.Op("Relu", [z])]),
            7 => net.Op(Opset < 10 ? "HardSigmoid" : Of("HardSigmoid", "Relu", "ThresholdedRelu", "Sigmoid"), [net.Op("Log", [net.Op("Abs", [z])])]),
            8 => Inside(z),
            // What was computed from a number that is none is replaced.
            _ => Where(net.Op("IsNaN", [net.Op("Log", [z])]), z, Where(Above(z), net.Op("Log", [z]), net.Scalar(-3))),
        };
        return x with { Name = guarded };
    }

    /// <summary>A function of positive numbers.</summary>
    private string OnPositive(string z) => random.Next(5) switch
    {
        0 => net.Op("Log", [z]),
        1 => net.Op("Sqrt", [z]),
        2 => net.Op("Reciprocal", [net.Op("Add", [z, net.Scalar(0.2f)])]),
        3 => net.Op("Pow", [z, net.Scalar(Of(0.3f, 1.5f, 0.5f))]),
        _ => net.Op("Mul", [net.Op("Log", [z]), net.Op("Sqrt", [z])]),
    };

    /// <summary>A function of numbers between −1 and 1.</summary>
    private string Inside(string z) => net.Op(Of("Asin", "Acos", "Atanh"), [Clipped(net.Op("Mul", [z, net.Scalar(0.6f)]), -0.9f, 0.9f)]);

    private string Above(string z) => net.Op("Greater", [z, net.Scalar(Of(0f, 0.25f))]);

    private string Where(string condition, string then, string otherwise) => net.Op("Where", [condition, then, otherwise]);

    private Tensor Masked(Tensor x)
    {
        var shape = x.Shape[random.Next(x.Rank)..];
        var mask = net.Booleans([.. Enumerable.Range(0, shape.Aggregate(1, (a, d) => a * d)).Select(_ => random.Next(3) > 0)], [.. shape.Select(d => (long)d)]);
        switch (random.Next(5))
        {
            case 0:
                return x with { Name = Where(mask, x.Name, net.Scalar(Of(0f, -1f))) };
            case 1:
                return x with { Name = net.Op("Mul", [x.Name, net.Op("Cast", [mask], ("to", 1L))]) };
            case 2:
                // An edge under a mask: what is multiplied by 0 does not count.
                return x with { Name = net.Op("Mul", [net.Op("Sqrt", [net.Op("Abs", [x.Name])]), net.Op("Cast", [net.Op("And", [mask, mask])], ("to", 1L))]) };
            case 3:
                // Of each line at least the first element is seen.
                float[] hidden = [.. Enumerable.Range(0, x.Shape[^1]).Select(i => i == 0 || random.Next(2) == 0 ? 0 : Of(float.NegativeInfinity, -1e9f))];
                return x with { Name = net.Op("Softmax", [net.Op("Add", [x.Name, net.Floats(hidden, hidden.Length)])], ("axis", (long)x.Rank)) };
            default:
                return x with { Name = Where(net.Op("Not", [net.Op("Less", [x.Name, net.Scalar(0.1f)])]), x.Name, net.Op("Mul", [x.Name, net.Scalar(0.3f)])) };
        }
    }

    private Tensor Cast(Tensor x)
    {
        string To(string z, DataType type) => net.Op("Cast", [z], ("to", (long)type));
        return x with
        {
            Name = random.Next(4) switch
            {
                0 => To(net.Op("Add", [To(x.Name, DataType.Double), To(net.Scalar(0.5f), DataType.Double)]), DataType.Float),
                1 => net.Op("Add", [x.Name, To(To(x.Name, DataType.Int64), DataType.Float)]),
                2 => net.Op("Mul", [x.Name, To(Above(x.Name), DataType.Float)]),
                _ => net.Op("Sub", [x.Name, To(To(net.Op("Floor", [x.Name]), DataType.Int32), DataType.Float)]),
            },
        };
    }
}
