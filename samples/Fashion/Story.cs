using System.Globalization;
using Microsoft.ML;
using MLNetLinearize;
using Samples.Shared;

namespace Fashion;

/// <summary>100 photographs of clothes: score, explain, save, load elsewhere, explain again; why shirt and not coat; the mistakes.</summary>
internal static class Story
{
    public static void Tell(MLContext ml, string output)
    {
        var images = Path.Combine(SampleData.Folder, "data/fashion-mnist/png");
        var classes = File.ReadAllLines(Path.Combine(SampleData.Folder, "data/fashion-mnist/labels.txt")).Select(c => c.ToLowerInvariant());
        var network = Network.Read(Path.Combine(SampleData.Folder, "models/fashion-cnn.onnx"), [.. classes], new([0], [1 / 255f], IsBgr: false));

        var photographs = Explanation.Table(ml, Gallery.Files(images));
        var model = Explanation.Pipeline(ml, network, Targets.Predicted).Fit(photographs);
        var explained = Explanation.Read(network, model.Transform(photographs)).ToArray();
        var wrong = explained.Where(e => e.Class != Truth(e)).ToArray();
        Console.WriteLine($"{explained.Length} photographs the network had never seen ({Path.GetFileName(network.File)})");
        Console.WriteLine($"right:      {explained.Length - wrong.Length} of {explained.Length}");
        Console.WriteLine($"exactness:  |score − (Σ contributions + bias)| at most {explained.Max(e => e.Error):0.0e+0} (relative to the score, if that is above 1)");
        Console.WriteLine($"saved as fashion.zip, loaded by another process, explained again: numbers differ by at most {SavedModel.Difference(ml, model, photographs, images, Path.Combine(output, "fashion.zip")):0.######}");
        Sheet.Save(Path.Combine(output, "photographs.png"), "What the network saw", "Red pixels spoke for the class that the network named, blue ones against it. Their contributions and the bias add up to the score.",
            Sheet.Reasons, [.. explained.Except(wrong).GroupBy(e => e.Class).OrderBy(g => g.Key).Select(g => g.MaxBy(e => e.Score)!).Select(e =>
                new Tiles(network.ClassName(e.Class), $"score {Figures.Text(e.Score, "0.0")} = {Figures.Caption(e.Contributions.Sum(), e.Bias)}", [e.Photograph, e.Map, e.Overlay]))], columns: 2);

        Console.WriteLine();
        Contrast(ml, network, [.. explained.Where(e => Truth(e) == network.Class("shirt") && e.Class == Truth(e))], "shirt", "coat", output);
        Console.WriteLine();
        Mistakes(ml, network, wrong, output);
        ((IDisposable)model).Dispose();

        int Truth(Explanation e) => network.Truth(e.Name)!.Value;
    }

    /// <summary>Photographs of one class beside the reasons for it, for another one, and for the one rather than the other.</summary>
    private static void Contrast(MLContext ml, Network network, Explanation[] photographs, string name, string rival, string output)
    {
        Explanation[] Explain(Targets targets) => [.. Explanation.Of(ml, network, [.. photographs.Select(e => e.File)], targets)];
        var (a, b) = (network.Class(name), network.Class(rival));
        var (why, whyRival, difference) = (Explain(Targets.Classes(a)), Explain(Targets.Classes(b)), Explain(Targets.Contrast(a, b)));

        Console.WriteLine($"Why {name} and not {rival}? The {photographs.Length} photographs of a {name} that the network recognized, closest first");
        Console.WriteLine($"  photograph      ahead by   contributions     bias");
        foreach (var e in difference.OrderBy(e => e.Score)) Console.WriteLine($"  {e.Name,-14}{Figures.Text(e.Score),10} {Figures.Sum(e.Contributions.Sum(), e.Bias)}");
        var parts = difference.Zip(why, whyRival).OrderBy(d => d.First.Score).Take(6);
        Sheet.Save(Path.Combine(output, $"{name}-not-{rival}.png"), $"Why {name} and not {rival}?", $"Red pixels spoke for, blue ones against. The last map explains the difference of the two scores: what made the network say {name} rather than {rival}.",
            ["photograph", $"for {name}", $"for {rival}", $"{name}, not {rival}"], [.. parts.Select(p =>
                new Tiles($"{name}, {p.First.Score:0.0} ahead of {rival}", $"{name} {Figures.Text(p.Second.Score, "0.0")}, {rival} {Figures.Text(p.Third.Score, "0.0")}", [p.First.Photograph, p.Second.Map, p.Third.Map, p.First.Map]))], columns: 2);
    }

    /// <summary>What spoke for the class named rather than the true one; and how little of it must go for the network to be right.</summary>
    private static void Mistakes(MLContext ml, Network network, Explanation[] wrong, string output)
    {
        Console.WriteLine($"The {wrong.Length} mistakes: what spoke for the wrong class rather than the right one, and how many of those pixels,");
        Console.WriteLine("blackened from the strongest on, put the right class ahead");
        Console.WriteLine("  photograph      answer        ahead by   contributions     bias   blackened");
        var rows = new List<Tiles>();
        foreach (var e in wrong)
        {
            var truth = network.Truth(e.Name)!.Value;
            var contrast = Explanation.Of(ml, network, [e.File], Targets.Contrast(e.Class, truth)).Single();
            var right = Explanation.Of(ml, network, [e.File], Targets.Classes(truth)).Single();
            var (count, mended) = Blackening.Until(ml, network, contrast, truth);
            Console.WriteLine($"  {e.Name,-16}{network.ClassName(e.Class),-12}{Figures.Text(contrast.Score),10} {Figures.Sum(contrast.Contributions.Sum(), contrast.Bias)}{count?.ToString(CultureInfo.InvariantCulture) ?? "never",12}");
            var test = count is null ? "blackening all that spoke so does not set it right" : $"with {count} pixels black, {network.ClassName(truth)} is ahead";
            rows.Add(new($"{network.ClassName(truth)}, said to be {network.ClassName(e.Class)}", $"{contrast.Score:0.0} ahead; {test}", [e.Photograph, e.Map, right.Map, contrast.Map, mended]));
        }
        Sheet.Save(Path.Combine(output, "mistakes.png"), "The mistakes, explained", "Red pixels spoke for, blue ones against. The test: the reddest pixels of the difference are blackened, strongest first, until the right class is ahead.",
            ["photograph", "for its answer", "for the truth", "answer, not truth", "blackened"], rows, columns: 2);
    }
}
