using MLNetLinearize.Onnx;
using Dimension = MLNetLinearize.Onnx.TensorShapeProto.Types.Dimension;

namespace MLNetLinearize.Fuzz.Mutations;

/// <summary>A graph's inputs and outputs: missing, twice, renamed, of other types and shapes, or without.</summary>
internal static class InterfaceMutation
{
    public static string Apply(GraphProto graph, Random random)
    {
        var isInput = random.Next(2) == 0;
        var (what, values) = isInput ? ("graph input", graph.Input) : ("graph output", graph.Output);
        if (values.Count == 0 || random.Next(8) == 0)
        {
            values.Add(new ValueInfoProto { Name = Draws.Tensor(graph, random) });
            return $"{what} '{Draws.Shown(values[^1].Name)}' besides";
        }
        var at = random.Next(values.Count);
        var value = values[at];
        what = $"{what} '{Draws.Shown(value.Name)}'";
        switch (random.Next(8))
        {
            case 0:
                values.RemoveAt(at);
                return $"{what} removed";
            case 1:
                values.Insert(at, value.Clone());
                return $"{what} twice";
            case 2:
                value.Name = random.Next(5) == 0 ? "" : Draws.Tensor(graph, random);
                return $"{what} is '{Draws.Shown(value.Name)}'";
            case 3:
                return $"{what} {Retyped(value, random)}";
            default:
                return $"{what} {Reshaped(value, random)}";
        }
    }

    private static string Retyped(ValueInfoProto value, Random random)
    {
        if (random.Next(3) == 0 || value.Type?.TensorType is null)
        {
            value.Type = random.Next(2) == 0 ? null : new TypeProto { SequenceType = new TypeProto.Types.Sequence { ElemType = value.Type?.Clone() } };
            return value.Type is null ? "of no type" : "is a sequence";
        }
        value.Type.TensorType.ElemType = Draws.Type(random);
        return $"of type {value.Type.TensorType.ElemType}";
    }

    private static string Reshaped(ValueInfoProto value, Random random)
    {
        if (value.Type?.TensorType is not { } type) return "has no shape to change";
        if (type.Shape is null || random.Next(6) == 0)
        {
            type.Shape = random.Next(2) == 0 ? null : new TensorShapeProto();
            return type.Shape is null ? "of no shape" : "is a scalar";
        }
        var dims = type.Shape.Dim;
        if (dims.Count > 0 && random.Next(4) == 0)
        {
            dims.RemoveAt(random.Next(dims.Count));
            return "has an axis less";
        }
        var dim = random.Next(4) switch
        {
            0 => new Dimension { DimParam = Draws.Of(random, ["N", "M", "batch", ""]) },
            1 => new Dimension(),
            _ => new Dimension { DimValue = Draws.Integer(random) },
        };
        var at = dims.Count == 0 ? 0 : random.Next(dims.Count);
        if (dims.Count == 0 || random.Next(4) == 0) dims.Insert(at, dim);
        else dims[at] = dim;
        return $"has axis {at} of {(dim.HasDimValue ? dim.DimValue : $"'{dim.DimParam}'")}";
    }
}
