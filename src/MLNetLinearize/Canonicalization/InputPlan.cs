using MLNetLinearize.Onnx;
using MLNetLinearize.Runtime;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Canonicalization;

/// <summary>How one input is fed: its dimensions for one row, and whether its first axis can count rows.</summary>
internal sealed record InputPlan(string Name, Type ElementType, long[] Dims, bool CanBatch, bool IsFixedAtOne)
{
    /// <summary>Whether the row is sampled as zeros: the network takes no others, such as numbers that count images.</summary>
    public bool IsSampledAsZeros { get; init; }

    /// <summary>Whether the row is sampled between −1 and 1: the network makes whole numbers of it, such as indices, and 0 is always one.</summary>
    public bool IsSampledSmall { get; init; }

    /// <summary>Whether it is a parameter of the row: others are named as explained.</summary>
    public bool IsParameter { get; init; }

    /// <summary>How all of a model's inputs are fed. Whatever their shapes leave open is told in one message.</summary>
    public static List<InputPlan> All(IEnumerable<ValueInfoProto> inputs, LinearizeOptions options)
    {
        List<ValueInfoProto> all = [.. inputs];
        OpenShapes.Refuse(all, options);
        return [.. all.Select(i => Of(i, options))];
    }

    private static InputPlan Of(ValueInfoProto input, LinearizeOptions options)
    {
        var tensor = input.Type?.TensorType ?? throw new InvalidModelException($"Input '{input.Name}' is not a tensor. Only tensor inputs can be fed from columns.") { IsModelSound = true };
        var type = OrtArrays.TypeOf((DataType)tensor.ElemType) ?? throw new InvalidModelException($"Input '{input.Name}' holds {(DataType)tensor.ElemType}, which has no .NET type to be fed from. Convert the model's inputs to float.") { IsModelSound = true };
        var declared = OpenShapes.Declared(tensor);
        var dims = declared;
        if (options.InputShapes?.TryGetValue(input.Name, out var given) == true)
        {
            if (tensor.Shape is not null && given.Count != declared.Length)
                throw new InvalidModelException($"InputShapes gives '{input.Name}' {given.Count} dimensions; the model declares {declared.Length}. Include the batch dimension.");
            dims = [.. given.Select(d => (long)d)];
            for (var i = 1; i < declared.Length; i++)
                if (declared[i] > 0 && declared[i] != dims[i])
                    throw new InvalidModelException($"InputShapes gives dimension {i} of '{input.Name}' the size {dims[i]}; the model fixes it at {declared[i]}. Give sizes for open dimensions only.");
            if (declared.Length == 0) declared = [-1, .. dims.Skip(1)];
        }
        var open = declared.Length > 0 && declared[0] < 1;
        var fixedAtOne = declared.Length > 1 && declared[0] == 1;
        var isParameter = options.ExplainedInputs is { Count: > 0 } explained && !explained.Contains(input.Name);
        var canBatch = fixedAtOne || open && !(isParameter && dims[0] > 1);
        if (canBatch) dims = [1, .. dims.Skip(1)];
        ShapeLimits.Check(input.Name, dims, options.Limits);
        return new InputPlan(input.Name, type, dims, canBatch, fixedAtOne) { IsParameter = isParameter, IsSampledSmall = options.HoldsWholeNumbers };
    }

    /// <summary>The input as callers see it. A leading 1 stays the batch axis also where only one row fits in a run.</summary>
    public GraphInput ToGraphInput(bool explained) => new(Name, ElementType, [.. (CanBatch ? Dims.Skip(1) : Dims).Select(d => checked((int)d))], CanBatch, explained);

    /// <summary>Different rows of normal random numbers: a network that mixes rows would pass on zeros or equal rows.</summary>
    public (string Name, Array Values, long[] Shape) Sample(int rows, int seed)
    {
        long[] shape = CanBatch ? [rows, .. Dims.Skip(1)] : Dims;
        var count = checked((int)shape.Aggregate(1L, (a, d) => a * d));
        var random = new Random(seed);
        var values = Array.CreateInstance(ElementType, count);
        if (values is float[] floats && !IsSampledAsZeros) for (var i = 0; i < count; i++) floats[i] = (float)(IsSampledSmall ? random.NextDouble() * 2 - 1 : Normal(random));
        if (values is string[] strings) Array.Fill(strings, "");
        return (Name, values, shape);
    }

    private static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
