using System.Globalization;
using Layers;
using Layers.Pictures;
using MLNetLinearize.Reporting;

// How a network processes an image inside. Under the image's own activation pattern every layer is an affine map, so any
// two places in the network are joined by one: from the pixels to each layer, and from each layer to the scores.
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
if (args.Length > 1 || args is ["--help" or "-h"])
{
    Console.WriteLine("Layers [OUTPUT FOLDER]    follows images through two networks; pictures go to the folder (default: samples/output)");
    return args.Length > 1 ? 1 : 0;
}
var samples = Folder("samples");
var output = args.Length == 1 ? args[0] : Path.Combine(samples, "output");
Directory.CreateDirectory(output);
using (var digits = Network.Digits(samples)) Tell(digits, Network.DigitRows(samples, 63, 28));
using (var clothes = Network.Fashion(samples)) Tell(clothes, clothes.Photographs(samples, 0, 17, 25));
return 0;

void Tell(Network network, Image[] images)
{
    foreach (var image in images)
    {
        var story = Story.Of(network, image);
        Console.WriteLine($"{network.Name}, {image.Name}: {network.Classes[image.Label]}, taken for {network.Classes[story.Predicted]}, score {story.Score:0.00}");
        Console.WriteLine("                                   | from the pixels            | to the scores   | score");
        Console.WriteLine("  layer              units   active |  rank  stretch  bias share |  rank   stretch |     Σ + bias behind");
        foreach (var step in story.Steps)
        {
            Console.WriteLine($"  {step.Stage.Title,-18}{step.Layer.Layer.RowLength,6:N0}{step.Active,9:N0} |"
                + $"{step.Seen?.Rank.ToString("0") ?? "",6}{step.Seen?.Values[0].ToString("0.00") ?? "",9}{step.BiasShare?.ToString("0.000") ?? "",12} |"
                + $"{step.Read?.Rank.ToString("0") ?? "",6}{step.Read?.Values[0].ToString("0.00") ?? "",10} |{LayerStrip.Number(step.Layer.Sum[0]),7}{LayerStrip.Number(step.Layer.Bias[0]),13}");
        }
        Console.WriteLine($"  sums: Σ contributions + bias is the score at each of {story.Explanation.Layers.Count} layers, within {story.WorstError:0.0e+0}");
        Console.WriteLine($"  halves: pixels to layer and layer to scores, put together, are pixels to scores, within {story.WorstComposition:0.0e+0}");
        StoryPicture.Save(Path.Combine(output, $"{image.Name}.png"), network, story);
        Console.WriteLine($"  picture: {image.Name}.png");
        Console.WriteLine();
    }
}

// The repository's folder of that name, wherever inside it the program was started.
static string Folder(string name)
{
    for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        if (File.Exists(Path.Combine(at.FullName, "MLNetLinearize.sln"))) return Path.Combine(at.FullName, name);
    throw new DirectoryNotFoundException($"No folder '{name}' above {AppContext.BaseDirectory}.");
}
