using MLNetLinearize.Onnx;
using MLNetLinearize.Runtime;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Linearization;

/// <summary>Whether what a graph's metadata tells of its inputs and outputs is what the graph itself declares.</summary>
internal static class SavedEdges
{
    /// <summary>A saved model: inputs and outputs are columns, of one row.</summary>
    /// <exception cref="InvalidModelException">They are not the same; the message names the input or output.</exception>
    public static void Check(ModelProto model, SavedFacts facts)
    {
        var (inputs, outputs) = (ByName(model.Graph.Input), ByName(model.Graph.Output));
        var makers = model.Graph.Node.SelectMany(n => n.Output.Select(o => (o, n))).GroupBy(p => p.o).ToDictionary(g => g.Key, g => g.First().n);
        var constants = model.Graph.Initializer.GroupBy(t => t.Name).ToDictionary(g => g.Key, g => g.First());
        foreach (var input in facts.Inputs)
        {
            if (!inputs.TryGetValue(input.Column!, out var declared))
                throw SavedCheck.Damaged($"column of input '{input.Name}'", $"'{input.Column}'", $"one of the graph's inputs " +
                    $"[{string.Join(", ", inputs.Keys)}]");
            if (TypeOf(declared) != OrtArrays.TypeOf(OrtArrays.TypeNamed(input.Type)!))
                throw SavedCheck.Damaged($"type of '{input.Name}'", input.Type, $"{TypeOf(declared)}, which the graph declares");
            // The column is brought into the input's shape by the first node, which tells that shape in full.
            long[] shape = [.. input.BatchAxis ? [1L] : Array.Empty<long>(), .. input.Shape.Select(d => (long)d)];
            var told = Told(shape);
            var reshape = makers.GetValueOrDefault(facts.Prefix + input.Name);
            var wanted = reshape?.InputOrNull(0) == input.Column && reshape?.InputOrNull(1) is { } name ? constants.GetValueOrDefault(name) : null;
            var brought = wanted is null ? $"none, as no node makes it of column '{input.Column}'" : Told(wanted.ToInt64());
            if (told != brought)
                throw SavedCheck.Damaged($"the shape of one row of '{input.Name}'", $"{told}, batch axis included",
                    $"what the graph reads, which is {brought}");
        }
        Same("inputs", facts.Inputs.Select(i => i.Column!).Concat(facts.LabelColumn is { } label ? [label] : Array.Empty<string>()), inputs.Keys);
        Same("outputs", facts.Outputs.Select(o => o.Column), outputs.Keys);
        foreach (var (output, column, grouped) in facts.Outputs)
        {
            var shown = makers.GetValueOrDefault(column)?.InputOrNull(0) is { } value ? makers.GetValueOrDefault(value) : null;
            var sums = shown is { OpType: "ScatterElements" } && shown.Has("reduction");
            if (grouped != sums) throw SavedCheck.Damaged($"grouped of column '{column}'", grouped, $"{sums}, as the graph has it");
            if (grouped) continue;
            SavedCheck.IsOutput(output, facts.Explained, out var perInput);
            var told = facts.TargetCount * (perInput is null ? 1 : SavedCheck.Length(perInput));
            if (Elements(outputs[column], 0) != told)
                throw Mismatch($"targetCount times the elements of output '{output}'", told, Elements(outputs[column], 0));
        }
    }

    /// <summary>A compiled graph: inputs and outputs are tensors, of rows.</summary>
    /// <inheritdoc cref="Check(ModelProto, SavedFacts)"/>
    public static void Check(LinearizationGraph graph)
    {
        var (inputs, outputs) = (ByName(graph.Model.Graph.Input), ByName(graph.Model.Graph.Output));
        Same("inputs", graph.Inputs.Select(i => i.Name), inputs.Keys);
        foreach (var input in graph.Inputs)
        {
            if (TypeOf(inputs[input.Name]) != OrtArrays.TypeOf(input.ElementType))
                throw SavedCheck.Damaged($"type of '{input.Name}'", input.ElementType.Name, $"{TypeOf(inputs[input.Name])}, which the graph declares");
            var declared = Elements(inputs[input.Name], input.HasBatchAxis ? 1 : 0);
            if (declared != input.RowLength) throw Mismatch($"shape of '{input.Name}'", input.RowLength, declared);
        }
        void Output(string name, long told)
        {
            if (!outputs.TryGetValue(name, out var output)) throw SavedCheck.Damaged("outputs", $"[{string.Join(", ", outputs.Keys)}]", $"'{name}' among them");
            var declared = Elements(output, 1);
            if (declared != told) throw Mismatch($"the number of elements of output '{name}'", told, declared);
        }
        Output(OutputNames.Score, graph.OutputCount);
        Output(OutputNames.Bias, graph.TargetCount);
        if (graph.IsRowByRow != Elements(outputs[OutputNames.Bias], 0) is not null)
            throw SavedCheck.Damaged("rowByRow", graph.IsRowByRow, $"{!graph.IsRowByRow}, as the graph declares its rows");
        foreach (var input in graph.ExplainedInputs) Output(graph.AttributionOf(input), (long)graph.TargetCount * input.RowLength);
    }

    private static Dictionary<string, ValueInfoProto> ByName(IEnumerable<ValueInfoProto> values) =>
        values.GroupBy(v => v.Name).ToDictionary(g => g.Key, g => g.First());

    private static string Told(IEnumerable<long> shape) => $"[{string.Join(", ", shape)}]";

    private static DataType TypeOf(ValueInfoProto value) => (DataType)(value.Type?.TensorType?.ElemType ?? 0);

    /// <summary>Elements behind the first axes; null where an axis has no number.</summary>
    private static long? Elements(ValueInfoProto value, int skipped)
    {
        var dims = value.Type?.TensorType?.Shape?.Dim.Skip(skipped).ToList();
        if (dims is null || dims.Exists(d => !d.HasDimValue || d.DimValue is < 0 or > int.MaxValue)) return null;
        return dims.Aggregate(1L, (a, d) => Math.Min(long.MaxValue / int.MaxValue - 1, a * d.DimValue));
    }

    private static void Same(string what, IEnumerable<string> told, IEnumerable<string> declared)
    {
        var (left, right) = (told.ToHashSet(), declared.ToHashSet());
        if (!left.SetEquals(right))
            throw SavedCheck.Damaged(what, $"of the names [{string.Join(", ", left)}]", $"[{string.Join(", ", right)}], which the graph declares");
    }

    private static InvalidModelException Mismatch(string what, long told, long? declared) =>
        SavedCheck.Damaged(what, $"{told:N0}", declared is null ? "what the graph declares, which is no number" : $"{declared:N0}, which the graph declares");
}
