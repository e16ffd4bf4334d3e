using MLNetLinearize.Onnx;
using MLNetLinearize.Rules;

namespace MLNetLinearize.Linearization;

/// <summary>
/// What was emitted for one turn of a loop, taken out of the graph: all that depends on the turn. Masks in ONNX Runtime's blocked
/// layout, which no tensor keeps on its way into a loop, and what is computed from stored weights alone, which ONNX Runtime folds
/// within a graph, are made in the body again; all else is read from the graph around it.
/// </summary>
internal sealed class LoopBody
{
    private readonly Emitter e;
    private readonly Dictionary<string, string> copies = [];
    private readonly Dictionary<string, bool> isStored = [];

    /// <param name="e">Writer of the graph.</param>
    /// <param name="added">Number of nodes that were there before.</param>
    /// <param name="turn">The loop's input.</param>
    public LoopBody(Emitter e, int added, string turn)
    {
        this.e = e;
        var inside = new HashSet<string> { turn };
        var nodes = e.Graph.Nodes;
        e.Graph.Nodes = [.. nodes.Take(added)];
        foreach (var node in nodes.Skip(added))
        {
            if (node.Input.Any(inside.Contains))
            {
                inside.UnionWith(node.Output);
                for (var i = 0; i < node.Input.Count; i++)
                    if (!inside.Contains(node.Input[i])) node.Input[i] = Within(node.Input[i]);
                Graph.Node.Add(node);
            }
            else e.Graph.Nodes.Add(node);
        }
    }

    public GraphProto Graph { get; } = new() { Name = "targets" };

    /// <summary>A name of the body for what a turn gives back.</summary>
    public string Result(string tensor)
    {
        var result = e.Graph.Fresh($"{GraphNames.Prefix}result");
        Graph.Node.Add(Nodes.Create("Identity", [tensor], [result], e.Graph.Fresh($"{GraphNames.Prefix}node/Identity")));
        return result;
    }

    private string Within(string tensor)
    {
        if (copies.TryGetValue(tensor, out var copy)) return copy;
        if (e.Maker(tensor) is not { } maker || !(IsStored(tensor) || BlockedLayout.IsOfMask(e, tensor))) return copies[tensor] = tensor;
        return copies[tensor] = Copy(maker);
    }

    private string Copy(NodeProto maker)
    {
        var node = maker.Clone();
        for (var i = 0; i < node.Input.Count; i++)
            node.Input[i] = Within(node.Input[i]);
        node.Output[0] = e.Graph.Fresh(maker.Output[0]);
        node.Name = e.Graph.Fresh(maker.Name);
        Graph.Node.Add(node);
        return node.Output[0];
    }

    /// <summary>Whether a tensor is computed from stored ones alone.</summary>
    private bool IsStored(string tensor)
    {
        if (tensor.Length == 0 || e.Graph.Initializers.ContainsKey(tensor)) return true;
        if (isStored.TryGetValue(tensor, out var known)) return known;
        return isStored[tensor] = e.Maker(tensor) is { } maker && maker.Input.All(IsStored);
    }
}
