using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Tests.Rules;

/// <summary>Constants that the graph brings into shape, and tensors of the row that it moves.</summary>
internal sealed partial class DrawnNet
{
    /// <summary>A constant of a shape, stored so or made so by nodes that do not depend on the row.</summary>
    private string Constant(int[] shape, bool mayBroadcast = true)
    {
        long[] dims = [.. shape.Select(d => mayBroadcast && random.Next(4) == 0 ? 1L : d)];
        var count = dims.Aggregate(1L, (a, d) => a * d);
        switch (random.Next(8))
        {
            case 0:
                return net.Op("Reshape", [net.Weights(count), net.Ints([.. dims[..^1], -1])]);
            case 1 when mayBroadcast:
                // A leading 1 that is no batch.
                return net.Op("Reshape", [net.Weights(count), net.Ints([1, .. dims])]);
            case 2 when dims.Length == 1 && mayBroadcast:
                return net.Op("Reshape", [net.Weights(count), net.Ints(1, -1)]);
            case 3:
                return net.Op("Transpose", [net.Weights([.. dims.Reverse()])]);
            case 4 when mayBroadcast:
                return Unsqueezed(net.Weights(dims), 0);
            case 5:
                return net.Op("Mul", [net.Weights(dims), net.Op("Add", [net.Weights(dims), net.Scalar(1)])]);
            case 6:
                return net.Op("Cast", [net.Op("Cast", [net.Weights(dims)], ("to", (long)DataType.Double))], ("to", (long)DataType.Float));
            case 7 when dims.Length > 1:
                return net.Op("Expand", [net.Weights([1, .. dims[1..]]), net.Ints(dims)]);
            default:
                return net.Weights(dims);
        }
    }

    private string Unsqueezed(string x, long axis) => Opset >= 13 ? net.Op("Unsqueeze", [x, net.Ints(axis)]) : net.Op("Unsqueeze", [x], ("axes", Net.L(axis)));

    private Tensor Reshaped(Tensor x)
    {
        switch (random.Next(4))
        {
            case 0:
                return new(net.Op("Flatten", [x.Name]), [x.Elements]);
            case 1 when x.Rank < 4:
                var axis = random.Next(x.Rank + 1);
                return new(Unsqueezed(x.Name, axis + 1), [.. x.Shape[..axis], 1, .. x.Shape[axis..]]);
            case 2 when x.Shape.Contains(1) && x.Rank > 1:
                var one = Array.IndexOf(x.Shape, 1);
                var squeezed = Opset >= 13 ? net.Op("Squeeze", [x.Name, net.Ints(one + 1)]) : net.Op("Squeeze", [x.Name], ("axes", Net.L(one + 1)));
                return new(squeezed, [.. x.Shape[..one], .. x.Shape[(one + 1)..]]);
            default:
                return new(net.Op("Reshape", [x.Name, net.Ints(0, -1)]), [x.Elements]);
        }
    }

    private Tensor Moved(Tensor x)
    {
        var axis = random.Next(x.Rank);
        int[] With(int size) => [.. x.Shape[..axis], size, .. x.Shape[(axis + 1)..]];
        switch (random.Next(4))
        {
            case 0:
                int[] order = [.. Enumerable.Range(0, x.Rank)];
                random.Shuffle(order);
                return new(net.Op("Transpose", [x.Name], ("perm", Net.L([0, .. order.Select(i => i + 1L)]))), [.. order.Select(i => x.Shape[i])]);
            case 1 when x.Shape[axis] > 1:
                return new(Opset >= 10
                    ? net.Op("Slice", [x.Name, net.Ints(1), net.Ints(int.MaxValue), net.Ints(axis + 1)])
                    : net.Op("Slice", [x.Name], ("starts", Net.L(1)), ("ends", Net.L(int.MaxValue)), ("axes", Net.L(axis + 1))), With(x.Shape[axis] - 1));
            case 2:
                return new(net.Op("Gather", [x.Name, net.Ints(x.Shape[axis] - 1, 0)], ("axis", axis + 1L)), With(2));
            default:
                long[] pads = new long[2 * (x.Rank + 1)];
                pads[axis + 1] = 1;
                return x.Elements > MostElements ? x : new(Opset >= 11
                    ? net.Op("Pad", [x.Name, net.Ints(pads), net.Floats([0.3f])])
                    : net.Op("Pad", [x.Name], ("pads", pads), ("value", 0.3f)), With(x.Shape[axis] + 1));
        }
    }
}
