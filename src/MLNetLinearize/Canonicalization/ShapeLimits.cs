using System.Globalization;
using System.Numerics;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Canonicalization;

/// <summary>Bounds what a run of the network would allocate, by arithmetic, before it is run: a few bytes of a file can ask for all the memory there is.</summary>
internal static class ShapeLimits
{
    /// <summary>Bytes of an element, where its type is not known.</summary>
    private const int ElementSize = sizeof(float);

    /// <param name="graph">The network.</param>
    /// <param name="inputs">Shapes of its inputs.</param>
    /// <param name="limits">What one run may take.</param>
    /// <exception cref="InvalidModelException">A tensor, or all together, would be larger.</exception>
    public static void Check(Graph graph, IEnumerable<(string Name, long[] Shape)> inputs, CompilationLimits limits)
    {
        var shapes = new KnownShapes(inputs, graph.Initializers);
        var bytes = BigInteger.Zero;
        foreach (var node in graph.Nodes)
        {
            if (shapes.Follow(node) is not { } shape) continue;
            var elements = KnownShapes.Elements(shape);
            if (elements > limits.MaxElements)
                throw Exceeded($"{node.Describe()} makes a tensor of shape {Text(shape)}, of {elements.ToString("N0", CultureInfo.InvariantCulture)} elements", limits.MaxElements, nameof(limits.MaxElements));
            bytes += elements * ElementSize;
            if (bytes > limits.MaxBytes) throw Exceeded($"The tensors of one row, up to that of {node.Describe()}, have {bytes.ToString("N0", CultureInfo.InvariantCulture)} bytes", limits.MaxBytes, nameof(limits.MaxBytes));
        }
    }

    /// <summary>Checks an input of one row.</summary>
    /// <exception cref="InvalidModelException">It is larger.</exception>
    public static void Check(string input, long[] shape, CompilationLimits limits)
    {
        if (Array.Exists(shape, d => d > int.MaxValue) || KnownShapes.Elements(shape) > limits.MaxElements)
            throw Exceeded($"Input '{input}' is of shape {Text(shape)}, of {KnownShapes.Elements(shape).ToString("N0", CultureInfo.InvariantCulture)} elements", limits.MaxElements, nameof(limits.MaxElements));
    }

    private static string Text(long[] shape) => $"[{string.Join(", ", shape)}]";

    private static InvalidModelException Exceeded(string what, long limit, string option) =>
        new($"{what}, and at most {limit.ToString("N0", CultureInfo.InvariantCulture)} are taken. Check the model's sizes, or raise LinearizeOptions.Limits.{option}.") { IsModelSound = true, IsLimit = true };
}
