using System.Globalization;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetLinearize.Transforms;

/// <summary>Adds up the explanations of a data set while one cursor passes over it.</summary>
internal sealed class DataSetSummary
{
    public static readonly IReadOnlyList<double> DefaultQuantiles = [0.05, 0.25, 0.5, 0.75, 0.95];

    private const int MostSampled = 1024, FewestSampled = 32;
    private const long SampleBudget = 64L << 20;

    private readonly LinearizationGraph graph;
    private readonly ColumnBinding binding;
    private readonly Dictionary<long, Sums> targets = [];
    private readonly RowSample errors = new(MostSampled);
    private readonly int features;
    private long rows;
    private long skipped;
    private double errorSum;
    private float largestError = float.NaN;

    private DataSetSummary(LinearizationGraph graph, ColumnBinding binding)
    {
        this.graph = graph;
        this.binding = binding;
        features = graph.ExplainedInputs.Sum(i => i.RowLength);
    }

    public static LinearizationSummary Make(SessionCache sessions, IDataView input, IReadOnlyList<double> quantiles)
    {
        if (quantiles.Any(q => !(q >= 0 && q <= 1)))
            throw new ArgumentOutOfRangeException(nameof(quantiles), $"Quantiles are from 0 to 1, such as 0.5 for the median; got [{string.Join(", ", quantiles.Select(q => q.ToString(CultureInfo.InvariantCulture)))}].");
        var graph = Whole(sessions.Graph);
        var binding = new ColumnBinding(graph, input.Schema);
        var summary = new DataSetSummary(graph, binding);
        summary.Read(new LinearizedView(input, binding, sessions));
        return summary.Result(quantiles);
    }

    /// <summary>The graph with all that is summed as columns, whatever columns the user wants, under names that no column has.</summary>
    private static LinearizationGraph Whole(LinearizationGraph graph)
    {
        var options = graph.Options with
        {
            TopFeatures = null,
            GroupedAttributionColumn = null,
            AttributionColumn = Name(OutputNames.Attribution),
            BiasColumn = Name(OutputNames.Bias),
            WeightsColumn = null,
            ExplainedTargetColumn = Name(OutputNames.ExplainedTarget),
            ExplainedScoreColumn = Name(OutputNames.ExplainedScore),
            LinearizationErrorColumn = Name(OutputNames.LinearizationError),
        };
        foreach (var output in new[] { OutputNames.Bias, OutputNames.ExplainedTarget, OutputNames.ExplainedScore, OutputNames.LinearizationError }.Concat(graph.ExplainedInputs.Select(graph.AttributionOf)))
            if (graph.Model.Graph.Output.All(x => x.Name != output))
                throw new InvalidOperationException($"The summary needs '{output}', which this model was saved without. Save it from a pipeline that names all columns but Weights, or summarize before saving.");
        return graph.With(options);
    }

    private static string Name(string output) => $"mlnetlinearize/summary/{output}";

    private void Read(LinearizedView view)
    {
        using var cursor = view.GetRowCursor(view.Schema.Where(c => c.Index >= binding.InputSchema.Count));
        ValueGetter<VBuffer<T>> Getter<T>(string output) => cursor.GetGetter<VBuffer<T>>(view.Schema[binding.Outputs.Single(o => o.Output == output).Name]);
        var readTarget = Getter<long>(OutputNames.ExplainedTarget);
        var (readScore, readBias, readError) = (Getter<float>(OutputNames.ExplainedScore), Getter<float>(OutputNames.Bias), Getter<float>(OutputNames.LinearizationError));
        var readAttributions = graph.ExplainedInputs.Select(i => Getter<float>(graph.AttributionOf(i))).ToArray();
        var (target, score, bias, error) = (default(VBuffer<long>), default(VBuffer<float>), default(VBuffer<float>), default(VBuffer<float>));
        var attributions = new VBuffer<float>[readAttributions.Length];
        var joined = new float[features];
        while (cursor.MoveNext())
        {
            rows++;
            readTarget(ref target);
            readScore(ref score);
            readBias(ref bias);
            readError(ref error);
            for (var i = 0; i < attributions.Length; i++) readAttributions[i](ref attributions[i]);
            for (var k = 0; k < graph.TargetCount; k++)
            {
                var start = 0;
                for (var i = 0; i < attributions.Length; i++)
                {
                    var length = graph.ExplainedInputs[i].RowLength;
                    attributions[i].GetValues().Slice(k * length, length).CopyTo(joined.AsSpan(start));
                    start += length;
                }
                Add(target.GetValues()[k], score.GetValues()[k], bias.GetValues()[k], error.GetValues()[k], joined);
            }
        }
    }

    private void Add(long target, float score, float bias, float error, float[] attribution)
    {
        // The sum is not finite where any of them is not; it cannot overflow in double.
        var sum = (double)score + bias;
        foreach (var value in attribution) sum += value;
        if (target < 0 || !double.IsFinite(sum) || !float.IsFinite(error))
        {
            skipped++;
            return;
        }
        if (!targets.TryGetValue(target, out var sums))
        {
            var most = SampleBudget / Math.Max(1, (long)graph.OutputCount * features * sizeof(float));
            targets[target] = sums = new Sums(features, (int)Math.Clamp(most, FewestSampled, MostSampled));
        }
        sums.Add(score, bias, attribution);
        errorSum += error;
        if (!(error <= largestError)) largestError = error;
        errors.Add([error]);
    }

    private LinearizationSummary Result(IReadOnlyList<double> quantiles) => new()
    {
        Rows = rows,
        Skipped = skipped,
        Features = binding.FeatureNames(),
        Quantiles = [.. quantiles],
        Targets = [.. targets.OrderBy(t => t.Key).Select(t => t.Value.Result(t.Key, graph.Options.ClassNames?[(int)t.Key] ?? t.Key.ToString(CultureInfo.InvariantCulture), quantiles))],
        MeanError = errorSum / targets.Values.Sum(t => t.Rows),
        LargestError = largestError,
        ErrorQuantiles = [.. errors.Quantiles(quantiles, 1).Select(q => q[0])],
    };

    /// <summary>The sums of one explained output.</summary>
    private sealed class Sums(int features, int sampled)
    {
        private readonly double[] sum = new double[features];
        private readonly double[] absolute = new double[features];
        private readonly RowSample sample = new(sampled);
        private double score;
        private double bias;

        public long Rows { get; private set; }

        public void Add(float score, float bias, float[] attribution)
        {
            Rows++;
            this.score += score;
            this.bias += bias;
            for (var i = 0; i < attribution.Length; i++)
            {
                sum[i] += attribution[i];
                absolute[i] += Math.Abs(attribution[i]);
            }
            sample.Add(attribution);
        }

        public TargetSummary Result(long target, string name, IReadOnlyList<double> quantiles) => new()
        {
            Target = target,
            Name = name,
            Rows = Rows,
            SampledRows = sample.Count,
            MeanScore = score / Rows,
            MeanBias = bias / Rows,
            MeanAttribution = [.. sum.Select(s => s / Rows)],
            MeanAbsoluteAttribution = [.. absolute.Select(s => s / Rows)],
            AttributionQuantiles = sample.Quantiles(quantiles, features),
        };
    }
}
