using System.Globalization;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Canonicalization;

/// <summary>What the inputs' shapes leave open. It is told of all inputs at once, so that it is also given at once.</summary>
internal static class OpenShapes
{
    /// <summary>The dimensions as the model declares them, −1 where it leaves the size open; empty where it declares no shape.</summary>
    public static long[] Declared(TypeProto.Types.Tensor tensor) => tensor.Shape?.Dim.Select(d => d.HasDimValue && d.DimValue > 0 ? d.DimValue : -1).ToArray() ?? [];

    /// <summary>Refuses inputs of unknown rank and inputs one of whose sizes nobody gives; the batch axis may stay open.</summary>
    /// <exception cref="InvalidModelException">Names every such input with its dimensions, and the option that gives them.</exception>
    public static void Refuse(IReadOnlyList<ValueInfoProto> inputs, LinearizeOptions options)
    {
        var open = inputs.Select(i => (i.Name, What: Open(i, options))).Where(o => o.What is not null).ToList();
        if (open.Count == 0) return;
        var told = string.Join(", ", open.Select((o, i) => $"{(i == 0 ? "Input" : "input")} '{o.Name}' {o.What}"));
        var remedy = string.Join(" and ", open.Select(o => $"InputShapes[\"{o.Name}\"]"));
        throw new InvalidModelException($"{told}. Give the sizes in {remedy}, the batch dimension first.");
    }

    private static string? Open(ValueInfoProto input, LinearizeOptions options)
    {
        if (input.Type?.TensorType is not { } tensor) return null;
        var given = options.InputShapes?.GetValueOrDefault(input.Name);
        if (tensor.Shape is null && given is null) return "declares no shape";
        var declared = Declared(tensor);
        var sizes = given is null ? declared : [.. given.Select(d => (long)d)];
        var open = Enumerable.Range(1, Math.Max(0, sizes.Length - 1)).Where(i => sizes[i] < 1).ToList();
        if (open.Count == 0) return null;
        var shape = string.Join(", ", declared.Select((d, i) => d > 0 ? d.ToString(CultureInfo.InvariantCulture) : Symbol(tensor, i)));
        return $"leaves dimension{(open.Count > 1 ? "s" : "")} {string.Join(" and ", open)} of [{shape}] open";
    }

    private static string Symbol(TypeProto.Types.Tensor tensor, int i) => tensor.Shape?.Dim.ElementAtOrDefault(i)?.DimParam is { Length: > 0 } name ? name : "?";
}
