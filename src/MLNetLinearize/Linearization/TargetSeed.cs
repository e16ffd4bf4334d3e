using MLNetLinearize.Rules;

namespace MLNetLinearize.Linearization;

/// <summary>
/// What the reverse pass starts from: for each target the cotangent of the row's scores, a one-hot vector or a difference
/// of two.
/// </summary>
/// <param name="Cotangent">[K, N, C], or [N, C] when K = 1; with 1 for N where it is the same for every row.</param>
/// <param name="Targets">Explained outputs, Int64 [N, K].</param>
/// <param name="Scores">Explained scores, [N, K].</param>
/// <param name="IsUniform">Whether <paramref name="Cotangent"/> is the same for every row.</param>
/// <param name="Poison">[N, 1] or [N, K]: 0, or NaN for a row whose label names no output, or whose score is not finite; null where that cannot happen.</param>
internal sealed record TargetSeed(string Cotangent, string Targets, string Scores, bool IsUniform = false, string? Poison = null)
{
    /// <summary>Whether each target is one element, the same for every row.</summary>
    public bool IsUnit { get; init; }

    /// <summary><see cref="Cotangent"/> with all N rows.</summary>
    public string EveryRow(Emitter e) => IsUniform ? e.RepeatFor(e.Slice(Scores, 0, 1, 1), Cotangent) : Cotangent;

    /// <summary>The same with NaN for scores that are not finite: no numbers explain them.</summary>
    public TargetSeed Finite(Emitter e)
    {
        var poison = e.Sub(Scores, Scores); // ∞ − ∞ is NaN
        return this with { Poison = Poison is null ? poison : e.Add(Poison, poison) };
    }

    /// <summary>A tensor [N, K, d…] with NaN in the rows, or for the targets, that nothing can be said of.</summary>
    /// <param name="e">Writer.</param>
    /// <param name="tensor">The tensor.</param>
    /// <param name="rank">Number of dimensions d….</param>
    public string Mark(Emitter e, string tensor, int rank) => Poison is null ? tensor : e.Add(tensor, e.Unsqueeze(Poison, 2, rank));

    /// <param name="e">Writer.</param>
    /// <param name="targets">Which outputs.</param>
    /// <param name="score">The score tensor [N, C].</param>
    /// <param name="count">C.</param>
    public static TargetSeed Emit(Emitter e, Targets targets, string score, int count) => targets.Kind switch
    {
        TargetKind.Predicted => Single(e, score, count, e.Op("ArgMax", [score], ("axis", 1), ("keepdims", 1))),
        TargetKind.Top => Best(e, score, count, targets.Count),
        TargetKind.All => Fixed(e, score, count, [.. Enumerable.Range(0, count)], e.Eye(count, count)),
        TargetKind.Classes => Fixed(e, score, count, targets.Indices),
        TargetKind.Contrast => Contrast(e, score, count, targets.Indices[0], targets.Indices[1]),
        TargetKind.PredictedVersusRunnerUp => RunnerUp(e, score, count),
        _ => FromLabel(e, score, count),
    };

    /// <summary>Whether targets of a kind are the same outputs for every row.</summary>
    public static bool IsSame(TargetKind kind) => kind is TargetKind.All or TargetKind.Classes or TargetKind.Contrast;

    /// <summary>K.</summary>
    /// <exception cref="InvalidModelException">A target is not among the outputs.</exception>
    public static int Count(Targets targets, int outputs)
    {
        switch (targets.Kind)
        {
            case TargetKind.Top when targets.Count > outputs:
                throw new InvalidModelException($"Targets.Top({targets.Count}) asks for more outputs than the explained tensor has ({outputs}). Ask for at most {outputs}, or use Targets.All.");
            case TargetKind.Classes or TargetKind.Contrast when targets.Indices.Any(i => i >= outputs):
                throw new InvalidModelException($"Targets '{targets}' names output {targets.Indices.First(i => i >= outputs)}, but the explained tensor has the outputs 0 to {outputs - 1}.");
            case TargetKind.PredictedVersusRunnerUp when outputs < 2:
                throw new InvalidModelException("Targets.PredictedVersusRunnerUp needs two outputs or more; the explained tensor has one. Use Targets.Predicted.");
        }
        return targets.Kind switch
        {
            TargetKind.Top => targets.Count,
            TargetKind.All => outputs,
            TargetKind.Classes => targets.Indices.Count,
            _ => 1,
        };
    }

    private static TargetSeed Single(Emitter e, string score, int count, string index)
    {
        var cotangent = OneHot(e, e.Squeeze(index, 1), count);
        e.PickedChannels.Mark(cotangent, new(e.Indicator(e.Op("Equal", [index, index])), index, IsSameAllOver: true));
        return new(cotangent, index, e.Op("GatherElements", [score, index], ("axis", 1)));
    }

    private static TargetSeed Best(Emitter e, string score, int count, int k)
    {
        var (values, indices) = e.Two("TopK", [score, e.Ints(k)], ("axis", 1), ("largest", 1), ("sorted", 1));
        return new(OneHot(e, k == 1 ? e.Squeeze(indices, 1) : e.Transpose(indices, 1, 0), count), indices, values);
    }

    private static TargetSeed Fixed(Emitter e, string score, int count, IReadOnlyList<int> classes)
    {
        var rows = new float[classes.Count * count];
        for (var i = 0; i < classes.Count; i++) rows[i * count + classes[i]] = 1;
        return Fixed(e, score, count, classes, e.Floats(rows, classes.Count, count));
    }

    private static TargetSeed Fixed(Emitter e, string score, int count, IReadOnlyList<int> classes, string rows)
    {
        var k = classes.Count;
        var n = e.Slice(e.Shape(score), 0, 1, 0);
        var targets = e.Op("Expand", [e.Reshape(e.Ints([.. classes.Select(c => (long)c)]), 1, k), e.Concat([n, e.Ints(1)], 0)]);
        return new(AnyRow(e, rows, k, count), targets, e.Op("GatherElements", [score, targets], ("axis", 1)), IsUniform: true) { IsUnit = true };
    }

    /// <summary>A matrix [K, C] for any row: [K, 1, C], or [1, C] when K = 1.</summary>
    public static string AnyRow(Emitter e, string matrix, long k, long count) => k == 1 ? matrix : e.Reshape(matrix, k, 1, count);

    private static TargetSeed Contrast(Emitter e, string score, int count, int a, int b)
    {
        var (first, second) = (Fixed(e, score, count, [a]), Fixed(e, score, count, [b]));
        return new(e.Sub(first.Cotangent, second.Cotangent), first.Targets, e.Sub(first.Scores, second.Scores), IsUniform: true);
    }

    private static TargetSeed RunnerUp(Emitter e, string score, int count)
    {
        var (_, indices) = e.Two("TopK", [score, e.Ints(2)], ("axis", 1), ("largest", 1), ("sorted", 1));
        var (first, second) = (Single(e, score, count, e.Slice(indices, 0, 1, 1)), Single(e, score, count, e.Slice(indices, 1, 2, 1)));
        return new(e.Sub(first.Cotangent, second.Cotangent), first.Targets, e.Sub(first.Scores, second.Scores));
    }

    private static TargetSeed FromLabel(Emitter e, string score, int count)
    {
        const string label = OutputNames.Label;
        var valid = e.Op("And", [e.Op("GreaterOrEqual", [label, e.Ints(0)]), e.Op("Less", [label, e.Ints(count)])]);
        var seed = Single(e, score, count, e.Op("Where", [valid, label, e.Ints(0)]));
        var poison = e.Op("Where", [valid, e.Scalar(0), e.Scalar(float.NaN)]);
        return seed with { Targets = e.Op("Where", [valid, label, e.Ints(-1)]), Scores = e.Add(seed.Scores, poison), Poison = poison };
    }

    /// <summary>Rows with a 1 each at an index, [N] or [K, N].</summary>
    private static string OneHot(Emitter e, string index, int count) => e.Op("OneHot", [index, e.Ints(count), e.Floats([0, 1], 2)], ("axis", -1));
}
