using MLNetLinearize.Evaluation;

namespace MLNetLinearize.Cli.Output;

/// <summary>Judges explanations as they stream by.</summary>
internal sealed class EvaluationSink(LinearizationGraph graph, EvaluateOptions options, CancellationToken cancel) : IRowSink, IDisposable
{
    private readonly Evaluator evaluator = new(graph, options, columns: null, cancel);
    private readonly GraphInput input = Explainer.DataInput(graph);

    public void Add(ExplainedBlock block)
    {
        for (var i = 0; i < block.Count; i++)
        {
            var inputs = new Dictionary<string, Array> { [input.Name] = block.Input(i).ToArray() };
            evaluator.CountRow();
            for (var k = 0; k < block.Targets; k++) evaluator.Add(inputs, block.Target(i, k), block.Score(i, k), block.Bias(i, k), block.Attribution(i, k));
        }
    }

    public AttributionEvaluation Result() => evaluator.Result();

    public void Dispose() => evaluator.Dispose();
}
