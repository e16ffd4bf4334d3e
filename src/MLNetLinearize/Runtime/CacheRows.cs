using System.Numerics;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Runtime;

/// <summary>
/// Rows of one run of the network. A run touches each row's activations forward, and those that cotangents and tangents pass
/// once more for each of these; as many rows as a core's cache holds of that are a run, so that convolutional networks get a
/// few rows and small dense ones many, which share the cost of starting it. But too few rows do not pay for starting so many
/// operators; and every run reads all weights as well: where they outweigh the activations, as in a wide dense layer, more
/// rows share them.
/// </summary>
internal static class CacheRows
{
    private const long CacheElements = (2L << 20) / sizeof(float);

    /// <summary>Elements that a run touches at the least where it can, or starting its many operators costs more than the cache saves.</summary>
    private const long FewestElements = (24L << 20) / sizeof(float);

    private const int Fewest = 2;

    /// <summary>Rows of one target that a run has beyond what the cache holds; of several targets so many fewer.</summary>
    private const int MostBeyondCache = 16;

    private const int Most = 256;

    /// <summary>Times that a run's activations outweigh the weights it reads.</summary>
    private const long WeightsShare = 2;

    /// <param name="graph">The graph.</param>
    /// <param name="elements">Elements of a row that go in and come out.</param>
    /// <returns>A power of two; what the user chose, if anything.</returns>
    public static int Of(LinearizationGraph graph, long elements)
    {
        if (graph.Options.BatchSize is { } chosen) return chosen;
        var touched = Math.Max(1, Touched(graph) + elements);
        var weights = graph.Model.Graph.Initializer.Sum(t => t.Count());
        var fewest = Math.Clamp(FewestElements / touched, Fewest, Math.Max(Fewest, MostBeyondCache / graph.TargetCount));
        return 1 << BitOperations.Log2((uint)Math.Clamp(Math.Max(CacheElements, WeightsShare * weights) / touched, fewest, Most));
    }

    /// <summary>Elements of all activations, cotangents and tangents of a row.</summary>
    public static long Touched(LinearizationGraph graph)
    {
        var activations = graph.Report.Nodes.Sum(n => n.OutputShape.Aggregate(1L, (a, d) => a * d));
        return activations + (graph.Report.Accumulation?.Elements ?? activations * graph.TargetCount);
    }
}
