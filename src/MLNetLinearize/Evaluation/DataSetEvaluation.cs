using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize.Runtime;
using MLNetLinearize.Transforms;

namespace MLNetLinearize.Evaluation;

/// <summary>Evaluates the explanations of an IDataView's rows in one pass.</summary>
internal static class DataSetEvaluation
{
    public static AttributionEvaluation Make(SessionCache sessions, IDataView input, EvaluateOptions options, IProgress<long>? progress, CancellationToken cancel)
    {
        var graph = sessions.Graph;
        var binding = new InputBinding(graph, input.Schema);
        using var evaluator = new Evaluator(graph, options, Columns(graph, binding), cancel);
        string[] attributions = [.. graph.ExplainedInputs.Select(graph.AttributionOf)];
        var session = sessions.Get([OutputNames.ExplainedTarget, OutputNames.ExplainedScore, OutputNames.Bias, .. attributions], rows: 1);
        using var cursor = input.GetRowCursor(binding.Columns);
        var reader = new InputReader(binding, cursor, capacity: 1);
        using var buffers = new ExplanationBuffers(session, reader.Arrays, rows: 1, isPinned: true);
        var joined = new float[graph.ExplainedInputs.Sum(i => i.RowLength)];
        for (var rows = 1L; cursor.MoveNext(); rows++)
        {
            cancel.ThrowIfCancellationRequested();
            reader.Read(0);
            buffers.Run(0, 1);
            evaluator.CountRow();
            for (var k = 0; k < graph.TargetCount; k++)
            {
                Join(buffers.Outputs, attributions, graph.TargetCount, k, joined);
                evaluator.Add(reader.Arrays, buffers.Outputs.Int64(OutputNames.ExplainedTarget, 0)[k], buffers.Outputs.Single(OutputNames.ExplainedScore, 0)[k], buffers.Outputs.Single(OutputNames.Bias, 0)[k], joined);
            }
            progress?.Report(rows);
        }
        return evaluator.Result();
    }

    /// <summary>The contributions to target k, one explained input after the other.</summary>
    private static void Join(ExplanationBatch outputs, string[] attributions, int targets, int k, float[] joined)
    {
        var at = 0;
        foreach (var output in attributions)
        {
            var all = outputs.Single(output, 0);
            var length = all.Length / targets;
            all.Slice(k * length, length).CopyTo(joined.AsSpan(at));
            at += length;
        }
    }

    /// <summary>For each explained element its original column, all inputs' columns counted together.</summary>
    private static int[]? Columns(LinearizationGraph graph, InputBinding binding)
    {
        var columns = new List<int>();
        foreach (var input in graph.ExplainedInputs)
        {
            if (binding.Inputs.FirstOrDefault(i => i.Input.Name == input.Name)?.Column is not { } column) return null;
            var first = columns.Count == 0 ? 0 : columns.Max() + 1;
            columns.AddRange(ColumnGroups.Of(input, column.Name, column.HasSlotNames() ? ColumnFeatures.SlotNamesOf(column) : null).OfSlot.Select(g => first + g));
        }
        return [.. columns];
    }
}
