using Microsoft.ML.OnnxRuntime;
using MLNetLinearize.Linearization;
using MLNetLinearize.Onnx;
using MLNetLinearize.Runtime;
using DataType = MLNetLinearize.Onnx.TensorProto.Types.DataType;

namespace MLNetLinearize.Fuzz;

/// <summary>The mutant itself in ONNX Runtime, as it is written down, with the explained tensor fetched.</summary>
internal static class OwnRun
{
    private const double Tolerance = 1e-3;
    private const float Rounding = 2e-6f;

    /// <summary>Operators whose result rounding, or a draw, decides.</summary>
    private static readonly string[] Rounded = ["Quantize", "Integer", "QLinear", "NBits", "Random", "Bernoulli", "Multinomial", "Dropout"];

    public static Verdict Compare(byte[] model, LinearizationGraph graph, IReadOnlyDictionary<string, Array> row, IReadOnlyList<float> scores)
    {
        // What is explained then lies before the output, under a name of the library's own where the activation was written by hand.
        if (graph.Report.CutActivation is not null) return new(Outcome.ExplainedUncompared, "the final activation is cut");
        if (Operators(ModelProto.Parser.ParseFrom(model)).Any(o => Rounded.Any(r => o.Contains(r, StringComparison.Ordinal))))
            return new(Outcome.ExplainedUncompared, "rounding or chance decides");
        var (own, why) = Scores(model, graph, row);
        if (own is null) return new(Outcome.ExplainedUncompared, why!);
        if (own.Length != scores.Count) return new(Outcome.Wrong, $"{scores.Count} scores instead of {own.Length}");
        var scale = own.Where(float.IsFinite).Select(Math.Abs).DefaultIfEmpty().Max();
        // What a little of rounding in the row moves, rounding within the network may move as well.
        var moved = new Lazy<float[]?[]>(() => [.. new[] { -8, -1, 1, 8 }.Select(by => Scores(model, graph, Row.Moved(row, by * Rounding)).Scores)]);
        for (var i = 0; i < own.Length; i++)
        {
            if (IsNear(own[i], scores[i], Tolerance * scale + 1e-6)) continue;
            if (moved.Value.Any(m => m is null || !IsNear(own[i], m[i], Tolerance * scale + 1e-6))) return new(Outcome.ExplainedUncompared, "rounding decides");
            return new(Outcome.Wrong, $"score {i} is {scores[i]:G7} instead of {own[i]:G7}");
        }
        return new(Outcome.Explained, "");
    }

    /// <summary>The explained tensor of a row; or why there is none.</summary>
    public static (float[]? Scores, string? Why) Scores(byte[] bytes, LinearizationGraph graph, IReadOnlyDictionary<string, Array> row)
    {
        var model = ModelProto.Parser.ParseFrom(bytes);
        var output = graph.Report.ExplainedOutput;
        if (model.Graph.Output.All(o => o.Name != output)) model.Graph.Output.Add(Graph.Value(output, DataType.Float, []));
        model.Graph.Output.First(o => o.Name == output).Type?.TensorType?.Shape = null;
        try
        {
            using var options = new SessionOptions
            {
                GraphOptimizationLevel = GraphOptimizationLevel.ORT_DISABLE_ALL,
                IntraOpNumThreads = 1,
                LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL,
            };
            using var session = new InferenceSession(Corpus.Bytes(model), options);
            var given = graph.Inputs.Where(i => session.InputMetadata.ContainsKey(i.Name)).ToList();
            if (given.Count != session.InputMetadata.Count) return (null, "other inputs");
            using var values = new DisposableList<OrtValue>();
            foreach (var input in given)
            {
                long[] rowShape = [.. input.RowShape.Select(d => (long)d)];
                var elementType = session.InputMetadata[input.Name].ElementType;
                if (elementType != input.ElementType) return (null, "an input of another type");
                values.Add(OrtArrays.Wrap(row[input.Name], input.HasBatchAxis ? [1, .. rowShape] : rowShape));
            }
            using var run = new RunOptions { LogSeverityLevel = OrtLoggingLevel.ORT_LOGGING_LEVEL_FATAL };
            using var results = session.Run(run, [.. given.Select(i => i.Name)], values, [output]);
            var type = results[0].GetTensorTypeAndShape().ElementDataType;
            return type == Microsoft.ML.OnnxRuntime.Tensors.TensorElementType.Float
                ? (results[0].GetTensorDataAsSpan<float>().ToArray(), null)
                : (null, $"the output is {type}");
        }
        catch (OnnxRuntimeException e)
        {
            return (null, $"does not run: {e.Message.Split('\n', 2)[0]}");
        }
    }

    private static bool IsNear(double a, double b, double tolerance) => double.IsNaN(a) && double.IsNaN(b) || a == b || Math.Abs(a - b) <= tolerance;

    private static IEnumerable<string> Operators(ModelProto model) => model.Functions.SelectMany(f => f.Node).Concat(model.Graph.Node).SelectMany(Operators);

    private static IEnumerable<string> Operators(NodeProto node) => Nodes.Nested(node).SelectMany(g => g.Node).SelectMany(Operators).Prepend(node.OpType);

    private sealed class DisposableList<T> : List<T>, IDisposable where T : IDisposable
    {
        public void Dispose() => ForEach(v => v.Dispose());
    }
}
