using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using MLNetLinearize.Reporting;
using SkiaSharp;

namespace MLNetLinearize.Tests.Cli;

public class LayerTests
{
    private static readonly string[] Digits = ["explain", Samples.Model("digits-cnn.onnx"), Samples.Digits, "--label-column", "label", "--scale", "1/16", "--show", "0"];

    [Fact]
    public void Every_layer_of_a_chosen_row_is_a_line_of_the_table()
    {
        var run = CliRun.Of([.. Digits, "--rows", "20", "--every-layer", "--layer-rows", "17", "--quiet"]);
        Assert.Equal((0, ""), (run.Code, run.Error));
        // Where the rounding errors of one processor vanish, another's need not.
        Golden.Equal("explain-every-layer.txt", Regex.Replace(run.Stable, @" +(0|#\.#e-##)\n", "   #\n"));
    }

    [Fact]
    public void The_picture_shows_the_layers_of_the_first_row_and_the_first_mistake()
    {
        using var folder = new TemporaryFolder();
        var run = CliRun.Of("explain", Samples.Model("fashion-cnn.onnx"), Samples.Fashion("t10k-1000-images-idx3-ubyte.gz"), "--labels", Samples.Fashion("t10k-1000-labels-idx1-ubyte.gz"),
            "--class-names", Samples.Fashion("labels.txt"), "--scale", "1/255", "--rows", "40", "--show", "0", "--quiet", "--every-layer", "--picture", folder.File("layers.png"));
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Contains("row 0, label Ankle boot, predicted Ankle boot: score of Ankle boot 7.392", run.Out, StringComparison.Ordinal);
        Assert.Contains("row 17, label Coat, predicted Shirt (wrong): score of Shirt 1.907", run.Out, StringComparison.Ordinal);
        using var picture = SKBitmap.Decode(folder.File("layers.png"));
        Assert.True(picture.Width > 2000 && picture.Height > 1400, $"{picture.Width} x {picture.Height}");
        Assert.True(picture.Pixels.Distinct().Take(200).Count() == 200);
    }

    [Fact]
    public void A_difference_of_scores_is_told_as_one_and_a_line_of_numbers_is_drawn_as_an_image()
    {
        using var folder = new TemporaryFolder();
        string[] options = ["explain", Samples.Model("digits-mlp.onnx"), Samples.Digits, "--label-column", "label", "--scale", "1/16", "--rows", "3", "--show", "0", "--quiet", "--every-layer", "--targets", "contrast:0,6", "--picture", folder.File("line.png")];
        var (line, image) = (CliRun.Of(options), CliRun.Of([.. options[..^1], folder.File("image.png"), "--image-shape", "8x8"]));
        Assert.Equal((0, "", 0, ""), (line.Code, line.Error, image.Code, image.Error));
        Assert.Contains("row 0, label 0, predicted 0: score of 0 against 6 ", line.Out, StringComparison.Ordinal);
        using SKBitmap first = SKBitmap.Decode(folder.File("line.png")), second = SKBitmap.Decode(folder.File("image.png"));
        // One row, since there is no mistake; the photograph stands before the layers.
        Assert.Equal(2 * (LayerStrip.Cell + LayerStrip.Gap), second.Width - first.Width);
    }

    [Fact]
    public void From_and_to_name_the_tensors_between_which_is_explained()
    {
        using var folder = new TemporaryFolder();
        var run = CliRun.Of([.. Digits, "--rows", "5", "--quiet", "--from", "/1/Relu_output_0", "--to", "/9/Gemm_output_0", "--every-layer", "--targets", "classes:3"]);
        Assert.Equal((0, ""), (run.Code, run.Error));
        var layers = run.Out.Split('\n').SkipWhile(l => !l.Contains("Σ attribution", StringComparison.Ordinal)).Skip(2).TakeWhile(l => l.Length > 0).Select(l => l.Split("  ", StringSplitOptions.RemoveEmptyEntries)[0].Trim()).ToList();
        Assert.Equal("/1/Relu_output_0", layers[0]);
        Assert.Equal("/9/Gemm_output_0", layers[^1]);
        Assert.Equal(9, layers.Count);
    }

    [Fact]
    public void Programs_read_every_layer_as_json()
    {
        var run = CliRun.Of([.. Digits, "--rows", "20", "--every-layer", "--layer-rows", "17", "--quiet", "--json"]);
        Assert.Equal((0, ""), (run.Code, run.Error));
        var row = Assert.Single(JsonNode.Parse(run.Out)!["layerRows"]!.AsArray())!;
        Assert.Equal(17, (long)row["row"]!);
        var (score, layers) = ((float)row["scores"]![0]!, row["layers"]!.AsArray());
        Assert.Equal(("pixels", "logits"), ((string?)layers[0]!["tensor"], (string?)layers[^1]!["tensor"]));
        Assert.All(layers, l => Assert.Equal(score, (float)l!["attribution"]![0]! + (float)l["bias"]![0]!, 1e-4f));
    }

    [Theory]
    [InlineData("--layer-rows names row 99,", "--every-layer", "--layer-rows", "0,99")]
    [InlineData("--layer-rows 'a': expected numbers of rows", "--every-layer", "--layer-rows", "a")]
    [InlineData("--layer-rows says which rows --every-layer shows.", "--layer-rows", "1")]
    [InlineData("--explained-input names '/1/Rleu_output_0', which the model does not have. Its inputs are [pixels]; any inner tensor may be named as well. Nearest: '/1/Relu_output_0'", "--from", "/1/Rleu_output_0")]
    public void Wrong_use_is_one_message(string message, params string[] options)
    {
        var run = CliRun.Of([.. Digits, "--rows", "5", "--quiet", .. options]);
        Assert.Equal((1, ""), (run.Code, run.Out));
        Assert.StartsWith(message, run.Error, StringComparison.Ordinal);
    }
}
