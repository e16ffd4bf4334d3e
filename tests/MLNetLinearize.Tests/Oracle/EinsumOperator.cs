namespace MLNetLinearize.Tests.Oracle;

/// <summary>Einsum by its definition: every operand laid out over all axes of the equation, multiplied, and summed.</summary>
internal static class EinsumOperator
{
    public static Dual Apply(OracleNode node)
    {
        var sides = node.Text("equation", "").Replace(" ", "", StringComparison.Ordinal).Split("->");
        var terms = sides[0].Split(',').Select((t, i) => Spelled(t, node[i].Rank)).ToArray();
        var once = terms.SelectMany(t => t).GroupBy(c => c).Where(g => g.Count() == 1 && char.IsLetter(g.Key)).Select(g => g.Key).Order();
        var ellipsis = terms.SelectMany(t => t).Where(char.IsDigit).Distinct().OrderDescending();
        string result = sides.Length > 1 ? sides[1].Replace("...", string.Concat(ellipsis), StringComparison.Ordinal) : string.Concat(ellipsis.Concat(once));
        char[] letters = [.. result, .. terms.SelectMany(t => t).Distinct().Where(c => !result.Contains(c))];
        int[] full = [.. letters.Select(c => terms.Select((t, i) => t.Contains(c) ? node[i].Shape[t.IndexOf(c)] : 1).Max())];
        var product = terms.Select((t, i) => LaidOut(node[i], t, letters, full)).Aggregate((a, b) => a * b);
        return ReductionOperators.Sum(product, [.. Enumerable.Range(result.Length, letters.Length - result.Length)], keep: false);
    }

    /// <summary>The ellipsis as digits that count axes from the right.</summary>
    private static string Spelled(string term, int rank)
    {
        var width = rank - (term.Length - 3);
        return term.Replace("...", term.Contains('.') ? string.Concat(Enumerable.Range(0, width).Select(i => width - 1 - i)) : "", StringComparison.Ordinal);
    }

    private static Dual LaidOut(Dual x, string term, char[] letters, int[] full)
    {
        var strides = Shapes.Strides(x.Shape);
        return x.Pick(full, Shapes.Map(full, at => Enumerable.Range(0, term.Length).Sum(k => x.Shape[k] == 1 ? 0 : at[Array.IndexOf(letters, term[k])] * strides[k])));
    }
}
