using SkiaSharp;

namespace MLNetLinearize.Reporting;

/// <summary>
/// Outlines of an image as lines of equal brightness (marching squares: W. Lorensen and H. Cline's marching cubes, 1987,
/// in the plane). Drawn over a heat map, they show which part of the object a pixel belongs to without tinting the map.
/// </summary>
internal static class Contours
{
    /// <summary>
    /// The level that best parts object from background: it splits the values into the two groups of least variance within
    /// (N. Otsu, "A Threshold Selection Method from Gray-Level Histograms", 1979), over 64 levels.
    /// </summary>
    public static float Threshold(float[] values)
    {
        var (low, high) = (values.Min(), values.Max());
        const int bins = 64;
        var counts = new double[bins];
        if (!(high > low)) return low;
        foreach (var value in values) counts[Math.Min(bins - 1, (int)((value - low) / (high - low) * bins))]++;
        double total = values.Length, sum = counts.Select((c, i) => c * i).Sum(), below = 0, sumBelow = 0, best = -1;
        var level = 0;
        for (var i = 0; i < bins - 1; i++)
        {
            (below, sumBelow) = (below + counts[i], sumBelow + counts[i] * i);
            if (below == 0 || below == total) continue;
            var apart = sumBelow / below - (sum - sumBelow) / (total - below);
            var between = below * (total - below) * apart * apart;
            if (between > best) (best, level) = (between, i + 1);
        }
        return low + (high - low) * level / bins;
    }

    /// <summary>The line where <paramref name="values"/>, taken at pixel centres, cross <paramref name="level"/>; one unit is one pixel.</summary>
    public static SKPath Trace(float[] values, int width, int height, float level)
    {
        var path = new SKPath();
        // Pixel centres end half a pixel inside the image; one ring of cells beyond them carries the lines on to its border.
        for (var y = -1; y < height; y++)
            for (var x = -1; x < width; x++) Cell(path, x, y, At(x, y), At(x + 1, y), At(x + 1, y + 1), At(x, y + 1), level);
        return path;

        float At(int x, int y) => values[Math.Clamp(y, 0, height - 1) * width + Math.Clamp(x, 0, width - 1)];
    }

    /// <summary>Draws the part of the line within the cell between four pixel centres: a, b on top, d, c below.</summary>
    private static void Cell(SKPath path, int x, int y, float a, float b, float c, float d, float level)
    {
        Span<SKPoint> crossings = stackalloc SKPoint[4];
        var n = 0;
        var (left, top) = (x + 0.5f, y + 0.5f);
        if (a > level != b > level) crossings[n++] = new(left + (level - a) / (b - a), top);
        if (b > level != c > level) crossings[n++] = new(left + 1, top + (level - b) / (c - b));
        if (d > level != c > level) crossings[n++] = new(left + (level - d) / (c - d), top + 1);
        if (a > level != d > level) crossings[n++] = new(left, top + (level - a) / (d - a));
        // A saddle crosses all four sides; the cell's mean says which corners belong together.
        var turn = n == 4 && ((a + b + c + d) / 4 > level) == a > level ? 0 : 1;
        for (var i = 0; i + 1 < n; i += 2)
        {
            path.MoveTo(crossings[n == 4 ? i : 0]);
            path.LineTo(crossings[n == 4 ? (i + (turn == 0 ? 1 : 3)) % 4 : 1]);
        }
    }
}
