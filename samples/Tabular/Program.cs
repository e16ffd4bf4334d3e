using System.Globalization;
using Microsoft.ML;
using Samples.Shared;
using Tabular;

// A table, ML.NET's preprocessing and a network, explained in the table's own columns and units: what matters over all cases, and
// one case in words, with what would have to change.
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args.Length > 1 || args is ["--help" or "-h"])
{
    Console.WriteLine("Tabular [OUTPUT FOLDER]    explains, writes a letter and draws; the picture goes to the folder (default: samples/output)");
    return args.Length > 1 ? 1 : 0;
}
var output = args.Length == 1 ? args[0] : Path.Combine(SampleData.Folder, "output");
Directory.CreateDirectory(output);
var ml = new MLContext(seed: 1);
var file = Path.Combine(SampleData.Folder, "data/breast-cancer/measurements.csv");
var names = Case.Names(file);
var data = Case.Load(ml, file);
var cases = ml.Data.CreateEnumerable<Case>(data, reuseRowObject: false).ToArray();
var explainer = new Explainer(ml, Path.Combine(SampleData.Folder, "models/breast-cancer-mlp.onnx"), data);
var explained = explainer.PerUnit(cases);
var heldOut = Enumerable.Range(0, cases.Length).Where(i => i % 5 == 0).ToArray();
var right = heldOut.Count(i => explained[i].LogOdds > 0 == (cases[i].Diagnosis == 0));
var fromAverage = explainer.FromAverage(data);
double[] average = [.. Enumerable.Range(0, names.Length).Select(i => cases.Average(c => (double)c[i]))];

Console.WriteLine($"{cases.Length} cases; of the {heldOut.Length} the network had never seen, {right} called right ({right / (double)heldOut.Length:P1})");
Console.WriteLine($"exactness: |log-odds − (Σ weight · measurement + bias)|, in the table's units, at most {explained.Max(e => e.Error):0.0e+0} (relative to log-odds above 1)");
// Two ways to the same number: the network's own contributions, and weight per unit times the difference from the average.
var gap = explained.Zip(fromAverage).Max(p => Enumerable.Range(0, average.Length).Max(i => Math.Abs(p.Second[i] - p.First.Weights[i] * (p.First.Case[i] - average[i]))));
Console.WriteLine($"pulled back: weight per unit · difference from the average = contribution of the standardised measurement, within {gap:0.0e+0}");
Console.WriteLine();

var summary = explainer.Summarize(data).Targets.Single();
Console.WriteLine($"What matters over all cases (mean contribution to the log-odds, either way; {summary.Rows} rows):");
foreach (var i in Enumerable.Range(0, average.Length).OrderByDescending(i => summary.MeanAbsoluteAttribution[i]).Take(5))
    Console.WriteLine($"  {names[i],-22}{summary.MeanAbsoluteAttribution[i]:0.00}");
SummaryPicture.Save(Path.Combine(output, "summary.png"), names, summary.MeanAbsoluteAttribution, fromAverage, cases, shown: 12);
Console.WriteLine();

// What the letters may propose: values that were ever measured.
(float, float)[] measured = [.. Enumerable.Range(0, average.Length).Select(i => (cases.Min(c => c[i]), cases.Max(c => c[i])))];
var changes = heldOut.ToDictionary(i => i, i => Change.Turning(explainer, explained[i], measured));
var (inside, beyond) = (changes.Values.SelectMany(c => c).Where(c => c.Inside).ToArray(), changes.Values.SelectMany(c => c).Where(c => !c.Inside).ToArray());
Console.WriteLine($"What would have to change, for all {heldOut.Length}: {inside.Length} changes inside the linear region; the network then says what W predicts, within {inside.Max(Off):0.0e+0},");
Console.WriteLine($"and the diagnosis turns in {inside.Count(Turns)} of {inside.Length}. Of {beyond.Length} changes beyond it, it turns in {beyond.Count(Turns)}.");
Console.WriteLine();

// The letter: on an unseen case close to the border, but no toss-up (above 62 %), with changes of either kind.
var chosen = heldOut.Where(i => Math.Abs(explained[i].LogOdds) > 0.5 && changes[i].Count(c => c.Inside) > 1 && changes[i].Any(c => !c.Inside)).MinBy(i => Math.Abs(explained[i].LogOdds));
Letter.Write(chosen, explained[chosen], names, average,
    [.. changes[chosen].Where(c => c.Inside).OrderBy(Step).Take(2), .. changes[chosen].Where(c => !c.Inside).OrderBy(Step).Take(1)]);
Console.WriteLine();
Console.WriteLine("picture: summary.png");
return 0;

static double Off(Change change) => Math.Abs(change.Actual - change.Predicted);

static bool Turns(Change change) => Math.Sign(change.Actual) == Math.Sign(change.Predicted);

// The change as a share of what was ever measured, so that measurements compare.
double Step(Change change) => Math.Abs(change.To - change.From) / (measured[change.Measurement].Item2 - measured[change.Measurement].Item1);
