using MLNetLinearize.Onnx;

namespace MLNetLinearize.Cli;

/// <summary>Whether labels mean something of the explained tensor: they number the network's outputs, and not the units of an inner tensor.</summary>
internal static class ClassScores
{
    /// <summary>What leaves each score in its place.</summary>
    private static readonly HashSet<string> Kept = ["Softmax", "LogSoftmax", "Sigmoid", "Identity", "Cast", "Flatten", "Reshape", "Squeeze", "Unsqueeze"];

    /// <param name="model">The model.</param>
    /// <param name="explained">The tensor that the user named to be explained; null for the network's scores.</param>
    public static bool Are(ModelProto model, string? explained)
    {
        for (var name = explained; name is not null && model.Graph.Output.All(o => o.Name != name);)
        {
            var readers = model.Graph.Node.Where(n => n.Input.Contains(name)).ToList();
            if (readers is not [var reader] || reader.Input[0] != name || !Kept.Contains(reader.OpType)) return false;
            name = reader.Output[0];
        }
        return true;
    }
}
