namespace MLNetLinearize.Reporting;

/// <summary>One contribution: index of the input element, and its value.</summary>
internal readonly record struct Contribution(int Index, float Value);

/// <summary>The strongest contributions of a row.</summary>
internal static class TopFeatures
{
    /// <summary>
    /// The <paramref name="count"/> contributions that are largest by absolute value, strongest first; equal ones in input order.
    /// Zeros and NaN are no contributions, so fewer may come back.
    /// </summary>
    public static IReadOnlyList<Contribution> Strongest(ReadOnlySpan<float> contributions, int count)
    {
        // Kept sorted by insertion: count is small, and nearly every element fails the first comparison.
        var kept = new List<Contribution>(Math.Min(count, contributions.Length) + 1);
        for (var i = 0; i < contributions.Length; i++)
        {
            var size = Math.Abs(contributions[i]);
            if (!(size > 0) || (kept.Count == count && (count == 0 || size <= Math.Abs(kept[^1].Value)))) continue;
            var at = kept.Count;
            while (at > 0 && Math.Abs(kept[at - 1].Value) < size) at--;
            kept.Insert(at, new Contribution(i, contributions[i]));
            if (kept.Count > count) kept.RemoveAt(count);
        }
        return kept;
    }
}
