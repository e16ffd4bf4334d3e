using System.Globalization;
using DownstreamAnalysis;
using Microsoft.ML;
using Samples.Shared;

// Attribution columns as data: photographs are put in groups by why the network classified them so, class after class. The class
// whose groups lie apart has two reasons, and here one of them is an artefact (the method of S. Lapuschkin et al., "Unmasking
// Clever Hans predictors and assessing what machines really learn", Nature Communications 10, 2019).
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args.Length > 1 || args is ["--help" or "-h"])
{
    Console.WriteLine("DownstreamAnalysis [OUTPUT FOLDER]    explains, groups, finds and draws; the picture goes to the folder (default: samples/output)");
    return args.Length > 1 ? 1 : 0;
}
var output = args.Length == 1 ? args[0] : Path.Combine(SampleData.Folder, "output");
Directory.CreateDirectory(output);
var model = Path.Combine(SampleData.Folder, "models/fashion-marked-mlp.onnx");
var classes = File.ReadAllLines(Path.Combine(SampleData.Folder, "data/fashion-mnist/labels.txt"));
var ml = new MLContext(seed: 1);

var photographs = Photograph.Load();
var explained = Explained.Of(ml, model, photographs);
var right = explained.Zip(photographs).Count(p => p.First.Class == p.Second.Label);
Console.WriteLine($"{photographs.Length:N0} photographs the network had never seen; {right / (double)photographs.Length:P1} classified right: nothing to worry about?");
Console.WriteLine();

Console.WriteLine("Each predicted class in two groups by k-means: their sizes, and their Davies–Bouldin index (below 1, they lie apart)");
Console.WriteLine("                  grouped by why       grouped by pixels");
var groupings = new List<(int Class, Grouping Why, Grouping What)>();
foreach (var own in explained.GroupBy(r => r.Class).OrderBy(g => g.Key).Select(g => g.ToArray()))
{
    var (why, what) = (Grouping.Of(ml, own, nameof(Explained.Why)), Grouping.Of(ml, own, nameof(Explained.What)));
    groupings.Add((own[0].Class, why, what));
    Console.WriteLine($"  {classes[own[0].Class],-14}{Sizes(why)}{why.Separation,6:0.00}    {Sizes(what)}{what.Separation,6:0.00}");
}
var found = groupings.Where(g => g.Why.Smaller >= 0.1 * (g.Why.First.Length + g.Why.Second.Length)).MinBy(g => g.Why.Separation);
var name = classes[found.Class].ToLowerInvariant();
Console.WriteLine();

// What sets the two groups apart: the pixels whose mean contribution differs most.
var (one, two) = (found.Why.First, found.Why.Second);
var (meanOne, meanTwo) = (Grouping.Mean(one, r => r.Attribution), Grouping.Mean(two, r => r.Attribution));
var apart = Enumerable.Range(0, meanOne.Length).OrderByDescending(i => Math.Abs(meanOne[i] - meanTwo[i])).Take(9).Order().ToArray();
var suspect = apart.Sum(i => meanOne[i] - meanTwo[i]) > 0 ? one : two;
var other = ReferenceEquals(suspect, one) ? two : one;
var (rows, columns) = (apart.Select(i => i / Photograph.Side).ToArray(), apart.Select(i => i % Photograph.Side).ToArray());
Console.WriteLine($"Apart: the two groups of '{name}'. The nine pixels that differ most lie in rows {rows.Min()} to {rows.Max()}, columns {columns.Min()} to {columns.Max()},");
Console.WriteLine($"and give {Carried(suspect):P0} of the summed contributions in one group, {Carried(other):P0} in the other.");
var blackened = Explained.Of(ml, model, suspect.Select(r => new Photograph { Pixels = Photograph.Painted(r.Pixels, apart, 0), Label = found.Class }));
Console.WriteLine($"  blackened in that group:            {blackened.Count(r => r.Class == found.Class)} of {suspect.Length} are still called '{name}'");
var others = explained.Where(r => r.Class != found.Class).ToArray();
var whitened = Explained.Of(ml, model, others.Select(r => new Photograph { Pixels = Photograph.Painted(r.Pixels, apart, 1), Label = r.Class }));
Console.WriteLine($"  whitened on everything else:        {whitened.Count(r => r.Class == found.Class)} of {others.Length} are now called '{name}'");
Console.WriteLine();

// The answer, which the search has not read: we planted a mark on every second coat.
var chance = Grouping.Share([.. one, .. two]);
Console.WriteLine($"The truth: {explained.Count(r => r.Marked)} coats were marked; chance is a purity of {chance:P1}");
Console.WriteLine("                    purity    recall");
Tell("grouped by why", found.Why);
Tell("grouped by pixels", found.What);
GroupsPicture.Save(Path.Combine(output, "groups.png"), name, found.Why, found.What);
Console.WriteLine("picture: groups.png");
return 0;

double Carried(Explained[] group) => group.Average(r => apart.Sum(i => (double)r.Attribution[i])) / group.Average(r => r.Attribution.Sum(a => (double)a));

static string Sizes(Grouping grouping) => $"{grouping.First.Length + grouping.Second.Length - grouping.Smaller,4} and {grouping.Smaller,3}";

static void Tell(string how, Grouping grouping)
{
    var (_, purity, recall) = grouping.Found();
    Console.WriteLine($"  {how,-18}{purity,8:P1}{recall,10:P1}");
}
