using MLNetLinearize.Reporting;
using MLNetLinearize.Runtime;

namespace MLNetLinearize.Cli.Output;

/// <summary>One row's explanation, reduced to one contribution a pixel.</summary>
internal sealed record Explanation(float Score, float Bias, float[] Pixels);

/// <summary>Explains single rows for a picture.</summary>
internal sealed class MapSource(LinearizationGraph graph, ImageShape shape) : IDisposable
{
    private readonly ExplanationSession session = new(graph, [OutputNames.ExplainedScore, OutputNames.Bias, OutputNames.Attribution]);

    public Explanation Explain(Example example)
    {
        var input = Explainer.DataInput(graph);
        var inputs = new Dictionary<string, Array> { [input.Name] = example.Input };
        if (graph.Inputs.Any(i => i.Name == OutputNames.Label)) inputs[OutputNames.Label] = new long[] { example.Label ?? -1 };
        var batch = session.Run(inputs, 1);
        return new(batch.Single(OutputNames.ExplainedScore, 0)[0], batch.Single(OutputNames.Bias, 0)[0], shape.SumChannels(batch.Single(OutputNames.Attribution, 0)));
    }

    public void Dispose() => session.Dispose();
}
