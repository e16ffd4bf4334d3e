namespace MLNetLinearize.Tests.Oracle;

/// <summary>Losses, element by element: minus the weighed score of each element's label.</summary>
internal static class LossOperators
{
    public static IReadOnlyList<Dual> SoftmaxCrossEntropy(OracleNode node)
    {
        var logarithms = Reading.Tangent(() => NormalizationOperators.Softmax(node.X, [1], logarithm: true));
        return [NegativeLogLikelihood(node, logarithms), logarithms];
    }

    public static Dual NegativeLogLikelihood(OracleNode node, Dual logarithms)
    {
        var (labels, classes, inner) = (node[1].Integers, logarithms.Shape[1], Shapes.Count(logarithms.Shape[2..]));
        var isRead = labels.Select(l => !node.Has("ignore_index") || l != node.Int("ignore_index", 0)).ToArray();
        var weights = node.Optional(2) is { } given
            ? given.Pick(node[1].Shape, [.. labels.Select((l, i) => isRead[i] ? (int)l : -1)])
            : new Dual(node[1].Shape, [.. isRead.Select(r => r ? 1.0 : 0)]);
        Dual Total(Dual terms) => ReductionOperators.Sum(terms, [.. Enumerable.Range(0, terms.Rank)], keep: false);
        // Label i is that of row i / inner, at place i % inner.
        var picked = logarithms.Pick(node[1].Shape, [.. labels.Select((l, i) => isRead[i] ? (i / inner * classes + (int)l) * inner + i % inner : -1)]);
        var losses = picked * weights * Dual.Scalar(-1);
        return node.Text("reduction", "mean") switch
        {
            "none" => losses,
            "sum" => Total(losses),
            _ => Total(losses) / Total(weights),
        };
    }
}
