using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLNetLinearize.Transforms;

/// <summary>A summary as a table.</summary>
internal static class SummaryView
{
    public static IDataView Make(MLContext context, LinearizationSummary summary)
    {
        // Its size is that of this summary, which no attribute can say.
        var schema = SchemaDefinition.Create(typeof(Line));
        schema[nameof(Line.AttributionQuantiles)].ColumnType = new VectorDataViewType(NumberDataViewType.Double, Math.Max(1, summary.Quantiles.Count));
        return context.Data.LoadFromEnumerable(Lines(summary), schema);
    }

    private static IEnumerable<Line> Lines(LinearizationSummary summary)
    {
        foreach (var target in summary.Targets)
            for (var f = 0; f < summary.Features.Count; f++)
                yield return new Line
                {
                    Target = target.Target,
                    TargetName = target.Name,
                    Feature = summary.Features[f],
                    Rows = target.Rows,
                    MeanScore = target.MeanScore,
                    MeanBias = target.MeanBias,
                    MeanAttribution = target.MeanAttribution[f],
                    MeanAbsoluteAttribution = target.MeanAbsoluteAttribution[f],
                    AttributionQuantiles = summary.Quantiles.Count == 0 ? [double.NaN] : [.. target.AttributionQuantiles.Select(q => q[f])],
                };
    }

    private sealed class Line
    {
        public long Target { get; set; }
        public string TargetName { get; set; } = "";
        public string Feature { get; set; } = "";
        public long Rows { get; set; }
        public double MeanScore { get; set; }
        public double MeanBias { get; set; }
        public double MeanAttribution { get; set; }
        public double MeanAbsoluteAttribution { get; set; }
        public double[] AttributionQuantiles { get; set; } = [];
    }
}
