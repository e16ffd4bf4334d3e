using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Runtime;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Linearization;

/// <summary>
/// The way back from <see cref="SavedFinish"/>: the batch graph out of a saved one. The nodes at the edges are taken away,
/// the prefix goes from every name, and inputs and outputs get their batch axis again.
/// </summary>
internal static class SavedGraph
{
    /// <summary>
    /// What a model tells about itself, once its hash shows that it is whole; null where it is none that this library saved. The hash is taken off.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="place">Where it stands, for errors.</param>
    /// <exception cref="InvalidModelException">The model is damaged, or of another version of the library.</exception>
    public static SavedFacts? FactsOf(ModelProto model, string place)
    {
        var isSealed = ModelSeal.Has(model);
        var told = model.MetadataProps.FirstOrDefault(p => p.Key == SavedFinish.MetadataKey);
        if (!isSealed && told is null) return null;
        var (expected, actual) = ModelSeal.Take(model);
        if (isSealed && expected != actual)
            throw new InvalidModelException($"The linearization graph in {place} is damaged: its SHA-256 is {actual}, and was {expected} when it was saved. " +
                "Its numbers cannot be trusted; save the model again from the network it was made of.");
        // A graph that is sealed and tells no more was exported, and serves as any other network.
        if (told is null) return null;
        var facts = SavedFacts.Read(told.Value);
        return isSealed ? facts : throw new InvalidModelException($"The linearization graph in {place} has no hash (metadata '{ModelSeal.Key}'), " +
            "so that nothing shows whether it is as it was saved. Save the model again from the network it was made of.");
    }

    /// <exception cref="InvalidModelException">The metadata does not fit the nodes.</exception>
    public static LinearizationGraph Restore(ModelProto model, SavedFacts facts, LinearizeOptions options)
    {
        OnnxFile.Sound(model, "the saved linearization graph");
        SavedEdges.Check(model, facts);
        var graph = new Graph(model);
        graph.Nodes.RemoveAll(n => n.Name.StartsWith(facts.Prefix + "finish/", StringComparison.Ordinal) || n.Name.StartsWith("mlnet.", StringComparison.Ordinal));
        graph.RemoveDead(facts.Outputs.Select(o => facts.Prefix + o.Output));
        graph.Inputs.Clear();
        graph.Outputs.Clear();

        var inputs = facts.Inputs.Select(i => i.ToGraphInput()).ToList();
        if (options.Targets.Kind == TargetKind.FromColumn) inputs.Add(new GraphInput(OutputNames.Label, typeof(long), [1], true, false));
        var explained = facts.Explained.Select(e => inputs.FirstOrDefault(i => i.Name == e.Name) ?? e.ToGraphInput()).ToList();
        object rows = facts.RowByRow ? 1L : BatchAxis.Symbol;
        foreach (var input in inputs)
            graph.Inputs.Add(Graph.Value(input.Name, OrtArrays.TypeOf(input.ElementType), input.HasBatchAxis ? [rows, .. input.RowShape.Cast<object>()] : input.RowShape.Cast<object>()));
        var restored = graph.ToModel();
        WithoutPrefix(restored.Graph, facts.Prefix);
        foreach (var output in facts.Outputs.Select(o => o.Output).Distinct()) restored.Graph.Output.Add(Output(output, explained, facts.TargetCount, rows));
        foreach (var domain in restored.OpsetImport.Where(o => restored.Graph.Node.All(n => n.Domain != o.Domain) && o.Domain is not ("" or "ai.onnx")).ToList()) restored.OpsetImport.Remove(domain);
        restored.MetadataProps.Remove(restored.MetadataProps.First(p => p.Key == SavedFinish.MetadataKey));
        CheckOutputs(restored.Graph);
        return new LinearizationGraph(restored, inputs, explained, facts.OutputCount, facts.TargetCount, facts.RowByRow, options, facts.Report);
    }

    private static ValueInfoProto Output(string name, IReadOnlyList<GraphInput> explained, int targets, object rows)
    {
        var perInput = explained.Count == 1
            ? name is OutputNames.Attribution or OutputNames.Weights ? explained[0] : null
            : explained.FirstOrDefault(i => name == $"{OutputNames.Attribution}.{i.Name}" || name == $"{OutputNames.Weights}.{i.Name}");
        return Graph.Value(name, name == OutputNames.ExplainedTarget ? DataType.Int64 : DataType.Float, [rows, targets, .. (perInput?.RowShape ?? []).Cast<object>()]);
    }

    private static void WithoutPrefix(GraphProto graph, string prefix)
    {
        string Cut(string name) => name.StartsWith(prefix, StringComparison.Ordinal) ? name[prefix.Length..] : name;
        foreach (var node in graph.Node)
        {
            node.Name = Cut(node.Name);
            for (var i = 0; i < node.Input.Count; i++) node.Input[i] = Cut(node.Input[i]);
            for (var i = 0; i < node.Output.Count; i++) node.Output[i] = Cut(node.Output[i]);
            foreach (var nested in node.Attribute.SelectMany(a => a.Graphs.Concat(a.G is null ? [] : [a.G]))) WithoutPrefix(nested, prefix);
        }
        foreach (var tensor in graph.Initializer) tensor.Name = Cut(tensor.Name);
        foreach (var value in graph.Input.Concat(graph.Output).Concat(graph.ValueInfo)) value.Name = Cut(value.Name);
    }

    private static void CheckOutputs(GraphProto graph)
    {
        var made = graph.Node.SelectMany(n => n.Output).ToHashSet();
        if (graph.Output.FirstOrDefault(o => !made.Contains(o.Name)) is { } missing)
            throw new InvalidModelException($"The saved linearization graph's metadata names the output '{missing.Name}', which no node gives. The file was changed after saving; save the model again.");
    }
}
