using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize;
using MLNetLinearize.Transforms;

namespace Tabular;

/// <summary>A case explained in its own units: log-odds of malignant = Σ weight · measurement + bias.</summary>
internal sealed record Explained(Case Case, float LogOdds, float[] Weights, float Bias, float Error);

/// <summary>
/// ML.NET prepares the table (three columns joined, each measurement shifted and scaled), and a network scores it. Explained twice:
/// by what the network takes, where 0 is the average case, and by the columns of the table, where a weight is per unit.
/// </summary>
internal sealed class Explainer
{
    private const string Features = "Features";
    private readonly MLContext ml;
    private readonly ITransformer preprocessing;
    private readonly LinearizingTransformer standardized, raw;

    public Explainer(MLContext ml, string model, IDataView data)
    {
        this.ml = ml;
        preprocessing = ml.Transforms.Concatenate(Features, nameof(Case.Mean), nameof(Case.Error), nameof(Case.Worst))
            .Append(ml.Transforms.NormalizeMeanVariance(Features, fixZero: false))
            .Fit(data);
        var why = new LinearizeOptions { InputColumn = Features, Targets = Targets.Contrast(0, 1) }; // log-odds of malignant against benign
        standardized = ml.Transforms.Linearize(model, why).Fit(preprocessing.Transform(data));
        raw = ml.Transforms.Linearize(model, why with { Preprocessing = new(preprocessing, data.Schema) }).Fit(data);
    }

    /// <summary>Over all rows, what each measurement contributes by its difference from the average case.</summary>
    public LinearizationSummary Summarize(IDataView data) => standardized.Summarize(preprocessing.Transform(data));

    /// <summary>Contributions of each row by its differences from the average case.</summary>
    public float[][] FromAverage(IDataView data) => [.. standardized.Transform(preprocessing.Transform(data)).GetColumn<float[]>("Attribution")];

    /// <summary>Weights per unit of the table.</summary>
    public Explained[] PerUnit(IReadOnlyList<Case> cases) =>
        [.. ml.Data.CreateEnumerable<Row>(raw.Transform(ml.Data.LoadFromEnumerable(cases)), reuseRowObject: false)
            .Zip(cases, (row, one) => new Explained(one, row.ExplainedScore[0], row.Weights, row.Bias[0], row.LinearizationError[0]))];

    private sealed class Row
    {
        public float[] ExplainedScore { get; set; } = [];
        public float[] Weights { get; set; } = [];
        public float[] Bias { get; set; } = [];
        public float[] LinearizationError { get; set; } = [];
    }
}
