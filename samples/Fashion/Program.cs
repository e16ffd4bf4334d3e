using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Fashion;
using Microsoft.ML;
using MLNetLinearize;
using Samples.Shared;

// Photographs through ML.NET's image stages into a network, and the reasons out of it. Without options: the story of 100
// Fashion-MNIST photographs. With --model and --images: any ONNX classifier of images and any folder of photographs.
CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
var model = new Option<FileInfo>("--model") { Description = "An ONNX network that classifies images. Without it: the story of 100 photographs of clothes." };
var images = new Option<DirectoryInfo>("--images") { Description = "A folder of .png, .jpg, .jpeg and .bmp files. A name that ends in _CLASS tells the truth." };
var labels = new Option<FileInfo>("--labels") { Description = "A text file of the classes' names, one a line, that of score 0 first." };
var mean = new Option<float[]>("--mean") { Description = "Subtracted from values of 0 to 255: one number, or one per channel in the network's order, as in 104,117,123.", CustomParser = Numbers, DefaultValueFactory = _ => [0] };
var scale = new Option<float[]>("--scale") { Description = "Multiplied with afterwards: one number, or one per channel.", CustomParser = Numbers, DefaultValueFactory = _ => [1 / 255f] };
var order = new Option<string>("--order") { Description = "The network's order of channels.", DefaultValueFactory = _ => "rgb" }.AcceptOnlyFromAmong("rgb", "bgr");
var layout = new Option<string?>("--layout") { Description = "The network's axes, where its input's shape does not tell; channels left open are then three." }.AcceptOnlyFromAmong("nchw", "nhwc");
var size = new Option<string?>("--size") { Description = "HEIGHTxWIDTH, where the network leaves it open." };
var smoothing = new Option<double>("--smoothing") { Description = "Standard deviation, in pixels, of a Gaussian that maps are blurred with. Default: none." };
smoothing.Validators.Add(given =>
{
    if (given.GetValueOrDefault<double>() is not (>= 0 and < double.PositiveInfinity)) given.AddError($"--smoothing is '{given.Tokens[^1].Value}'; expected a number of pixels, 0 or more.");
});
var output = new Argument<DirectoryInfo>("OUTPUT") { Description = "The folder of pictures and the saved model.", DefaultValueFactory = _ => new(Path.Combine(SampleData.Folder, "output")) };
var root = new RootCommand("Classifies photographs and explains each answer: score = Σ contributions of pixels + bias.") { model, images, labels, mean, scale, order, layout, size, smoothing, output };
root.SetAction(parsed =>
{
    var folder = parsed.GetValue(output)!.FullName;
    Directory.CreateDirectory(folder);
    var ml = new MLContext(seed: 1);
    try
    {
        if (parsed.GetValue(model) is not { } file)
        {
            if (parsed.GetValue(images) is not null) throw new ArgumentException("--images needs --model, the network that is to look at them.");
            Story.Tell(ml, folder);
            return 0;
        }
        var classes = parsed.GetValue(labels) is { } names ? Names(names.FullName) : [];
        var preparation = new Preparation(parsed.GetValue(mean)!, parsed.GetValue(scale)!, parsed.GetValue(order) == "bgr");
        var network = Network.Read(file.FullName, classes, preparation, Network.Size(parsed.GetValue(size)), parsed.GetValue(layout));
        var photographs = parsed.GetValue(images) ?? throw new ArgumentException("--model needs --images, the folder of photographs.");
        Gallery.Explain(ml, network, photographs.FullName, folder, parsed.GetValue(smoothing));
        return 0;
    }
    catch (Exception e) when (e is ArgumentException or InvalidDataException or IOException or UnauthorizedAccessException or UnsupportedOperatorException)
    {
        Console.Error.WriteLine(e.Message);
        return 1;
    }
});

// What another process does with the saved model: it knows the file, and neither the network nor the pipeline.
var saved = new Argument<FileInfo>("MODEL");
var found = new Argument<DirectoryInfo>("IMAGES");
var again = new Argument<FileInfo>("RESULT");
var explainSaved = new Command("explain-saved", "Explains a folder of photographs with a model that the story saved.") { saved, found, again };
explainSaved.SetAction(parsed => SavedModel.Explain(parsed.GetValue(saved)!.FullName, parsed.GetValue(found)!.FullName, parsed.GetValue(again)!.FullName));
root.Add(explainSaved);
return root.Parse(args).Invoke();

static string[] Names(string file) => File.Exists(file) ? File.ReadAllText(file).TrimEnd().Split('\n', StringSplitOptions.TrimEntries) : throw new ArgumentException($"There is no file {file} of the classes' names.");

static float[]? Numbers(ArgumentResult given)
{
    var parts = given.Tokens.Single().Value.Split(',');
    var numbers = parts.Select(p => float.TryParse(p, CultureInfo.InvariantCulture, out var number) ? number : float.NaN).ToArray();
    if (numbers.All(float.IsFinite)) return numbers;
    given.AddError($"{given.Argument.Name} is '{string.Join(',', parts)}'; expected numbers, for example 104,117,123.");
    return null;
}
