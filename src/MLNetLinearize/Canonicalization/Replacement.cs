using MLNetLinearize.Onnx;

namespace MLNetLinearize.Canonicalization;

/// <summary>Writes the standard nodes that stand for one node of another spelling.</summary>
internal sealed class Replacement(Graph graph, NodeProto node)
{
    /// <summary>The nodes so far, in order.</summary>
    public List<NodeProto> Nodes { get; } = [];

    /// <summary>Appends a node of one output and gives that output's name.</summary>
    public string Op(string op, string[] inputs, params ReadOnlySpan<(string, object)> attributes)
    {
        var output = graph.Fresh($"{node.Name}/{op}");
        Nodes.Add(Onnx.Nodes.Create(op, inputs, [output], graph.Fresh($"{node.Name}/node/{op}"), attributes));
        return output;
    }

    public string Floats(ReadOnlySpan<float> values, params ReadOnlySpan<long> dims) => graph.AddInitializer(Tensors.Of($"{node.Name}/constant", values, dims));

    /// <summary>One number, which broadcasts to any shape.</summary>
    public string Scalar(float value) => Floats([value]);

    public string Ints(params ReadOnlySpan<long> values) => graph.AddInitializer(Tensors.Of($"{node.Name}/ints", values, values.Length));

    /// <summary>Makes <paramref name="tensor"/> output <paramref name="i"/> of the node.</summary>
    public List<NodeProto> As(int i, string tensor)
    {
        if (i < node.Output.Count && node.Output[i].Length > 0)
            Nodes.Add(Onnx.Nodes.Create("Identity", [tensor], [node.Output[i]], graph.Fresh(node.Name)));
        return Nodes;
    }
}
