using MLNetLinearize.Tests.Oracle;

namespace MLNetLinearize.Tests.Rules;

/// <summary>Comparisons relative to the largest element: small elements beside large ones carry their rounding.</summary>
internal static class Agreement
{
    public const double Relative = 1e-5;
    public const double Absolute = 1e-6;

    public static void AssertClose(IEnumerable<double> expected, IEnumerable<double> actual, string what, double relative = Relative, double absolute = Absolute)
    {
        var (e, a) = (expected.ToArray(), actual.ToArray());
        Assert.True(e.Length == a.Length, $"{what}: expected {e.Length} elements, got {a.Length}.");
        var allowed = Math.Max(absolute, relative * e.Select(Math.Abs).DefaultIfEmpty().Max());
        for (var i = 0; i < e.Length; i++)
            if (!(Math.Abs(e[i] - a[i]) <= allowed)) Assert.Fail($"{what}[{i}]: expected {e[i]:G9}, got {a[i]:G9}; difference {Math.Abs(e[i] - a[i]):G3}, allowed {allowed:G3}.\n  expected {Show(e)}\n  actual   {Show(a)}");
    }

    /// <summary>
    /// The error column is at most 1e-5, and the error relative to the score alone at most 1e-4. Where large contributions
    /// cancel, neither score nor sum can be held that closely in single precision: there <paramref name="roundings"/> of the sum of their
    /// absolute values are allowed in W·x + b, and four in the graph's own arithmetic.
    /// </summary>
    public static void AssertExact(LinearMap map, int k, string what, int roundings = 1)
    {
        var terms = map.Weights.Row(k).Zip(map.Input, (w, x) => (double)w * x).ToList();
        var (score, difference) = (Math.Abs((double)map.ExplainedScores[k]), Math.Abs(map.ExplainedScores[k] - (terms.Sum() + map.Bias[k])));
        var rounding = Math.ScaleB(terms.Sum(Math.Abs) + Math.Abs(map.Bias[k]), -23);
        Assert.True(map.Error[k] * Math.Max(1, score) <= Math.Max(1e-5 * Math.Max(1, score), 4 * rounding), $"{what}: error column {map.Error[k]}, score {score}, rounding {rounding}");
        Assert.True(difference <= Math.Max(score > 0.01 ? 1e-4 * score : 1e-5, roundings * rounding), $"{what}: |F − (W·x + b)| = {difference}, score {score}, rounding {rounding}");
    }

    /// <summary>W and b of each explained target are the oracle's; b within the rounding of the terms that it is the rest of.</summary>
    public static void AssertAgree(AffineMap oracle, LinearMap map, string what)
    {
        var terms = Math.Max(Absolute, Relative * RuleTests.Terms(map));
        for (var k = 0; k < map.Targets.Count; k++)
        {
            AssertClose(oracle.Weights.Row((int)map.Targets[k]), map.Weights.Row(k).Widened(), $"W of {what}, target {k}, against the oracle");
            AssertClose([oracle.Bias[(int)map.Targets[k]]], [map.Bias[k]], $"b of {what}, target {k}, against the oracle", absolute: terms);
        }
    }

    /// <summary>Numbers between −1 and 1.</summary>
    public static float[] Row(int length, Random random) => [.. Enumerable.Range(0, length).Select(_ => random.NextSingle() * 2 - 1)];

    public static IEnumerable<double> Widened(this IEnumerable<float> values) => values.Select(v => (double)v);

    private static string Show(double[] values) => string.Join(", ", values.Take(24).Select(v => v.ToString("G5", null))) + (values.Length > 24 ? ", …" : "");
}
