using Microsoft.ML;

namespace MLNetLinearize;

/// <summary>What a network makes of a data set: attributions, biases and errors over all rows.</summary>
public sealed record LinearizationSummary
{
    /// <summary>The properties by name.</summary>
    public override string ToString() => RecordText.Of(this);

    /// <summary>Number of rows read.</summary>
    public required long Rows { get; init; }

    /// <summary>Number of explained targets that no mean contains: NaN or infinite in score, bias or attribution, or without a known label.</summary>
    public required long Skipped { get; init; }

    /// <summary>Names of the features, in the order of all lists per feature; with several explained inputs <c>input.feature</c>.</summary>
    public required IReadOnlyList<string> Features { get; init; }

    /// <summary>The quantiles asked for, from 0 to 1.</summary>
    public required IReadOnlyList<double> Quantiles { get; init; }

    /// <summary>The outputs that some row explains, in order.</summary>
    public required IReadOnlyList<TargetSummary> Targets { get; init; }

    /// <summary>The mean of the column LinearizationError; NaN without rows.</summary>
    public required double MeanError { get; init; }

    /// <summary>The largest LinearizationError; NaN without rows.</summary>
    public required double LargestError { get; init; }

    /// <summary>Quantiles of LinearizationError, in the order of <see cref="Quantiles"/>.</summary>
    public required IReadOnlyList<double> ErrorQuantiles { get; init; }

    /// <summary>
    /// One row for each output and feature, with the columns Target (Int64), TargetName, Feature (text), Rows (Int64),
    /// MeanScore, MeanBias, MeanAttribution, MeanAbsoluteAttribution (Double) and AttributionQuantiles (vector of Double).
    /// </summary>
    /// <param name="context">Where the data view belongs.</param>
    public IDataView ToDataView(MLContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        return Transforms.SummaryView.Make(context, this);
    }
}

/// <summary>What speaks for one output of the network over a data set.</summary>
public sealed record TargetSummary
{
    /// <summary>The properties by name.</summary>
    public override string ToString() => RecordText.Of(this);

    /// <summary>Index of the output; of a contrast, its first.</summary>
    public required long Target { get; init; }

    /// <summary>Its class name, else its index.</summary>
    public required string Name { get; init; }

    /// <summary>Number of rows that explain it.</summary>
    public required long Rows { get; init; }

    /// <summary>Number of rows that the quantiles come from.</summary>
    public required int SampledRows { get; init; }

    /// <summary>Mean explained score: the sum of <see cref="MeanAttribution"/> and <see cref="MeanBias"/>, up to rounding.</summary>
    public required double MeanScore { get; init; }

    /// <summary>Mean bias: what no input contributed.</summary>
    public required double MeanBias { get; init; }

    /// <summary>Mean attribution of each feature.</summary>
    public required IReadOnlyList<double> MeanAttribution { get; init; }

    /// <summary>Mean absolute attribution of each feature: how much it matters, whichever way.</summary>
    public required IReadOnlyList<double> MeanAbsoluteAttribution { get; init; }

    /// <summary>For each quantile asked for, that of each feature's attribution.</summary>
    public required IReadOnlyList<IReadOnlyList<double>> AttributionQuantiles { get; init; }
}
