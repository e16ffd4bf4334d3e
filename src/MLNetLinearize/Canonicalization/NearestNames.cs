namespace MLNetLinearize.Canonicalization;

/// <summary>Which known names a mistyped one may have meant.</summary>
internal static class NearestNames
{
    private const int Most = 3;

    /// <summary><c> Nearest: 'a', 'b'.</c>, or nothing where no name is near.</summary>
    public static string Hint(string name, IEnumerable<string> known)
    {
        var nearest = known.Distinct().Select(k => (Name: k, Distance: Distance(name, k)))
            .Where(k => k.Distance <= Math.Max(2, name.Length / 3) || k.Name.Contains(name, StringComparison.OrdinalIgnoreCase))
            .OrderBy(k => k.Distance).ThenBy(k => k.Name, StringComparer.Ordinal).Take(Most).Select(k => $"'{k.Name}'").ToList();
        return nearest.Count == 0 ? "" : $" Nearest: {string.Join(", ", nearest)}.";
    }

    /// <summary>Insertions, deletions and substitutions between two names, whatever their case (V. I. Levenshtein, 1966).</summary>
    private static int Distance(string a, string b)
    {
        int[] row = [.. Enumerable.Range(0, b.Length + 1)];
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var substituted = diagonal + (char.ToUpperInvariant(a[i - 1]) == char.ToUpperInvariant(b[j - 1]) ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substituted, Math.Min(row[j], row[j - 1]) + 1);
            }
        }
        return row[^1];
    }
}
