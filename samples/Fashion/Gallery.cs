using Microsoft.ML;

namespace Fashion;

/// <summary>Any folder of photographs under any network: a table of answers, and pages of pictures.</summary>
internal static class Gallery
{
    private const int PageRows = 8;
    private static readonly string[] Extensions = [".png", ".jpg", ".jpeg", ".bmp"];

    /// <summary>The photographs of a folder, by name.</summary>
    /// <exception cref="ArgumentException">There are none.</exception>
    public static string[] Files(string folder)
    {
        if (!Directory.Exists(folder)) throw new ArgumentException($"There is no folder {folder}.");
        string[] files = [.. Directory.EnumerateFiles(folder).Where(f => Extensions.Contains(Path.GetExtension(f), StringComparer.OrdinalIgnoreCase)).Order(StringComparer.Ordinal)];
        return files.Length > 0 ? files : throw new ArgumentException($"{folder} holds no photographs ({string.Join(", ", Extensions)}).");
    }

    /// <summary>Explains photograph by photograph, page by page: memory does not grow with the folder.</summary>
    /// <exception cref="ArgumentException">The folder holds no photographs, or the classes' names are not as many as the network's.</exception>
    /// <exception cref="InvalidDataException">A photograph cannot be read.</exception>
    public static void Explain(MLContext ml, Network network, string images, string output, double smoothing)
    {
        var files = Files(images);
        Console.WriteLine($"{files.Length:N0} photographs, {Path.GetFileName(network.File)}");
        Console.WriteLine($"  {"photograph",-24}{"answer",-28}{"score",8} ={"contributions",14} +{"bias",8}{"error",10}");
        var (page, worst, right, known) = (0, 0f, 0, 0);
        foreach (var part in Explanation.Of(ml, network, files, smoothing: smoothing).Chunk(PageRows))
        {
            foreach (var e in part)
            {
                Console.WriteLine($"  {Short(e.Name, 22),-24}{Short(network.ClassName(e.Class), 26),-28}{Figures.Text(e.Score),8} {Figures.Sum(e.Contributions.Sum(), e.Bias)}{e.Error,10:0.0e+0}");
                worst = Math.Max(worst, e.Error);
                if (network.Truth(e.Name) is not { } truth) continue;
                known++;
                if (truth == e.Class) right++;
            }
            Sheet.Save(Path.Combine(output, $"photographs-{++page}.png"), $"What {Path.GetFileName(network.File)} saw", "Red spoke for the class that the network named, blue against it.",
                Sheet.Reasons, [.. part.Select(e => new Tiles(network.ClassName(e.Class), e.Name, [e.Photograph, e.Map, e.Overlay]))], columns: Math.Min(2, part.Length));
            foreach (var e in part) e.Dispose();
        }
        if (known > 0) Console.WriteLine($"right:     {right} of the {known} whose names tell the class");
        Console.WriteLine($"exactness: |score − (Σ contributions + bias)| at most {worst:0.0e+0} (relative to the score, if that is above 1)");
        Console.WriteLine($"pictures:  {string.Join(", ", Enumerable.Range(1, page).Select(i => $"photographs-{i}.png"))}");
    }

    private static string Short(string text, int length) => text.Length <= length ? text : text[..(length - 1)] + "…";
}
