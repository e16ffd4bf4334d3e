using System.Globalization;
using Microsoft.ML;
using ParametricTSne;
using ParametricTSne.Pictures;
using Samples.Shared;

// Two networks that learnt, without labels, to place images on a map (L. van der Maaten, "Learning a Parametric Embedding by
// Preserving Local Structure", AISTATS 2009), linearized image by image: position = W·pixels + b.
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args.Length > 1 || args is ["--help" or "-h"])
{
    Console.WriteLine("ParametricTSne [OUTPUT FOLDER]    places, measures, explains and draws; pictures go to the folder (default: samples/output)");
    return args.Length > 1 ? 1 : 0;
}
var samples = SampleData.Folder;
var output = args.Length == 1 ? args[0] : Path.Combine(samples, "output");
Directory.CreateDirectory(output);
var ml = new MLContext(seed: 1);
Tell(Collection.Digits(ml, samples), moved: 100, pairs: 4);
Tell(Collection.Fashion(samples), moved: 100, pairs: 4);
return 0;

void Tell(Collection collection, int moved, int pairs)
{
    var encoder = Path.Combine(samples, "models", collection.Encoder);
    var points = Point.Place(ml, encoder, collection.HeldOut);
    var neighbours = ReferenceEquals(collection.HeldOut, collection.Neighbours) ? points : Point.Place(ml, encoder, collection.Neighbours);

    Console.WriteLine($"{collection.HeldOut.Length:N0} {collection.Name} the network had never seen ({collection.Encoder})");
    Console.WriteLine("                        1-NN accuracy   trustworthiness (k = 12)");
    var map = Quality(collection, [.. points.Select(Place)], [.. neighbours.Select(Place)], "parametric t-SNE");
    var fitted = Pixels(collection.Neighbours);
    Quality(collection, MapQuality.PrincipalComponents(fitted, Pixels(collection.HeldOut)), MapQuality.PrincipalComponents(fitted, fitted), "two components (PCA)");
    if (collection.Learnt is { } learnt)
    {
        map = MapQuality.NearestNeighbourAccuracy([.. points.Select(Place)], collection.HeldOut, learnt);
        Console.WriteLine($"  (neighbours: each other; with the {learnt.Labels.Length:N0} images it learnt from as neighbours, parametric t-SNE has {map:P1})");
    }

    var moves = Motion.Measure(encoder, [.. points.Take(moved)]);
    var (inside, beyond) = (moves.Where(m => m.Inside).ToArray(), moves.Where(m => !m.Inside).ToArray());
    Console.WriteLine($"exactness: |position − (Σ contributions + bias)| at most {points.Max(p => p.Error):0.0e+0} (relative to the position, if that is above 1)");
    Console.WriteLine($"motion:    {moves.Length} moves of a pixel; {inside.Length} inside the linear region, predicted within {inside.Max(m => m.Gap):0.0e+0}; "
        + $"beyond it, within {(beyond.Length == 0 ? 0 : beyond.Max(m => m.Gap)):0.00}");

    var closest = Between.ClosestPairs(points, collection.Classes.Length, pairs).Select(p => Between.Of(points, p.From, p.To)).ToArray();
    Console.WriteLine("closest classes: " + string.Join(", ", closest.Select(b => $"{collection.Classes[b.From]} – {collection.Classes[b.To]} ({b.Distance:0.00} apart)")));

    MapPicture.Save(Picture("map"), collection, points, $"Of the {collection.Learnt?.Labels.Length ?? collection.Neighbours.Length:N0} images it learnt from, the nearest is of the same class in {map:P1} of cases. Colours are the classes, which it was not told.");
    ReasonPicture.Save(Picture("why"), collection, Chosen(collection, points), points);
    MotionPicture.Save(Picture("motion"), moves);
    BetweenPicture.Save(Picture("between"), collection, points, closest);
    Console.WriteLine($"pictures:  {collection.Name}-map.png, {collection.Name}-why.png, {collection.Name}-motion.png, {collection.Name}-between.png");
    Console.WriteLine();

    string Picture(string kind) => Path.Combine(output, $"{collection.Name}-{kind}.png");
}

static double Quality(Collection collection, float[][] map, float[][] neighbours, string name)
{
    var accuracy = MapQuality.NearestNeighbourAccuracy(map, collection.HeldOut, neighbours, collection.Neighbours);
    Console.WriteLine($"  {name,-22}{accuracy,13:P1}{MapQuality.Trustworthiness(Pixels(collection.HeldOut), map, 12),15:0.000}");
    return accuracy;
}

static float[][] Pixels(Image[] images) => [.. images.Select(i => i.Pixels)];

static float[] Place(Point point) => [point.X, point.Y];

// One image of each of six classes: the first that lies near its class's centre, so that it stands for the class.
static Point[] Chosen(Collection collection, Point[] points) =>
    [.. Enumerable.Range(0, collection.Classes.Length).Where(c => c is not (1 or 2 or 4 or 6)).Take(6).Select(c =>
    {
        var (x, y) = Between.Centre(points, c);
        return points.Where(p => p.Image.Label == c).MinBy(p => Math.Pow(p.X - x, 2) + Math.Pow(p.Y - y, 2))!;
    })];
