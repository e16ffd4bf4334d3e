using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize.Runtime;
using MLNetLinearize.Transforms;

namespace MLNetLinearize.Reporting;

/// <summary>Turns batches of explanations into rows of a report.</summary>
internal static class ReportFeed
{
    /// <summary>The graph's outputs that a report needs.</summary>
    public static IReadOnlyList<string> Outputs(LinearizationGraph graph)
    {
        string[] wanted = [OutputNames.Score, OutputNames.ExplainedTarget, OutputNames.ExplainedScore, OutputNames.Bias, .. graph.ExplainedInputs.Select(graph.AttributionOf)];
        foreach (var output in wanted)
            if (graph.Model.Graph.Output.All(o => o.Name != output))
                throw new InvalidOperationException($"The report needs '{output}', which this model was saved without. Save it from a pipeline that names all columns but Weights, or write the report before saving.");
        return [.. wanted, .. graph.Model.Graph.Output.Select(o => o.Name).Where(n => n == OutputNames.ExplainedInput)];
    }

    /// <summary>Explains a data view in one pass and writes its report.</summary>
    public static void Write(Stream stream, SessionCache sessions, IDataView data, ReportOptions options)
    {
        var graph = sessions.Graph;
        var binding = new InputBinding(graph, data.Schema);
        var label = options.LabelColumn is { } name ? LabelColumn.Bind(graph, data.Schema, name, $"{nameof(ReportOptions)}.{nameof(ReportOptions.LabelColumn)}") : null;
        var report = new LinearizationReport(stream, graph, options with { FeatureNames = options.FeatureNames ?? binding.FeatureNames() });
        var columns = binding.Columns.Concat(label is null ? [] : [label.Column]);
        using var cursor = data.GetRowCursor(columns.DistinctBy(c => c.Index));
        var elements = graph.Inputs.Sum(i => (long)i.RowLength);
        var capacity = BatchChoice.Rows(graph, elements, elements * graph.TargetCount + graph.OutputCount, 0, 1);
        var (reader, readLabel, labels) = (new InputReader(binding, cursor, capacity), label?.Reader(cursor), new int?[capacity]);
        using var buffers = new ExplanationBuffers(sessions.Get(Outputs(graph), capacity), reader.Arrays, capacity, isPinned: true);
        var (first, count) = (0L, 0);
        for (var more = true; more; first += count)
        {
            count = 0;
            while (count < capacity && (more = cursor.MoveNext()))
            {
                reader.Read(count);
                labels[count++] = readLabel?.Invoke() is { } known and >= 0 ? (int)known : null;
            }
            if (count == 0) break;
            buffers.Run(0, count);
            for (var i = 0; i < count; i++) report.Add(Row(graph, buffers.Outputs, reader.Arrays, i, first + i, labels[i]));
        }
        report.Complete();
    }

    /// <summary>Row <paramref name="i"/> of a batch; valid until the batch's arrays are used again.</summary>
    public static ReportRow Row(LinearizationGraph graph, ExplanationBatch batch, IReadOnlyDictionary<string, Array> inputs, int i, long number, int? label) =>
        new(number, Values(graph, batch, inputs, i), label, Slice(batch, OutputNames.Score, i), Targets(graph, batch, i));

    /// <summary>The explained outputs of row <paramref name="i"/> of a batch.</summary>
    public static IReadOnlyList<ReportTarget> Targets(LinearizationGraph graph, ExplanationBatch batch, int i)
    {
        var outputs = batch.Int64(OutputNames.ExplainedTarget, i);
        var scores = batch.Single(OutputNames.ExplainedScore, i);
        var biases = batch.Single(OutputNames.Bias, i);
        var targets = new ReportTarget[outputs.Length];
        for (var k = 0; k < targets.Length; k++)
        {
            var parts = graph.ExplainedInputs.Select(input => Slice(batch, graph.AttributionOf(input), i).Slice(k * input.RowLength, input.RowLength));
            targets[k] = new((int)outputs[k], scores[k], biases[k], Joined(parts));
        }
        return targets;
    }

    private static ReadOnlyMemory<float> Values(LinearizationGraph graph, ExplanationBatch batch, IReadOnlyDictionary<string, Array> inputs, int i)
    {
        if (batch.Has(OutputNames.ExplainedInput)) return Slice(batch, OutputNames.ExplainedInput, i);
        return Joined(graph.ExplainedInputs.Select(input => inputs[input.Name] switch
        {
            float[] singles => singles.AsMemory(i * input.RowLength, input.RowLength),
            var others => (ReadOnlyMemory<float>)Enumerable.Range(i * input.RowLength, input.RowLength).Select(j => Convert.ToSingle(others.GetValue(j), CultureInfo.InvariantCulture)).ToArray(),
        }));
    }

    private static ReadOnlyMemory<float> Slice(ExplanationBatch batch, string output, int i)
    {
        var all = batch.AllSingle(output);
        var length = all.Length / batch.Rows;
        return all.AsMemory(i * length, length);
    }

    private static ReadOnlyMemory<float> Joined(IEnumerable<ReadOnlyMemory<float>> parts) =>
        parts.ToList() is [var single] ? single : parts.SelectMany(p => p.ToArray()).ToArray();
}
