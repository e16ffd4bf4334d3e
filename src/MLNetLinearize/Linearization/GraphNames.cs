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
    private const string NetworkPrefix = "network/";

    private readonly Dictionary<string, string> outputs = [];

    /// <summary>Makes <paramref name="tensor"/> the output <paramref name="name"/>; it keeps its inner name until <see cref="Model"/>.</summary>
    public string Output(string name, string tensor)
    {
        // One tensor can be two outputs only by a copy.
        if (outputs.ContainsValue(tensor) || !tensor.StartsWith(Prefix, StringComparison.Ordinal)) tensor = Copy(tensor);
        outputs.Add(name, tensor);
        return tensor;
    }

    public ModelProto Model(IReadOnlyList<GraphInput> inputs, IReadOnlyList<GraphInput> explained, int targets, int count, bool batched)
    {
        if (inputs.FirstOrDefault(i => outputs.ContainsKey(i.Name)) is { } clash)
            throw new InvalidModelException($"The model's input '{clash.Name}' has the name of an output of the linearization graph. Rename the input.");
        if (inputs.FirstOrDefault(i => i.Name == OutputNames.Label) is { } label)
            graph.Inputs.Add(Graph.Value(label.Name, DataType.Int64, [batched ? BatchAxis.Symbol : 1L, 1L]));
        graph.RemoveDead(outputs.Values);
        Rename([.. inputs.Select(i => i.Name)]);
        graph.Outputs.Clear();
        foreach (var name in outputs.Keys)
        {
            var type = name == OutputNames.ExplainedTarget ? DataType.Int64 : DataType.Float;
            var row = name == OutputNames.Score ? [(long)count] : RowShape(name, explained, targets);
            graph.Outputs.Add(Graph.Value(name, type, [batched ? BatchAxis.Symbol : 1L, .. row.Select(d => (object)d)]));
        }
        var model = graph.ToModel();
        model.ProducerName = "MLNetLinearize";
        model.ProducerVersion = typeof(GraphNames).Assembly.GetName().Version!.ToString(3);
        model.Graph.Name = "linearization";
        return model;
    }

    private static long[] RowShape(string name, IReadOnlyList<GraphInput> explained, int targets)
    {
        var input = explained.Count == 1 ? explained[0] : explained.FirstOrDefault(i => name.EndsWith($".{i.Name}", StringComparison.Ordinal));
        var isMap = name.StartsWith(OutputNames.Attribution, StringComparison.Ordinal) || name.StartsWith(OutputNames.Weights, StringComparison.Ordinal);
        return isMap ? [targets, .. input!.RowShape.Select(d => (long)d)] : [targets];
    }

    private void Rename(HashSet<string> kept)
    {
        var final = outputs.ToDictionary(o => o.Value, o => o.Key);
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
