using MLNetLinearize.Linearization;
using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Runtime;

/// <summary>What some tensors of a graph take to compute, where some others are given: a graph of its own.</summary>
internal sealed class GraphPart
{
    private readonly Graph graph;
    private readonly List<ValueInfoProto> inputs;

    /// <param name="whole">The graph.</param>
    /// <param name="outputs">Tensors that the part makes, or passes on where they are given.</param>
    /// <param name="elsewhere">Tensors that other parts make.</param>
    public GraphPart(Graph whole, IReadOnlyList<string> outputs, IReadOnlySet<string> elsewhere)
    {
        Outputs = outputs;
        inputs = whole.Inputs;
        graph = whole.Clone();
        graph.Nodes.RemoveAll(n => n.Output.Any(elsewhere.Contains));
        graph.RemoveDead(outputs);
        graph.Outputs.RemoveAll(o => !outputs.Contains(o.Name));
        graph.Outputs.AddRange(outputs.Except(graph.Outputs.Select(o => o.Name)).Select(o => new ValueInfoProto { Name = o }));
        HashSet<string> made = [.. graph.Nodes.SelectMany(n => n.Output), .. graph.Initializers.Keys];
        Given = [.. graph.Nodes.SelectMany(Graph.Reads).Concat(outputs).Distinct().Where(t => !made.Contains(t))];
    }

    /// <summary>Tensors that the part takes: of other parts, and inputs of the whole graph.</summary>
    public IReadOnlyList<string> Given { get; }

    /// <summary>Tensors that the part makes.</summary>
    public IReadOnlyList<string> Outputs { get; }

    /// <summary>The part as a model, whose inputs are <see cref="Given"/> in that order.</summary>
    /// <param name="typeOf">Element type of a tensor that another part makes.</param>
    public ModelProto Model(Func<string, DataType> typeOf)
    {
        var model = graph.ToModel();
        model.Graph.Input.Clear();
        foreach (var tensor in Given)
        {
            var input = inputs.FirstOrDefault(i => i.Name == tensor)?.Clone() ?? new ValueInfoProto { Name = tensor, Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)typeOf(tensor) } } };
            if (Outputs.Contains(tensor))
            {
                // A tensor is not input and output at once.
                input.Name = graph.Fresh($"{GraphNames.Prefix}given/{tensor}");
                model.Graph.Node.Insert(0, Nodes.Create("Identity", [input.Name], [tensor], graph.Fresh($"{GraphNames.Prefix}node/Identity")));
            }
            model.Graph.Input.Add(input);
        }
        return model;
    }
}
