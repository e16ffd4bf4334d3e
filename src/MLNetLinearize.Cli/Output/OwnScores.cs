using MLNetLinearize.Linearization;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Cli.Output;

/// <summary>
/// Runs the model file itself, in ONNX Runtime without optimizations, and compares its scores with the linearization graph's. Sums that
/// add up would prove nothing about a graph that computed another network.
/// </summary>
internal sealed class OwnScores : IRowSink, IDisposable
{
    private readonly ReferenceModel reference;
    private readonly QuantizedSteps? steps;
    private readonly double tolerance;
    private readonly IReadOnlyList<InputPart> parts;

    /// <param name="modelFile">The model's file.</param>
    /// <param name="graph">What was compiled of it.</param>
    /// <param name="parts">The inputs that a row of data is cut into.</param>
    /// <param name="tolerance">Largest difference that is not looked into.</param>
    public OwnScores(string modelFile, LinearizationGraph graph, IReadOnlyList<InputPart> parts, double tolerance)
    {
        var (model, options, report) = (OnnxFile.Read(modelFile), graph.Options with { ExplainedInputs = null }, graph.Report);
        reference = ReferenceModel.Open(new Request(report.ExplainedOutput, [], graph.Options.Targets, options, report.OriginalOpset, report.Cut, [], null, model, () => Compiler.Spelled(model, options).Graph));
        steps = QuantizedSteps.Of(reference, graph);
        (this.parts, this.tolerance) = (parts, tolerance);
    }

    /// <summary>Of each row, the largest of its outputs, relative to the row's largest score; of rows that steps explain, the difference is among <see cref="Stepped"/>.</summary>
    public LogQuantiles Differences { get; } = new();

    /// <summary>Row and output of the largest difference; row −1 before any.</summary>
    public (long Row, int Output) Worst { get; private set; } = (-1, 0);

    /// <summary>Rows in which numbers at the edge of a quantization step went to the other side: how many such numbers of how many, and the largest difference that came of it.</summary>
    public (long Rows, long Numbers, long Of, double Largest) Stepped { get; private set; }

    public void Add(ExplainedBlock block)
    {
        // One row at a time: the file may fix its batch to one, and must not be edited to check it.
        for (var i = 0; i < block.Count; i++)
        {
            var row = block.RowInputs(i);
            foreach (var part in parts.Where(p => !p.IsText)) row[part.Name] = part.Take(block.Input(i));
            var (own, scores) = (reference.Score(row), reference.Shown(block.Scores(i)));
            if (own.Length != scores.Length) throw new InvalidOperationException($"The model gives {own.Length} scores a row, its linearization graph {scores.Length}.");
            var scale = own.Where(double.IsFinite).Select(Math.Abs).Append(double.Epsilon).Max();
            var (worst, output) = (0.0, 0);
            for (var c = 0; c < own.Length; c++)
            {
                if (own[c].Equals(scores[c])) continue;
                var difference = Math.Abs(own[c] - scores[c]) / scale;
                if (double.IsNaN(difference) || difference > worst) (worst, output) = (difference, c);
            }
            if (!(worst <= tolerance) && steps?.Explain(row, block.Scores(i)) is { } flipped)
            {
                Stepped = (Stepped.Rows + 1, Stepped.Numbers + flipped.Count, Stepped.Of + flipped.All, Math.Max(Stepped.Largest, worst));
                continue;
            }
            if (Worst.Row < 0 || !(worst <= Differences.Worst)) Worst = (block.RowNumber(i), output);
            Differences.Add(worst);
        }
    }

    public void Dispose()
    {
        reference.Dispose();
        steps?.Dispose();
    }
}
