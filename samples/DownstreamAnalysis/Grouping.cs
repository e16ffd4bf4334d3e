using Microsoft.ML;
using Microsoft.ML.Data;

namespace DownstreamAnalysis;

/// <summary>
/// Photographs of one predicted class in two groups, by k-means over one column. Separation is the Davies–Bouldin index: the
/// groups' widths over the distance between them (D. Davies and D. Bouldin, "A Cluster Separation Measure", 1979); below 1
/// the groups lie apart.
/// </summary>
internal sealed record Grouping(string Column, Explained[] First, Explained[] Second, double Separation)
{
    /// <summary>Rows in the smaller group. A few odd photographs always lie apart from the rest, and are no second reason.</summary>
    public int Smaller => Math.Min(First.Length, Second.Length);

    public static Grouping Of(MLContext ml, IReadOnlyList<Explained> rows, string column)
    {
        var data = ml.Data.LoadFromEnumerable(rows);
        var model = ml.Clustering.Trainers.KMeans(new() { FeatureColumnName = column, NumberOfClusters = 2, NumberOfThreads = 1 }).Fit(data);
        var grouped = model.Transform(data);
        var numbers = grouped.GetColumn<uint>("PredictedLabel").ToArray();
        var separation = ml.Clustering.Evaluate(grouped, featureColumnName: column).DaviesBouldinIndex;
        return new(column, [.. rows.Where((_, i) => numbers[i] == 1)], [.. rows.Where((_, i) => numbers[i] == 2)], separation);
    }

    /// <summary>
    /// How well the groups tell marked from unmarked: the share of marked photographs in the group that has more of them
    /// (purity), and the share of all marked ones that lie in it (recall).
    /// </summary>
    public (Explained[] Group, double Purity, double Recall) Found()
    {
        var group = Share(First) >= Share(Second) ? First : Second;
        return (group, Share(group), group.Count(r => r.Marked) / (double)(First.Count(r => r.Marked) + Second.Count(r => r.Marked)));
    }

    public static double Share(Explained[] group) => group.Length == 0 ? 0 : group.Count(r => r.Marked) / (double)group.Length;

    /// <summary>The mean of a column over a group.</summary>
    public static double[] Mean(Explained[] group, Func<Explained, float[]> column) =>
        [.. Enumerable.Range(0, column(group[0]).Length).Select(i => group.Average(r => (double)column(r)[i]))];
}
