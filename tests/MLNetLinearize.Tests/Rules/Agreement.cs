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

    public static IEnumerable<double> Widened(this IEnumerable<float> values) => values.Select(v => (double)v);

    private static string Show(double[] values) => string.Join(", ", values.Take(24).Select(v => v.ToString("G5", null))) + (values.Length > 24 ? ", …" : "");
}
