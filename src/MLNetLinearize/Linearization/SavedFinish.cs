using MLNetLinearize.Onnx;
using MLNetLinearize.Runtime;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Linearization;

/// <summary>An input of the model and the column that feeds it.</summary>
internal sealed record SavedInput(GraphInput Input, string Column);

/// <summary>
/// A graph output and the column that shows it; <paramref name="Top"/> keeps only so many largest values of each
/// <paramref name="PerTarget"/>, <paramref name="Groups"/> gives the slot of the column that each of them is added to.
/// </summary>
internal sealed record SavedOutput(string Column, string Output, IReadOnlyList<int> Shape, IReadOnlyList<string>? SlotNames, int? Top, int PerTarget, int[]? Groups = null);

/// <summary>
/// The linearization graph as ML.NET's ONNX stage takes it: one row, no batch axis in the outputs (the stage makes a vector
/// type of the whole shape), inputs and outputs named as the columns. The batch graph stands in it unchanged but for a
/// prefix on every name: <see cref="SavedGraph"/> takes away the nodes under <see cref="Prefix"/> + <c>finish/</c> and renames, and it is back.
/// </summary>
internal static class SavedFinish
{
    public const string Prefix = "mlnetlinearize/";

    /// <summary>Key of the model's metadata under which the facts for the way back stand, as JSON.</summary>
    public const string MetadataKey = "mlnetlinearize";

    // The first that knows operator set 19.
    private const int IrVersion = 9;

    public static ModelProto Build(LinearizationGraph graph, IReadOnlyList<SavedInput> inputs, IReadOnlyList<SavedOutput> outputs, SavedLabel? label)
    {
        var prefix = Prefix;
        while (inputs.Select(i => i.Column).Concat(outputs.Select(o => o.Column)).Append(label?.Column ?? "").Any(c => c.StartsWith(prefix, StringComparison.Ordinal)))
            prefix = "_" + prefix;
        var g = new Graph(Prefixed(graph.Model, prefix));
        g.RemoveDead(outputs.Select(o => prefix + o.Output));
        g.Inputs.Clear();
        g.Outputs.Clear();
        var finish = new FinishNodes(g, prefix + "finish/");
        foreach (var input in inputs) AddInput(g, finish, input, prefix);
        if (label is not null)
        {
            // From 18, the least that the compiler writes, to 19 the operators only gained types and attributes.
            if (g.Opset < label.Opset) (g.Opset, g.Header.IrVersion) = (label.Opset, Math.Max(g.Header.IrVersion, IrVersion));
            label.AddTo(finish, prefix + OutputNames.Label);
        }
        finish.InputsDone();
        foreach (var output in outputs) AddOutput(g, finish, output, prefix);
        var model = g.ToModel();
        AddSlotNames(model, outputs);
        // A network may itself be a graph that was saved.
        foreach (var former in model.MetadataProps.Where(p => p.Key == MetadataKey).ToList()) model.MetadataProps.Remove(former);
        model.MetadataProps.Add(new StringStringEntryProto { Key = MetadataKey, Value = SavedFacts.Of(graph, inputs, outputs, label, prefix).Write() });
        ModelSeal.Put(model);
        return model;
    }

    private static void AddInput(Graph g, FinishNodes finish, SavedInput input, string prefix)
    {
        // Several inputs may be fed by one column, and a scalar column arrives as [1, 1].
        long[] declared = input.Input.RowLength == 1 ? [1, 1] : [1, .. input.Input.RowShape.Select(d => (long)d)];
        if (g.Inputs.All(i => i.Name != input.Column))
            finish.Input(input.Column, OrtArrays.TypeOf(input.Input.ElementType), declared);
        long[] wanted = [.. input.Input.HasBatchAxis ? [1L] : Array.Empty<long>(), .. input.Input.RowShape.Select(d => (long)d)];
        finish.Add("Reshape", [input.Column, finish.Constant(wanted)], prefix + input.Input.Name);
    }

    private static void AddOutput(Graph g, FinishNodes finish, SavedOutput output, string prefix)
    {
        var value = prefix + output.Output;
        long[] shape = [.. output.Shape.Select(d => (long)d)];
        if (output.Top is { } top && top < output.PerTarget) value = Largest(finish, value, top, shape.Aggregate(1L, (a, d) => a * d) / output.PerTarget, output.PerTarget);
        if (output.Groups is { } groups) value = Sums(finish, value, groups, shape.Aggregate(1L, (a, d) => a * d));
        finish.Add("Reshape", [value, finish.Constant(shape)], output.Column);
        g.Outputs.Add(Graph.Value(output.Column, output.Output == OutputNames.ExplainedTarget ? DataType.Int64 : DataType.Float, shape.Cast<object>()));
    }

    private static string Sums(FinishNodes finish, string value, int[] groups, long length)
    {
        var rows = finish.Add("Reshape", [value, finish.Constant([-1, groups.Length])]);
        var targets = length / (groups.Max() + 1);
        var indices = finish.Add("Expand", [finish.Constant([.. groups.Select(g => (long)g)], 1, groups.Length), finish.Constant([targets, groups.Length])]);
        var zeros = finish.Add("ConstantOfShape", [finish.Constant([targets, length / targets])]);
        return finish.Add("ScatterElements", [zeros, indices, rows], ("axis", 1), ("reduction", "add"));
    }

    /// <summary>All but the largest values of each target become 0. A file knows no sparse vectors.</summary>
    private static string Largest(FinishNodes finish, string value, int top, long targets, long perTarget)
    {
        var rows = finish.Add("Reshape", [value, finish.Constant([targets, perTarget])]);
        var positions = finish.AddMany("TopK", [finish.Add("Abs", [rows]), finish.Constant([(long)top])], 2)[1];
        var kept = finish.Add("GatherElements", [rows, positions], ("axis", 1));
        var zeros = finish.Add("ConstantOfShape", [finish.Constant([targets, perTarget])]);
        return finish.Add("ScatterElements", [zeros, positions, kept], ("axis", 1));
    }

    /// <summary>
    /// ML.NET reads slot names from a node that nobody reads, as its own ONNX exporter writes them.
    /// </summary>
    private static void AddSlotNames(ModelProto model, IReadOnlyList<SavedOutput> outputs)
    {
        var named = outputs.Where(o => o.SlotNames is not null).ToList();
        if (named.Count == 0) return;
        foreach (var output in named)
        {
            var node = $"mlnet.{output.Column}.SlotNames";
            var names = Nodes.Create("LabelEncoder", [node + ".in"], [node + ".out"], node, ("keys_strings", output.SlotNames!), ("values_int64s", Enumerable.Range(0, output.SlotNames!.Count).Select(i => (long)i)));
            names.Domain = "ai.onnx.ml";
            model.Graph.Node.Add(names);
            model.Graph.Initializer.Add(Tensors.OfStrings(node + ".in", [""], 1));
        }
        if (model.OpsetImport.All(o => o.Domain != "ai.onnx.ml")) model.OpsetImport.Add(new OperatorSetIdProto { Domain = "ai.onnx.ml", Version = 2 });
    }

    private static ModelProto Prefixed(ModelProto model, string prefix)
    {
        var copy = model.Clone();
        AddPrefix(copy.Graph, prefix);
        return copy;
    }

    private static void AddPrefix(GraphProto graph, string prefix)
    {
        foreach (var node in graph.Node)
        {
            node.Name = prefix + node.Name;
            for (var i = 0; i < node.Input.Count; i++)
                if (node.Input[i].Length > 0) node.Input[i] = prefix + node.Input[i];
            for (var i = 0; i < node.Output.Count; i++)
                if (node.Output[i].Length > 0) node.Output[i] = prefix + node.Output[i];
            foreach (var attribute in node.Attribute)
            {
                if (attribute.G is not null) AddPrefix(attribute.G, prefix);
                foreach (var nested in attribute.Graphs) AddPrefix(nested, prefix);
            }
        }
        foreach (var tensor in graph.Initializer) tensor.Name = prefix + tensor.Name;
        foreach (var value in graph.Input.Concat(graph.Output).Concat(graph.ValueInfo)) value.Name = prefix + value.Name;
    }
}
