using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize.Linearization;
using MLNetLinearize.Runtime;

namespace MLNetLinearize.Transforms;

/// <summary>
/// Appends the exact local affine map of an ONNX network to every row. The columns are described at
/// <see cref="LinearizingEstimator"/>. Several threads may use one transformer; dispose it to release the network.
/// </summary>
public sealed class LinearizingTransformer : ITransformer, IDisposable
{
    private readonly SessionCache sessions;
    private readonly ColumnBinding fitted;

    internal LinearizingTransformer(LinearizationGraph graph, DataViewSchema schema)
    {
        fitted = new ColumnBinding(graph, schema);
        sessions = new SessionCache(fitted.Graph);
    }

    /// <summary>The compiled graph that gives the columns.</summary>
    public LinearizationGraph Graph => sessions.Graph;

    internal SessionCache Sessions => sessions;

    /// <summary>True: each row is explained by itself.</summary>
    public bool IsRowToRowMapper => true;

    /// <summary>The schema of <see cref="Transform"/>'s result.</summary>
    /// <exception cref="ArgumentException">A column is missing, has another type or size, or an output column's name is taken.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema) => Bind(inputSchema).OutputSchema;

    /// <summary>
    /// The data with the explanation columns appended. Nothing is computed before a cursor reads it, and only for the
    /// columns it reads.
    /// </summary>
    /// <exception cref="ArgumentException">A column is missing, has another type or size, or an output column's name is taken.</exception>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new LinearizedView(input, Bind(input.Schema), sessions);
    }

    /// <summary>Explains single rows, as <see cref="PredictionEngine{TSrc, TDst}"/> does.</summary>
    /// <exception cref="ArgumentException">A column is missing, has another type or size, or an output column's name is taken.</exception>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema) => new RowMapper(Bind(inputSchema), sessions);

    /// <summary>
    /// What the network makes of a whole data set: mean, mean absolute and quantiles of the attribution of each feature to
    /// each explained output, the mean bias, and the errors. One pass over the rows, of which it keeps none but a sample.
    /// </summary>
    /// <param name="input">Rows as <see cref="Transform"/> takes them.</param>
    /// <param name="quantiles">Which quantiles, each from 0 to 1. Default: 0.05, 0.25, 0.5, 0.75 and 0.95.</param>
    /// <remarks>
    /// Attributions are those before <see cref="LinearizeOptions.TopFeatures"/> leaves the smaller ones out. Means are
    /// exact. Quantiles are those of a uniform sample of the rows (J. Vitter, "Random sampling with a reservoir", 1985) that
    /// is the same in every pass: at most 1,024 rows for each output, fewer, but at least 32, where samples of all outputs
    /// would take more than 64 MiB. Up to that many rows they are exact; beyond, the share of rows below the quantile q of a
    /// sample of m rows is off q by √(q(1 − q)/m) in standard deviation, at most 0.016 for 1,024.
    /// </remarks>
    /// <exception cref="ArgumentException">A column is missing or has another type or size.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A quantile is not from 0 to 1.</exception>
    public LinearizationSummary Summarize(IDataView input, IReadOnlyList<double>? quantiles = null)
    {
        ArgumentNullException.ThrowIfNull(input);
        return DataSetSummary.Make(sessions, input, quantiles ?? DataSetSummary.DefaultQuantiles);
    }

    /// <summary>
    /// How well the explanations say what the network computed: completeness, deletion and insertion, comprehensiveness and
    /// sufficiency, infidelity, max-sensitivity and a check by randomised weights, beside input × gradient, occlusion and
    /// random attributions. The measures and their sources are at <see cref="MethodEvaluation"/>.
    /// </summary>
    /// <param name="input">
    /// Rows as <see cref="Transform"/> takes them. Each costs hundreds or thousands of runs of the network, in batches; a few
    /// hundred rows tell the means.
    /// </param>
    /// <param name="options">Baseline, samples and seed.</param>
    /// <param name="progress">Hears of the number of rows that are done.</param>
    /// <param name="cancellation">Stops between runs of the network.</param>
    /// <exception cref="ArgumentException">A column is missing or has another type or size; an option is out of range or does not fit the network; a target is the difference of two outputs.</exception>
    /// <exception cref="InvalidOperationException">An inner tensor or an input of whole numbers is explained, or the transformer is one of a loaded model, which keeps no scores.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public AttributionEvaluation Evaluate(IDataView input, EvaluateOptions? options = null, IProgress<long>? progress = null, CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(input);
        return Evaluation.DataSetEvaluation.Make(sessions, input, options ?? new(), progress, cancellation);
    }

    /// <summary>Releases the network. Cursors and prediction engines over this transformer cannot go on.</summary>
    public void Dispose() => sessions.Dispose();

    /// <summary>
    /// Writes the linearization graph as ML.NET's own ONNX stage: ML.NET keeps its way of registering stages to itself,
    /// and this way the model also loads where this library is absent.
    /// </summary>
    /// <exception cref="IOException">The temporary file that ML.NET's stage reads cannot be written.</exception>
    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        ArgumentNullException.ThrowIfNull(ctx);
        StockStage.Save(ctx, fitted);
    }

    private ColumnBinding Bind(DataViewSchema schema)
    {
        ArgumentNullException.ThrowIfNull(schema);
        return ReferenceEquals(schema, fitted.InputSchema) ? fitted : new ColumnBinding(Graph, schema);
    }
}
