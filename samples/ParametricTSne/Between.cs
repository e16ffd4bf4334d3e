namespace ParametricTSne;

/// <summary>
/// Which pixels separate two classes on the map: for every image of <see cref="From"/>, the pull u·W of each pixel along the
/// direction u from this class's centre to the other's; averaged. Red: brightening the pixel moves such an image over.
/// </summary>
internal sealed record Between(int From, int To, float[] Pull, double Distance)
{
    public static Between Of(IReadOnlyList<Point> points, int from, int to)
    {
        var (here, there) = (Centre(points, from), Centre(points, to));
        var distance = Math.Sqrt(Math.Pow(there.X - here.X, 2) + Math.Pow(there.Y - here.Y, 2));
        var (ux, uy) = ((there.X - here.X) / distance, (there.Y - here.Y) / distance);
        var own = points.Where(p => p.Image.Label == from).ToArray();
        var pull = Enumerable.Range(0, own[0].Image.Pixels.Length).Select(i => (float)own.Average(p => ux * p.Weights[0, i] + uy * p.Weights[1, i]));
        return new(from, to, [.. pull], distance);
    }

    /// <summary>The median image's place: unlike the mean, it is not drawn off by the few that lie in another cluster.</summary>
    public static (double X, double Y) Centre(IReadOnlyList<Point> points, int label)
    {
        var own = points.Where(p => p.Image.Label == label).ToArray();
        return (own.OrderBy(p => p.X).ElementAt(own.Length / 2).X, own.OrderBy(p => p.Y).ElementAt(own.Length / 2).Y);
    }

    /// <summary>The classes whose centres lie closest, each class in one pair at most: the borders one asks about first.</summary>
    public static IEnumerable<(int From, int To)> ClosestPairs(IReadOnlyList<Point> points, int classes, int count)
    {
        var centres = Enumerable.Range(0, classes).Select(c => Centre(points, c)).ToArray();
        var pairs = Enumerable.Range(0, classes).SelectMany(a => Enumerable.Range(0, a).Select(b => (From: b, To: a)))
            .OrderBy(p => Math.Pow(centres[p.From].X - centres[p.To].X, 2) + Math.Pow(centres[p.From].Y - centres[p.To].Y, 2));
        var used = new HashSet<int>();
        foreach (var pair in pairs.ToArray())
        {
            if (used.Contains(pair.From) || used.Contains(pair.To) || used.Count >= 2 * count) continue;
            used.UnionWith([pair.From, pair.To]);
            yield return pair;
        }
    }
}
