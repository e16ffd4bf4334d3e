using MLNetLinearize.Evaluation;

namespace MLNetLinearize.Cli.Output;

/// <summary>Judges the explanations of the first rows as they stream by.</summary>
internal sealed class EvaluationSink : IRowSink, IDisposable
{
    private readonly Evaluator evaluator;
    private readonly GraphInput input;
    private readonly long most;
    private long rows;

    /// <param name="graph">The compiled graph.</param>
    /// <param name="options">How to judge.</param>
    /// <param name="most">Rows to judge at most.</param>
    /// <param name="cancel">Stops between runs of the network.</param>
    /// <exception cref="InputException">The network or what is explained of it cannot be judged, or an option does not fit it.</exception>
    public EvaluationSink(LinearizationGraph graph, EvaluateOptions options, long most, CancellationToken cancel)
    {
        if (graph.Options.Targets is { Kind: TargetKind.Contrast or TargetKind.PredictedVersusRunnerUp } difference)
            throw new InputException($"--targets {difference}: an evaluation follows the score of one output. Expected predicted, all, top:K, classes:A,B,… or label.");
        (input, this.most) = (Explainer.DataInput(graph), most);
        try
        {
            evaluator = new(graph, options, columns: null, cancel);
        }
        catch (ArgumentException e) when (options.ImageShape is { } shape && e.Message.Contains(nameof(options.ImageShape), StringComparison.Ordinal))
        {
            throw new InputException($"--image-shape {string.Join('x', shape)}: expected HxW, CxHxW or HxWxC (1 or 3 channels) of {input.RowLength} values in all, such as 28x28.");
        }
        catch (InvalidOperationException e)
        {
            throw new InputException(e.Message);
        }
    }

    public void Add(ExplainedBlock block)
    {
        for (var i = 0; i < block.Count && rows < most; i++, rows++)
        {
            var inputs = block.RowInputs(i);
            evaluator.CountRow();
            for (var k = 0; k < block.Targets; k++) evaluator.Add(inputs, block.Target(i, k), block.Score(i, k), block.Bias(i, k), block.Attribution(i, k));
        }
    }

    public AttributionEvaluation Result() => evaluator.Result();

    public void Dispose() => evaluator.Dispose();
}
