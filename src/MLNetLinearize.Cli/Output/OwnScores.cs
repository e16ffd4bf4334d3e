using Microsoft.ML.OnnxRuntime;
using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Runtime;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Cli.Output;

/// <summary>
/// Runs the model file itself, as ONNX Runtime reads it, and compares its scores with the linearization graph's. Sums that
/// add up would prove nothing about a graph that computed another network.
/// </summary>
internal sealed class OwnScores : IRowSink, IDisposable
{
    private readonly InferenceSession session;
    private readonly RunOptions runOptions = new();
    private readonly GraphInput input;
    private readonly IReadOnlyList<InputPart> parts;
    private readonly string output;

    private OwnScores(InferenceSession session, GraphInput input, IReadOnlyList<InputPart> parts, string output) => (this.session, this.input, this.parts, this.output) = (session, input, parts, output);

    /// <summary>Of each row, that of the output where it is largest.</summary>
    public LogQuantiles Differences { get; } = new();

    /// <summary>Row and output of the largest difference; row −1 before any.</summary>
    public (long Row, int Output) Worst { get; private set; } = (-1, 0);

    /// <summary>
    /// Opens the model with the explained tensor as an output. Null, with the reason, where that tensor or its precision came
    /// into being only in the compiler.
    /// </summary>
    public static OwnScores? Open(string modelFile, LinearizationGraph graph, IReadOnlyList<InputPart> parts, out string? reason)
    {
        var model = new Graph(OnnxFile.Read(modelFile));
        var name = graph.Report.ExplainedOutput;
        var precisions = Precision.Found(model);
        reason = precisions.Count > 0 ? $"the model holds {string.Join(" and ", precisions)} numbers and is explained in float32"
            : model.Nodes.Any(n => n.Output.Contains(name)) ? null
            : $"the explained tensor '{name}' is none of the model file's own";
        if (reason is not null) return null;
        // Logits are compared with logits: where the compiler cut a final Softmax off, it is cut off here.
        if (graph.Report.CutActivation is not null) ExplainedTensors.ResolveOutput(model, graph.Options, graph.Report.OriginalOpset);
        if (model.Outputs.All(o => o.Name != name)) model.Outputs.Add(new ValueInfoProto { Name = name, Type = new TypeProto { TensorType = new TypeProto.Types.Tensor { ElemType = (int)DataType.Float } } });
        var input = Explainer.DataInput(graph);
        Forget(model, name, parts.Count > 0 ? [.. parts.Select(p => p.Name)] : [input.Name]);
        return new(Sessions.Create(model.ToModel(), graph.Options), input, parts, name);
    }

    public void Add(ExplainedBlock block)
    {
        // One row at a time: the file may fix its batch to one, and must not be edited to check it.
        for (var i = 0; i < block.Count; i++)
        {
            using var row = new Row(Values(block, i));
            using var results = session.Run(runOptions, parts.Count > 0 ? [.. parts.Select(p => p.Name)] : [input.Name], row.Values, [this.output]);
            var own = results[0].GetTensorDataAsSpan<float>();
            var scores = block.Scores(i);
            if (own.Length != scores.Length) throw new InvalidOperationException($"The model gives {own.Length} scores a row, its linearization graph {scores.Length}.");
            var (worst, output) = (0.0, 0);
            for (var c = 0; c < own.Length; c++)
            {
                var difference = Math.Abs((double)own[c] - scores[c]) / Math.Max(1, Math.Abs((double)own[c]));
                if (double.IsNaN(difference) || difference > worst) (worst, output) = (difference, c);
            }
            if (Worst.Row < 0 || !(worst <= Differences.Worst)) Worst = (block.RowNumber(i), output);
            Differences.Add(worst);
        }
    }

    /// <summary>A row as the file takes it: input by input.</summary>
    private OrtValue[] Values(ExplainedBlock block, int i)
    {
        if (parts.Count == 0) return [OrtArrays.Wrap(block.InputValues, i * input.RowLength, Shape(input.HasBatchAxis, input.RowShape), isPinned: false)];
        var values = new OrtValue[parts.Count];
        for (var p = 0; p < values.Length; p++) values[p] = OrtArrays.Wrap(parts[p].Take(block.Input(i)), Shape(parts[p].HasBatchAxis, parts[p].RowShape));
        return values;

        static long[] Shape(bool hasBatchAxis, IReadOnlyList<int> row) => [.. hasBatchAxis ? [1L] : Array.Empty<long>(), .. row.Select(d => (long)d)];
    }

    /// <summary>ONNX Runtime asks for every input that a file declares, also for those that the score does not depend on and the data does not have.</summary>
    private static void Forget(Graph model, string output, IReadOnlyList<string> fed)
    {
        if (model.Inputs.All(i => fed.Contains(i.Name))) return;
        model.Outputs.RemoveAll(o => o.Name != output);
        model.RemoveDead([output]);
        model.Inputs.RemoveAll(i => !fed.Contains(i.Name));
    }

    public void Dispose()
    {
        session.Dispose();
        runOptions.Dispose();
    }

    /// <summary>What one run is fed with.</summary>
    private readonly struct Row(OrtValue[] values) : IDisposable
    {
        public IReadOnlyCollection<OrtValue> Values => values;

        public void Dispose()
        {
            foreach (var value in values) value.Dispose();
        }
    }
}
