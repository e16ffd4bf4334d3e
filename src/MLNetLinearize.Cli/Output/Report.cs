using MLNetLinearize.Reporting;
using MLNetLinearize.Runtime;

namespace MLNetLinearize.Cli.Output;

/// <summary>
/// The HTML report. It shows more outputs of a row than the columns do: every one where that is cheap, else the predicted
/// one, its runner-up and, where the row is wrong, the true one. So it explains by graphs of its own.
/// </summary>
internal sealed class Report : IRowSink, IDisposable
{
    /// <summary>Contributions of a row, over all outputs, that are few enough to compute and store.</summary>
    private const int Few = 2048;

    private readonly OutputFile file;
    private readonly ExplanationSession session;
    private readonly ExplanationSession? truth;
    private readonly LinearizationReport report;

    /// <param name="file">Where to write.</param>
    /// <param name="graph">The compiled graph.</param>
    /// <param name="labelled">Whether the data has labels.</param>
    /// <param name="compile">Compiles the model for other targets.</param>
    /// <param name="options">Names and limits.</param>
    public Report(OutputFile file, LinearizationGraph graph, bool labelled, Func<Targets, LinearizationGraph> compile, ReportOptions options)
    {
        if (graph.Options.Targets is { Kind: TargetKind.Contrast or TargetKind.PredictedVersusRunnerUp } difference)
            throw new InputException($"--report shows the scores of outputs, and of any two their difference itself; --targets {difference} asks for a difference alone. Expected predicted, all, top:K, classes:A,B,… or label; or leave --report out.");
        var all = (long)graph.OutputCount * graph.ExplainedInputs.Single().RowLength <= Few || graph.OutputCount == 1;
        this.file = file;
        session = Open(all ? Targets.All : Targets.Top(2));
        truth = labelled && !all ? Open(Targets.FromColumn(TargetsParser.Label)) : null;
        LinearizationReport? made = null;
        file.Write(stream => made = new LinearizationReport(stream, session.Graph, options));
        report = made!;

        ExplanationSession Open(Targets targets)
        {
            var compiled = compile(targets);
            return new(compiled, ReportFeed.Outputs(compiled));
        }
    }

    public void Add(ExplainedBlock block)
    {
        var inputs = block.Inputs;
        var batch = session.Run(inputs, block.Count);
        file.Write(_ =>
        {
            for (var i = 0; i < block.Count; i++)
            {
                var row = ReportFeed.Row(session.Graph, batch, inputs, i, block.RowNumber(i), block.Truth(i));
                var isKnown = row.Label is not { } label || row.Targets.Any(t => t.Output == label);
                report.Add(isKnown || truth is null ? row : row with { Targets = [.. row.Targets, .. True(truth, block, i)] });
            }
        });
    }

    /// <summary>Writes what belongs behind the rows. The file is not yet given its name.</summary>
    /// <param name="evaluation">How faithful the explanations are, for a section of its own.</param>
    public void Complete(AttributionEvaluation? evaluation) => file.Write(_ =>
    {
        if (evaluation is not null) report.Add(evaluation);
        report.Complete();
    });

    public void Dispose()
    {
        session.Dispose();
        truth?.Dispose();
    }

    private static IReadOnlyList<ReportTarget> True(ExplanationSession truth, ExplainedBlock block, int i)
    {
        var inputs = block.RowInputs(i);
        inputs[OutputNames.Label] = new long[] { block.Truth(i)!.Value };
        return ReportFeed.Targets(truth.Graph, truth.Run(inputs, 1), 0);
    }
}
