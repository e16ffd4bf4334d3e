using MLNetLinearize.Tests.Cli;
using SkiaSharp;

namespace MLNetLinearize.Tests.SamplePrograms;

/// <summary>
/// The user's own network and photographs, in colour. The network of <see cref="TinyModels.WriteCorner"/> reads the pixel at
/// the top right alone, so that channels, rows or columns in the wrong order give other scores.
/// </summary>
public sealed class FashionFolderTests : IDisposable
{
    private static readonly (string Name, SKColor Color)[] Photographs = [("1_red", new(200, 40, 10)), ("2_green", new(10, 180, 60)), ("3_blue", new(30, 20, 220))];

    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Explains_photographs_in_three_channels()
    {
        Assert.Equal(["1_red red 200.50 = 200.00 + 0.50", "2_green green 179.00 = 180.00 − 1.00", "3_blue blue 220.25 = 220.00 + 0.25"],
            Answers(Corner(["N", 3, 2, 3]), 2, 3, ["red", "green", "blue"], "--scale", "1"));
    }

    [Fact]
    public void Prepares_each_channel_in_the_networks_order()
    {
        // The means are those of blue, green and red: (200 − 123) / 2 of red, (180 − 117) / 4 of green, 220 − 104 of blue.
        Assert.Equal(["1_red red 38.75 = 38.50 + 0.25", "2_green green 14.75 = 15.75 − 1.00", "3_blue blue 116.50 = 116.00 + 0.50"],
            Answers(Corner(["N", 3, 2, 3]), 2, 3, ["blue", "green", "red"], "--order", "bgr", "--mean", "104,117,123", "--scale", "1,0.25,0.5"));
    }

    [Theory]
    [InlineData("rgb", "red", "blue")]
    [InlineData("bgr", "blue", "red")]
    public void Reads_interleaved_channels(string order, string first, string last)
    {
        var (red, blue) = order == "rgb" ? (0.5, 0.25) : (0.25, 0.5);
        Assert.Equal([$"1_red red {190 + red:0.00} = 190.00 + {red:0.00}", "2_green green 169.00 = 170.00 − 1.00", $"3_blue blue {210 + blue:0.00} = 210.00 + {blue:0.00}"],
            Answers(TinyModels.WriteCorner(folder, ["N", 2, 4, 3], 2, 4, isChannelsLast: true), 2, 4, [first, "green", last], "--order", order, "--mean", "10", "--scale", "1"));
    }

    [Theory]
    [InlineData("nchw", "N", 3, "H", "W")]
    [InlineData("nchw", "N", "C", "H", "W")]
    [InlineData("nhwc", "N", "H", "W", 3)]
    [InlineData("nhwc", "N", "H", "W", "C")]
    public void Takes_what_the_network_leaves_open(string layout, params object[] input)
    {
        Assert.Equal(["1_red red 200.50 = 200.00 + 0.50", "2_green green 179.00 = 180.00 − 1.00", "3_blue blue 220.25 = 220.00 + 0.25"],
            Answers(TinyModels.WriteCorner(folder, input, 2, 4, layout == "nhwc"), 2, 4, ["red", "green", "blue"], "--scale", "1", "--size", "2x4", "--layout", layout));
    }

    [Fact]
    public void Shrinks_photographs_to_the_networks_size()
    {
        var answers = Answers(Corner(["N", 3, 2, 3]), 40, 60, ["red", "green", "blue"], "--scale", "1");
        Assert.Equal(["1_red red", "2_green green", "3_blue blue"], answers.Select(a => string.Join(' ', a.Split(' ')[..2])));
    }

    [Fact]
    public void Smoothing_blurs_the_maps_and_leaves_the_numbers()
    {
        Draw(2, 3);
        var model = Corner(["N", 3, 2, 3]);
        using var sharp = new SampleRun("Fashion", "--model", model, "--images", folder.Path);
        using var smooth = new SampleRun("Fashion", "--model", model, "--images", folder.Path, "--smoothing", "1.5");

        Assert.Equal(sharp.Output, smooth.Output);
        Assert.NotEqual(Picture(sharp), Picture(smooth));

        static byte[] Picture(SampleRun run) => File.ReadAllBytes(Path.Combine(run.Folder, "photographs-1.png"));
    }

    [Theory]
    [InlineData("There is no network {0}/nothing.onnx.", "--model", "{0}/nothing.onnx", "--images", "{0}")]
    [InlineData("{0}/1_red.png is no ONNX network that ONNX Runtime takes.", "--model", "{0}/1_red.png", "--images", "{0}")]
    [InlineData("There is no folder {0}/nothing.", "--model", "{0}/corner.onnx", "--images", "{0}/nothing")]
    [InlineData("{0}/empty holds no photographs (.png, .jpg, .jpeg, .bmp).", "--model", "{0}/corner.onnx", "--images", "{0}/empty")]
    [InlineData("'{0}/broken/2.png' cannot be read as an image: it is damaged, or of another format than its name says.", "--model", "{0}/corner.onnx", "--images", "{0}/broken")]
    [InlineData("'{0}/cut/2.png' ends before its last pixel: it is cut short or damaged.", "--model", "{0}/corner.onnx", "--images", "{0}/cut")]
    [InlineData("'{0}/huge/2.png' has 40,000 × 40,000 pixels, more than the 100,000,000 that an image may have.", "--model", "{0}/corner.onnx", "--images", "{0}/huge")]
    [InlineData("--model needs --images, the folder of photographs.", "--model", "{0}/corner.onnx")]
    [InlineData("--images needs --model, the network that is to look at them.", "--images", "{0}")]
    [InlineData("There is no file {0}/nothing.txt of the classes' names.", "--model", "{0}/corner.onnx", "--images", "{0}", "--labels", "{0}/nothing.txt")]
    [InlineData("There are 2 names of classes, but {0}/corner.onnx has 3 scores in 'y'. Give --labels a file of 3 lines", "--model", "{0}/corner.onnx", "--images", "{0}", "--labels", "{0}/two.txt")]
    [InlineData("{0}/corner.onnx: input 'x' takes images of 2x3, not of 3x2. Leave --size out.", "--model", "{0}/corner.onnx", "--images", "{0}", "--size", "3x2")]
    [InlineData("--size is '2by3'; expected HEIGHTxWIDTH, for example 224x224.", "--model", "{0}/corner.onnx", "--images", "{0}", "--size", "2by3")]
    [InlineData("--mean has 2 values; the network's images have 3 channels. Give one value, or 3.", "--model", "{0}/corner.onnx", "--images", "{0}", "--mean", "1,2")]
    [InlineData("--mean is '1,two'; expected numbers, for example 104,117,123.", "--model", "{0}/corner.onnx", "--images", "{0}", "--mean", "1,two")]
    [InlineData("--smoothing is '-1'; expected a number of pixels, 0 or more.", "--model", "{0}/corner.onnx", "--images", "{0}", "--smoothing", "-1")]
    [InlineData("Argument 'chw' not recognized", "--model", "{0}/corner.onnx", "--images", "{0}", "--layout", "chw")]
    public void Says_what_is_wrong(string message, params string[] arguments)
    {
        Draw(2, 3);
        Corner(["N", 3, 2, 3]);
        Directory.CreateDirectory(folder.File("empty"));
        Directory.CreateDirectory(folder.File("broken"));
        File.Copy(folder.File("1_red.png"), folder.File("broken/1.png"));
        folder.Write("broken/2.png", "no picture");
        foreach (var damaged in new[] { "cut", "huge" })
        {
            Directory.CreateDirectory(folder.File(damaged));
            File.Copy(folder.File("1_red.png"), folder.File($"{damaged}/1.png"));
        }
        folder.Write("cut/2.png", DamagedImages.CutShort());
        folder.Write("huge/2.png", DamagedImages.OfSize(40_000, 40_000));
        folder.Write("two.txt", "red\ngreen\n");

        Refuses(message, arguments);
    }

    [Fact]
    public void Says_which_inputs_it_takes()
    {
        Draw(2, 3);
        string[] rest = ["--images", "{0}"];

        TinyModels.WriteCorner(folder, ["N", 2, 3, 3], 2, 3, isChannelsLast: true);
        Refuses("input 'x' is Single [?, 2, 3, 3]; expected Single [N, 1 or 3, height, width], as --layout is nchw.", ["--model", "{0}/corner.onnx", "--layout", "nchw", .. rest]);
        Refuses("--mean differs by channel, and the network takes interleaved channels", ["--model", "{0}/corner.onnx", "--mean", "1,2,3", .. rest]);
        TinyModels.WriteLinear(folder);
        Refuses("input 'x' is Single [?, 3]; expected Single [N, 1 or 3, height, width] or [N, height, width, 1 or 3].", ["--model", "{0}/linear.onnx", .. rest]);
        Corner(["N", 3, "H", "W"]);
        Refuses("input 'x' leaves the size of images open. State it, for example --size 224x224.", ["--model", "{0}/corner.onnx", .. rest]);
        Corner(["N", "C", "H", "W"]);
        Refuses("input 'x' is Single [?, ?, ?, ?]; expected Single [N, 1 or 3, height, width] or [N, height, width, 1 or 3]. Where the channels are left open, state --layout.", ["--model", "{0}/corner.onnx", .. rest]);
    }

    private string Corner(object[] input) => TinyModels.WriteCorner(folder, input, 2, 3, isChannelsLast: false);

    private void Refuses(string message, string[] arguments)
    {
        var refusal = SampleRun.Refusal("Fashion", [.. arguments.Select(Located), folder.File("output")]);
        Assert.Contains(Located(message), refusal.Split('\n')[0], StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", refusal, StringComparison.Ordinal); // a message, no stack

        string Located(string text) => text.Replace("{0}", folder.Path, StringComparison.Ordinal);
    }

    /// <summary>What the sample says of black photographs with a coloured patch at the top right: name, answer, and the score with what it is made of.</summary>
    private string[] Answers(string model, int height, int width, string[] names, params string[] options)
    {
        Draw(height, width);
        using var run = new SampleRun("Fashion", ["--model", model, "--images", folder.Path, "--labels", folder.Write("names.txt", string.Join('\n', names) + "\n"), .. options]);

        Assert.Equal([3, 3], SampleRun.Figures(run.Output, "right:"));
        Assert.True(SampleRun.Figures(run.Output, "exactness:")[0] <= 1e-5, run.Output);
        run.Draws("photographs-1.png", 1000, 500);
        return [.. run.Output.Split('\n').Where(l => l.TrimStart().Contains('_', StringComparison.Ordinal)).Select(l => string.Join(' ', l.Split(' ', StringSplitOptions.RemoveEmptyEntries)[..^1]))];
    }

    private void Draw(int height, int width)
    {
        foreach (var (name, color) in Photographs)
        {
            using var bitmap = new SKBitmap(width, height);
            bitmap.Erase(SKColors.Black);
            for (var y = 0; y < (height + 1) / 2; y++)
                for (var x = width - Math.Max(1, width / 3); x < width; x++) bitmap.SetPixel(x, y, color);
            using var file = File.Create(folder.File($"{name}.png"));
            bitmap.Encode(file, SKEncodedImageFormat.Png, 100);
        }
    }
}
