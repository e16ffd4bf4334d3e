using MLNetLinearize.Canonicalization;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Rules;

/// <summary>
/// Einsum: a sum of products over named axes. It is linear in each operand, and its transpose is an Einsum again: output and
/// operand change places, and an axis that only this operand has, over which it was summed, is stretched back.
/// </summary>
internal static class EinsteinSum
{
    public static void Einsum(Vjp v)
    {
        var (terms, result) = Terms(v.Node.Text("equation", ""), [.. Enumerable.Range(0, v.Node.Input.Count).Select(i => v.InShape(i).Rank)]);
        var active = Enumerable.Range(0, terms.Length).Where(v.Active).ToList();
        var carriers = Carriers(v, active);
        var share = v.Mode == Nonlinearity.Frozen ? 1f / carriers.Count : 1;
        foreach (var i in carriers) v.Give(i, Transposed(v, terms, result, i, v.E.Scaled(v.G, share)));
        // Each of n differentials comes to y at the point itself: n·y, of which y is the value and the rest remainder.
        if (v.Mode == Nonlinearity.Tangent && active.Count > 1) v.Offset(v.G, v.OutShape(), v.Out(), v.OutShape(), 1 - active.Count);
    }

    /// <summary>The operands that get a cotangent: all, or in <see cref="Nonlinearity.Frozen"/> those that are not held.</summary>
    private static List<int> Carriers(Vjp v, List<int> active)
    {
        var free = active.Where(i => !v.IsHeld(i)).ToList();
        return active.Count > 1 && free.Count > 0 ? free : active;
    }

    private static string Transposed(Vjp v, string[] terms, string result, int i, string g)
    {
        var (term, shape) = (terms[i], v.InShape(i));
        if (term.Distinct().Count() < term.Length) return OnDiagonal(v, terms, result, i, g);
        return Transposed(v, terms, result, i, g, term, shape);
    }

    /// <summary>An axis that the operand repeats reads its diagonal: the cotangent of that is put back there, by a product with unit matrices.</summary>
    private static string OnDiagonal(Vjp v, string[] terms, string result, int i, string g)
    {
        var (term, shape) = (terms[i], v.InShape(i));
        int[] first = [.. Enumerable.Range(0, term.Length).Where(k => term.IndexOf(term[k]) == k)];
        if (shape.HasBatch && !first.Contains(shape.BatchAxis) || shape.HasBatch && term.Count(c => c == term[shape.BatchAxis]) > 1) throw new RuleException("it takes a diagonal over the batch axis", "take it inside a row only");
        var unique = string.Concat(first.Select(k => term[k]));
        var diagonal = new TensorShape([.. first.Select(k => shape.Dims[k])], shape.HasBatch ? Array.IndexOf(first, shape.BatchAxis) : -1);
        var back = Transposed(v, [.. terms.Select((t, k) => k == i ? unique : t)], result, i, g, unique, diagonal);
        var letters = Unused([.. terms, result], 1 + term.Length);
        var (target, spelled, units) = (v.P == 0 ? "" : letters[..1], term.ToCharArray(), new List<(string Term, string Matrix)>());
        foreach (var k in Enumerable.Range(0, term.Length).Except(first))
        {
            spelled[k] = letters[1 + k];
            units.Add(($"{term[k]}{spelled[k]}", v.E.Eye(shape.Dims[k], shape.Dims[k])));
        }
        return v.E.Op("Einsum", [back, .. units.Select(u => u.Matrix)], ("equation", $"{string.Join(',', units.Select(u => u.Term).Prepend(target + unique))}->{target}{new string(spelled)}"));
    }

    private static string Transposed(Vjp v, string[] terms, string result, int i, string g, string term, TensorShape shape)
    {
        var others = Enumerable.Range(0, terms.Length).Where(k => k != i).ToList();
        var kept = string.Concat(term.Where(c => result.Contains(c) || others.Any(k => terms[k].Contains(c))));
        var target = v.P == 0 ? "" : Unused(terms, 1);
        var equation = $"{string.Join(',', others.Select(k => terms[k]).Prepend(target + result))}->{target}{kept}";
        var back = v.E.Op("Einsum", [g, .. others.Select(v.In)], ("equation", equation));
        // An axis of size 1 that was broadcast is summed, one that is missing is put in and stretched.
        var batch = v.OutShape().HasBatch ? result[v.OutShape().BatchAxis] : '\0';
        var full = new TensorShape([.. kept.Select(c => Size(v, terms, c))], kept.IndexOf(batch));
        var own = new TensorShape([.. kept.Select(c => shape.Dims[term.IndexOf(c)])], shape.HasBatch ? kept.IndexOf(term[shape.BatchAxis]) : -1);
        back = v.Unbroadcast(back, full, own);
        if (kept.Length == term.Length) return back;
        return v.ExpandTo(v.ReshapeTo(back, shape with { Dims = [.. term.Select((c, k) => kept.Contains(c) ? shape.Dims[k] : 1)] }), shape);
    }

    private static long Size(Vjp v, string[] terms, char letter) =>
        Enumerable.Range(0, terms.Length).Where(k => terms[k].Contains(letter)).Max(k => v.InShape(k).Dims[terms[k].IndexOf(letter)]);

    /// <summary>The equation with an ellipsis spelled out, aligned at the right, and an implicit result made explicit.</summary>
    private static (string[] Terms, string Result) Terms(string equation, int[] ranks)
    {
        const string Ellipsis = "...";
        var sides = equation.Replace(" ", "", StringComparison.Ordinal).Split("->");
        var terms = sides[0].Split(',');
        var widths = terms.Select((t, i) => t.Contains(Ellipsis, StringComparison.Ordinal) ? ranks[i] - (t.Length - Ellipsis.Length) : 0).ToArray();
        var letters = Unused(terms, widths.Max());
        // Without an arrow the result is what occurs once, in alphabetical order, behind the ellipsis.
        var result = sides.Length > 1 ? sides[1] : Ellipsis + string.Concat(string.Concat(terms).Where(char.IsLetter).GroupBy(c => c).Where(c => c.Count() == 1).Select(c => c.Key).Order());
        return ([.. terms.Select((t, i) => t.Replace(Ellipsis, letters[(letters.Length - widths[i])..], StringComparison.Ordinal))], result.Replace(Ellipsis, letters, StringComparison.Ordinal));
    }

    private static string Unused(string[] terms, int count) =>
        string.Concat(Enumerable.Range('A', 26).Concat(Enumerable.Range('a', 26)).Select(c => (char)c).Where(c => !terms.Any(t => t.Contains(c))).Take(count));
}
