using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize;

namespace DownstreamAnalysis;

/// <summary>A photograph, the class the network gave it, and how much each pixel contributed to that.</summary>
internal sealed class Explained
{
    [VectorType(Photograph.Side * Photograph.Side)] public float[] Pixels { get; set; } = [];

    public bool Marked { get; set; }

    [VectorType(1)] public long[] ExplainedTarget { get; set; } = [];

    [VectorType(Photograph.Side * Photograph.Side)] public float[] Attribution { get; set; } = [];

    /// <summary>The attribution at length 1: what counts is how the reasons are shared out, not how sure the network is.</summary>
    [VectorType(Photograph.Side * Photograph.Side)] public float[] Why { get; set; } = [];

    /// <summary>The pixels at length 1.</summary>
    [VectorType(Photograph.Side * Photograph.Side)] public float[] What { get; set; } = [];

    public int Class => (int)ExplainedTarget[0];

    public static Explained[] Of(MLContext ml, string model, IEnumerable<Photograph> photographs)
    {
        var schema = SchemaDefinition.Create(typeof(Photograph));
        schema[nameof(Photograph.Pixels)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, Photograph.Side * Photograph.Side);
        var data = ml.Data.LoadFromEnumerable(photographs, schema);
        using var pipeline = ml.Transforms.Linearize(model, new() { InputColumn = nameof(Pixels) })
            .Append(ml.Transforms.NormalizeLpNorm(nameof(Why), nameof(Attribution)))
            .Append(ml.Transforms.NormalizeLpNorm(nameof(What), nameof(Pixels)))
            .Fit(data);
        return [.. ml.Data.CreateEnumerable<Explained>(pipeline.Transform(data), reuseRowObject: false)];
    }
}
