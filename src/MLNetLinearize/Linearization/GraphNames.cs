using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Linearization;

/// <summary>
/// Names in the finished graph: the documented outputs; <c>network/…</c> for the model's own inner tensors, so that none
/// collides with an output or a column; <c>linearization/…</c> for what was added.
/// </summary>
internal sealed class GraphNames(Graph graph)
{
    public const string Prefix = "linearization/";

    /// <summary>What the model's own tensors and nodes have before their names.</summary>
    public const string NetworkPrefix = "network/";

    private readonly List<(string Name, string Tensor, DataType Type, long[] Row)> outputs = [];

    /// <summary>Makes <paramref name="tensor"/> the output <paramref name="name"/>; it keeps its inner name until <see cref="Model"/>.</summary>
    /// <param name="name">Name of the output.</param>
    /// <param name="tensor">The tensor, [N, row…].</param>
    /// <param name="row">Shape of one row.</param>
    /// <param name="type">Element type.</param>
    public string Output(string name, string tensor, long[] row, DataType type = DataType.Float)
    {
        // One tensor can be two outputs only by a copy.
        if (outputs.Any(o => o.Tensor == tensor) || !tensor.StartsWith(Prefix, StringComparison.Ordinal)) tensor = Copy(tensor);
        outputs.Add((name, tensor, type, row));
        return tensor;
    }

    /// <summary>The finished model: dead nodes gone, names final, inputs and outputs typed.</summary>
    public ModelProto Model(bool batched)
    {
        if (graph.Inputs.FirstOrDefault(i => outputs.Any(o => o.Name == i.Name)) is { } clash)
            throw new InvalidModelException($"The model's input '{clash.Name}' has the name of an output of the linearization graph. Rename the input.") { IsModelSound = true };
        graph.RemoveDead(outputs.Select(o => o.Tensor));
        Rename([.. graph.Inputs.Select(i => i.Name)]);
        graph.Outputs.Clear();
        foreach (var (name, _, type, row) in outputs)
            graph.Outputs.Add(Graph.Value(name, type, [batched ? BatchAxis.Symbol : 1L, .. row.Select(d => (object)d)]));
        var model = graph.ToModel();
        model.ProducerName = "MLNetLinearize";
        model.ProducerVersion = typeof(GraphNames).Assembly.GetName().Version!.ToString(3);
        model.Graph.Name = "linearization";
        foreach (var unused in model.OpsetImport.Where(o => o.Domain is not ("" or "ai.onnx") && model.Graph.Node.All(n => n.Domain != o.Domain)).ToList()) model.OpsetImport.Remove(unused);
        // What no session may see of a model, none may see of us.
        if (Soundness.Objection(model) is { } wrong) throw new InvalidOperationException($"The graph that was made breaks the standard: {wrong}");
        return model;
    }

    private void Rename(HashSet<string> kept)
    {
        var final = outputs.ToDictionary(o => o.Tensor, o => o.Name);
        string Named(string name) =>
            name.Length == 0 || kept.Contains(name) ? name
            : final.TryGetValue(name, out var output) ? output
            : name.StartsWith(Prefix, StringComparison.Ordinal) ? name
            : NetworkPrefix + name;

        foreach (var node in graph.Nodes) Rename(node, Named);
        foreach (var (name, tensor) in graph.Initializers.ToList())
        {
            graph.Initializers.Remove(name);
            graph.Initializers.Add(tensor.Name = Named(name), tensor);
        }
    }

    private static void Rename(NodeProto node, Func<string, string> named)
    {
        for (var i = 0; i < node.Input.Count; i++) node.Input[i] = named(node.Input[i]);
        for (var i = 0; i < node.Output.Count; i++) node.Output[i] = named(node.Output[i]);
        node.Name = named(node.Name);
        foreach (var nested in node.Attribute.SelectMany(a => a.Graphs.Concat(a.G is null ? [] : [a.G])))
        {
            foreach (var tensor in nested.Initializer) tensor.Name = named(tensor.Name);
            foreach (var value in nested.Input.Concat(nested.Output)) value.Name = named(value.Name);
            nested.ValueInfo.Clear();
            foreach (var inner in nested.Node) Rename(inner, named);
        }
    }

    private string Copy(string tensor)
    {
        var copy = graph.Fresh($"{Prefix}output");
        graph.Nodes.Add(Nodes.Create("Identity", [tensor], [copy], graph.Fresh($"{Prefix}node/Identity")));
        return copy;
    }
}
