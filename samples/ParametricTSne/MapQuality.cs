using MathNet.Numerics.LinearAlgebra;

namespace ParametricTSne;

/// <summary>How well a map keeps what is near: by class (nearest neighbour) and without classes (trustworthiness).</summary>
internal static class MapQuality
{
    /// <summary>Share of held-out images whose nearest neighbour on the map has their class. An image is no neighbour of its own.</summary>
    public static double NearestNeighbourAccuracy(float[][] map, Image[] images, float[][] neighbours, Image[] neighbourImages) =>
        map.Select((p, i) => neighbourImages[Nearest(p, neighbours, j => ReferenceEquals(neighbourImages[j], images[i]))].Label == images[i].Label).Average(right => right ? 1.0 : 0);

    /// <summary>The same, of neighbours of which none is held out.</summary>
    public static double NearestNeighbourAccuracy(float[][] map, Image[] images, Learnt learnt) =>
        map.Select((p, i) => learnt.Labels[Nearest(p, learnt.Map, _ => false)] == images[i].Label).Average(right => right ? 1.0 : 0);

    /// <summary>
    /// Trustworthiness: 1 when the <paramref name="k"/> nearest points on the map are also the nearest images; each stranger among
    /// them costs by its rank (J. Venna and S. Kaski, "Neighborhood preservation in nonlinear projection methods", ICANN 2001).
    /// </summary>
    public static double Trustworthiness(float[][] images, float[][] map, int k)
    {
        var n = images.Length;
        double penalty = 0;
        for (var i = 0; i < n; i++)
        {
            var rank = new int[n];
            foreach (var (j, place) in Order(images, i).Select((j, place) => (j, place + 1))) rank[j] = place;
            penalty += Order(map, i).Take(k).Sum(j => Math.Max(0, rank[j] - k));
        }
        return 1 - penalty * 2 / (n * k * (2.0 * n - 3 * k - 1));
    }

    /// <summary>The first two principal components of <paramref name="fitted"/>, applied to <paramref name="images"/>: what a map without a network gives.</summary>
    public static float[][] PrincipalComponents(float[][] fitted, float[][] images)
    {
        var mean = Vector<double>.Build.Dense(fitted[0].Length, i => fitted.Average(row => (double)row[i]));
        var centred = Matrix<double>.Build.DenseOfRows(fitted.Select(row => row.Select((v, i) => v - mean[i])));
        var axes = (centred.TransposeThisAndMultiply(centred)).Evd(Symmetricity.Symmetric).EigenVectors; // ascending eigenvalues
        var (first, second) = (axes.Column(axes.ColumnCount - 1), axes.Column(axes.ColumnCount - 2));
        return [.. images.Select(row => Vector<double>.Build.Dense(row.Length, i => row[i] - mean[i])).Select(v => new[] { (float)(first * v), (float)(second * v) })];
    }

    private static int Nearest(float[] point, float[][] neighbours, Func<int, bool> isItself)
    {
        var (best, distance) = (-1, float.PositiveInfinity);
        for (var j = 0; j < neighbours.Length; j++)
            if (Squared(point, neighbours[j]) is var d && d < distance && !isItself(j)) (best, distance) = (j, d);
        return best;
    }

    private static IEnumerable<int> Order(float[][] rows, int i) =>
        Enumerable.Range(0, rows.Length).Where(j => j != i).Select(j => (j, Distance: Squared(rows[i], rows[j]))).OrderBy(p => p.Distance).Select(p => p.j);

    private static float Squared(float[] a, float[] b)
    {
        float sum = 0;
        for (var i = 0; i < a.Length; i++) sum += (a[i] - b[i]) * (a[i] - b[i]);
        return sum;
    }
}
