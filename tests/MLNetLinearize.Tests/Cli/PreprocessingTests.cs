using MLNetLinearize.Cli.Data;
using SkiaSharp;

namespace MLNetLinearize.Tests.Cli;

/// <summary>What becomes of data before the network sees it. The network gives the sum of each channel of a 2 × 2 image.</summary>
public class PreprocessingTests
{
    [Fact]
    public void Scale_mean_and_deviation_of_each_channel()
    {
        using var folder = new TemporaryFolder();
        Draw(folder, 2, 2, (_, _) => new SKColor(255, 51, 0));
        // Red: 4 · (1 − 0.5)/0.25; green: 4 · (0.2 − 0.25)/0.5; blue: 4 · (0 − 1)/2.
        Assert.Equal([8, -0.4, -2], Sums(folder, "--scale", "1/255", "--mean", "0.5,0.25,1", "--std", "0.25,0.5,2"), Close);
        Assert.Equal([1016, 200, -4], Sums(folder, "--mean", "1"), Close);
        Assert.Equal([2, 0.4, 0], Sums(folder, "--scale", "1/255", "--std", "2"), Close);
    }

    [Fact]
    public void A_preprocessing_file_is_its_options()
    {
        using var folder = new TemporaryFolder();
        Draw(folder, 2, 2, (x, y) => new SKColor((byte)(10 * x), (byte)(20 * y), 200));
        var expected = Sums(folder, "--scale", "1/255", "--mean", "0.485,0.456,0.406", "--std", "0.229,0.224,0.225");
        Assert.Equal(expected, Sums(folder, "--preprocessing", folder.Write("p.json", """
            {"do_rescale": true, "rescale_factor": 0.00392156862745098, "do_normalize": true, "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225],
             "do_resize": true, "size": {"height": 2, "width": 2}, "resample": 2, "image_processor_type": "ViTImageProcessor", "do_pad": false, "crop_size": null}
            """)));
    }

    [Fact]
    public void Resizing_averages_where_an_image_shrinks()
    {
        using var folder = new TemporaryFolder();
        // One bright column of four. A triangle two pixels wide on each side weighs the columns 3, 3, 1, 0 of 7, mirrored for the second new column.
        Draw(folder, 4, 4, (x, _) => new SKColor((byte)(x == 0 ? 210 : 0), (byte)(x == 2 ? 210 : 0), 7));
        Assert.Equal([2 * 90, 2 * (30 + 90), 28], Sums(folder, "--resize", "2x2"), Close);
        // The nearest takes the pixels whose areas hold the new centres, at 1 and 3 of 4: columns 1 and 3.
        Assert.Equal([0, 0, 28], Sums(folder, "--preprocessing", folder.Write("n.json", """{"size": 2, "resample": 0}""")), Close);
    }

    /// <summary>The values are torch.nn.functional.interpolate's with antialias (PyTorch 1.13), which rounds nowhere; here each pass rounds to a byte.</summary>
    [Theory]
    [InlineData("Linear", 88.82, 121.54, 130.14, 92.25, 162.84, 144.38, 96.03, 107.54, 141.9, 125.61, 113.76, 106.86)]
    [InlineData("Cubic", 84.2, 123.7, 128.54, 88.25, 175.31, 146.34, 92.94, 104.47, 142.92, 128.67, 113.2, 102.62)]
    public void Resizing_is_torch_s_with_antialias(string method, params double[] expected)
    {
        var plane = Enumerable.Range(0, 6).SelectMany(i => Enumerable.Range(0, 7).Select(j => (byte)((37 * i * i + 91 * j * (i + 2) + 13 * i * j * j) % 256))).ToArray();
        using var resizer = new ImageResizer(Enum.Parse<ResizeMethod>(method));
        var resized = resizer.Resize([.. plane, .. plane, .. plane], 6, 7, 4, 3);
        Assert.Equal(36, resized.Length);
        for (var i = 0; i < resized.Length; i++) Assert.InRange(resized[i] - expected[i % 12], -1, 1);
    }

    [Fact]
    public void The_shortest_edge_is_resized_to_and_the_middle_cut_out()
    {
        using var folder = new TemporaryFolder();
        // 8 wide, 4 high: to 4 × 2, of which columns 1 and 2 stay. Red rises by the column, so that a wrong place shows.
        Draw(folder, 8, 4, (x, _) => new SKColor((byte)(x / 2 * 40), 0, 0));
        var file = folder.Write("p.json", """{"size": {"shortest_edge": 2}, "resample": 0, "do_center_crop": true, "crop_size": {"height": 2, "width": 2}}""");
        Assert.Equal([2 * (40 + 80), 0, 0], Sums(folder, "--preprocessing", file), Close);
        Assert.Contains("of which 2 × 2 cannot be cut out", Refused(folder, "--preprocessing", folder.Write("q.json", """{"size": {"shortest_edge": 1}, "crop_size": 2}""")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"crop_pct": 0.875}""", "has the field 'crop_pct', which is not understood.")]
    [InlineData("""{"do_pad": true}""", "has the field 'do_pad', which is not understood.")]
    [InlineData("""{"size": 2, "resample": 1}""", "field 'resample' is 1; expected 0 (nearest), 2 (bilinear) or 3 (bicubic).")]
    [InlineData("""{"size": {"longest_edge": 9}}""", "field 'size' is {\"longest_edge\": 9}; expected a number, {height, width} or {shortest_edge}.")]
    [InlineData("""{"do_normalize": true, "image_mean": [0, 0, 0]}""", "field 'image_std' is missing")]
    [InlineData("""{"image_std": [1, 0, 1]}""", "field 'image_std' is [1, 0, 1]; expected numbers, one a channel.")]
    [InlineData("""{"rescale_factor": 0}""", "field 'rescale_factor' is 0; expected a number other than 0.")]
    [InlineData("""{"image_mean": "none"}""", "is not a readable preprocessing file:")]
    [InlineData("[1", "is not a readable preprocessing file:")]
    public void A_preprocessing_file_that_is_not_understood_is_refused(string json, string message)
    {
        using var folder = new TemporaryFolder();
        Draw(folder, 2, 2, (_, _) => SKColors.Gray);
        Assert.Contains(message, Refused(folder, "--preprocessing", folder.Write("p.json", json)), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--mean '1,x': expected numbers with a comma between", "--mean", "1,x")]
    [InlineData("--std '0': expected numbers other than 0", "--std", "0")]
    [InlineData("--mean and --std give 2 numbers, but a row of the network's input 'x' has 12 values, an image of 3 channels.", "--mean", "1,2")]
    [InlineData("--resize '2': expected HxW", "--resize", "2")]
    [InlineData("--layout hwc: the network's input 'x' takes [3, 2, 2], which is no such image.", "--layout", "hwc")]
    public void Options_that_do_not_fit_are_refused(string message, params string[] options)
    {
        using var folder = new TemporaryFolder();
        Draw(folder, 2, 2, (_, _) => SKColors.Gray);
        Assert.StartsWith(message, Refused(folder, options), StringComparison.Ordinal);
    }

    [Fact]
    public void Options_that_contradict_one_another_are_refused()
    {
        using var folder = new TemporaryFolder();
        Draw(folder, 3, 3, (_, _) => SKColors.Gray);
        Assert.Contains("3 × 3 pixels; the network takes 2 × 2. Resize the images first, or with --resize 2x2.", Refused(folder), StringComparison.Ordinal);
        Assert.Contains("--preprocessing and --scale both say", Refused(folder, "--preprocessing", folder.Write("p.json", "{}"), "--scale", "2"), StringComparison.Ordinal);
        var table = CliRun.Of("explain", folder.File("image.onnx"), folder.Write("rows.csv", "a\n1\n"), "--resize", "2x2");
        Assert.Contains("is no folder of images", table.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_shape_that_can_be_read_both_ways_is_read_as_told()
    {
        var input = new GraphInput("x", typeof(float), [3, 224, 3], true, true);
        Assert.Equal("3x224x3", new InputPreprocessing { ChannelsLast = false }.ShapeOf(input)!.ToString());
        Assert.Equal((3, 224, true), new InputPreprocessing { ChannelsLast = true }.ShapeOf(input) is { } s ? (s.Height, s.Width, s.ChannelsLast) : default);
    }

    private static void Draw(TemporaryFolder folder, int width, int height, Func<int, int, SKColor> color)
    {
        using var bitmap = new SKBitmap(width, height, SKColorType.Rgba8888, SKAlphaType.Opaque);
        for (var y = 0; y < height; y++)
            for (var x = 0; x < width; x++) bitmap.SetPixel(x, y, color(x, y));
        Directory.CreateDirectory(folder.File("images"));
        using var stream = File.Create(folder.File("images/0.png"));
        bitmap.Encode(stream, SKEncodedImageFormat.Png, 100);
    }

    private static double[] Sums(TemporaryFolder folder, params string[] options)
    {
        var run = CliRun.Of(["explain", TinyModels.WriteImage(folder), folder.File("images"), "--targets", "all", "--columns", "score", "--quiet", "--out", folder.File("out.csv"), .. options]);
        Assert.Equal((0, ""), (run.Code, run.Error));
        return [.. CsvTable.Read(folder.File("out.csv")).Numbers(0, "ExplainedScore.")];
    }

    private static string Refused(TemporaryFolder folder, params string[] options)
    {
        var run = CliRun.Of(["explain", TinyModels.WriteImage(folder), folder.File("images"), "--quiet", .. options]);
        Assert.Equal((1, ""), (run.Code, run.Out));
        return run.Error;
    }

    private static bool Close(double a, double b) => Math.Abs(a - b) <= 1e-5 * Math.Max(1, Math.Abs(a));
}
