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
    private readonly string output;

    private OwnScores(InferenceSession session, GraphInput input, string output) => (this.session, this.input, this.output) = (session, input, output);

    public LogQuantiles Differences { get; } = new();

    /// <summary>
    /// Opens the model with the explained tensor as an output. Null, with the reason, where that tensor or its precision came
    /// into being only in the compiler.
    /// </summary>
    public static OwnScores? Open(string modelFile, LinearizationGraph graph, out string? reason)
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
        return new(Sessions.Create(model.ToModel(), graph.Options), Explainer.DataInput(graph), name);
    }

    public void Add(ExplainedBlock block)
    {
        // One row at a time: the file may fix its batch to one, and must not be edited to check it.
        for (var i = 0; i < block.Count; i++)
        {
            using var value = OrtArrays.Wrap(block.InputValues, i * input.RowLength, [.. input.HasBatchAxis ? [1L] : Array.Empty<long>(), .. input.RowShape.Select(d => (long)d)], isPinned: false);
            using var results = session.Run(runOptions, [input.Name], [value], [output]);
            var own = results[0].GetTensorDataAsSpan<float>();
            var scores = block.Scores(i);
            if (own.Length != scores.Length) throw new InvalidOperationException($"The model gives {own.Length} scores a row, its linearization graph {scores.Length}.");
            var worst = 0.0;
            for (var c = 0; c < own.Length; c++)
            {
                var difference = Math.Abs((double)own[c] - scores[c]) / Math.Max(1, Math.Abs((double)own[c]));
                if (double.IsNaN(difference) || difference > worst) worst = difference;
            }
            Differences.Add(worst);
        }
    }

    public void Dispose()
    {
        session.Dispose();
        runOptions.Dispose();
    }
}
