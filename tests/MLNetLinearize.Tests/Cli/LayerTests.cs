using System.Globalization;
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

    [Fact]
    public void The_table_is_written_as_csv_and_as_json()
    {
        using var folder = new TemporaryFolder();
        var (csv, json) = (folder.File("layers.csv"), folder.File("layers.json"));
        string[] options = [.. Digits, "--rows", "20", "--every-layer", "--layer-rows", "3,17", "--targets", "top:2", "--quiet"];
        foreach (var path in new[] { csv, json }) Assert.Equal(0, CliRun.Of([.. options, "--layer-out", path]).Code);
        using var linearizer = new LayerLinearizer(Samples.Model("digits-cnn.onnx"), new() { Targets = Targets.Top(2) });
        var pixels = File.ReadLines(Samples.Digits).Skip(1).Select(l => l.Split(',')).Select(f => (Label: f[0], Values: f[1..].Select(v => float.Parse(v, CultureInfo.InvariantCulture) / 16).ToArray())).ToArray();
        var lines = File.ReadAllLines(csv);
        Assert.Equal("Row,Label,Predicted,Target,Layer,Tensor,Operator,Attribution,Bias,Score,Error", lines[0]);
        var written = lines.Skip(1).Select(l => l.Split(',')).ToArray();
        var expected = (from row in new[] { 3, 17 }
                        let explained = linearizer.Explain(pixels[row].Values)
                        from k in new[] { 0, 1 }
                        from layer in explained.Layers.Index()
                        select (Row: row, Target: explained.Targets[k], layer.Index, layer.Item.Layer.Tensor, layer.Item.Layer.Operator, Sum: layer.Item.Sum[k], Bias: layer.Item.Bias[k], Score: explained.ExplainedScores[k])).ToArray();
        Assert.Equal(2 * 2 * linearizer.Layers.Count, written.Length);
        Assert.Equal(expected.Select(e => $"{e.Row} {e.Target} {e.Index} {e.Tensor} {e.Operator}"), written.Select(w => $"{w[0]} {w[3]} {w[4]} {w[5]} {w[6]}"));
        Assert.All(expected.Zip(written), p => Assert.Equal((p.First.Sum, p.First.Bias, p.First.Score), (Single(p.Second[7]), Single(p.Second[8]), Single(p.Second[9]))));
        Assert.All(written, w => Assert.Equal(Single(w[9]), Single(w[7]) + Single(w[8]), 1e-4f));
        Assert.All(written, w => Assert.Equal((pixels[int.Parse(w[0], CultureInfo.InvariantCulture)].Label, true), (w[1], Single(w[10]) < 1e-5f)));
        var objects = JsonNode.Parse(File.ReadAllText(json))!.AsArray();
        Assert.Equal(lines.Skip(1), objects.Select(o => string.Join(',', o!.AsObject().Select(v => v.Value!.GetValueKind() == System.Text.Json.JsonValueKind.String ? (string)v.Value! : v.Key is "Attribution" or "Bias" or "Score" or "Error" ? ((float)v.Value!).ToString(CultureInfo.InvariantCulture) : v.Value!.ToJsonString()))));

        static float Single(string text) => float.Parse(text, CultureInfo.InvariantCulture);
    }

    [Fact]
    public void Classes_have_their_names_in_the_table_and_what_is_not_known_is_left_out()
    {
        using var folder = new TemporaryFolder();
        var (model, data, names) = (TinyModels.WriteLinear(folder), folder.Write("rows.csv", "a,b,c\n1,1,2\n"), folder.Write("names.txt", "no\nyes\n"));
        string[] options = ["explain", model, data, "--class-names", names, "--every-layer", "--quiet", "--show", "0", "--layer-out"];
        Assert.Equal((0, 0), (CliRun.Of([.. options, folder.File("t.csv")]).Code, CliRun.Of([.. options, folder.File("t.json")]).Code));
        // y1 = −1·1 + 4·1 + 0.5·2 − 2 = 2 is the higher score.
        Assert.StartsWith("0,,yes,yes,0,", File.ReadAllLines(folder.File("t.csv"))[1], StringComparison.Ordinal);
        Assert.Contains(",4,-2,2,0", File.ReadAllLines(folder.File("t.csv"))[1], StringComparison.Ordinal);
        var first = JsonNode.Parse(File.ReadAllText(folder.File("t.json")))![0]!;
        Assert.Null(first["Label"]);
        Assert.Equal(("yes", 4f, -2f, 2f), ((string)first["Target"]!, (float)first["Attribution"]!, (float)first["Bias"]!, (float)first["Score"]!));
    }

    [Fact]
    public void Each_part_of_the_rows_tells_of_its_own()
    {
        using var folder = new TemporaryFolder();
        string[] Part(int i) => [.. Digits, "--rows", "300", "--shard", $"{i}/2", "--every-layer", "--layer-rows", "0,5,299", "--layer-out", folder.File($"{i}.csv"), "--picture", folder.File($"{i}.png"), "--quiet"];
        Assert.Equal((0, ""), (CliRun.Of(Part(1)) is var one ? one.Code : 1, one.Error));
        Assert.Equal((0, ""), (CliRun.Of(Part(2)) is var two ? two.Code : 1, two.Error));
        Assert.Equal(["0", "5"], RowsOf(folder.File("1.csv")));
        Assert.Equal(["299"], RowsOf(folder.File("2.csv")));
        // A row that the data does not have is told once, by the last part.
        var missing = CliRun.Of([.. Digits, "--rows", "300", "--shard", "2/2", "--every-layer", "--layer-rows", "300", "--quiet"]);
        Assert.Equal(1, missing.Code);
        Assert.StartsWith("--layer-rows names row 300, which was not among the rows explained.", missing.Error, StringComparison.Ordinal);
        Assert.Equal(0, CliRun.Of([.. Digits, "--rows", "300", "--shard", "1/2", "--every-layer", "--layer-rows", "300", "--quiet"]).Code);
    }

    [Fact]
    public void An_empty_part_has_a_table_without_rows()
    {
        using var folder = new TemporaryFolder();
        var run = CliRun.Of("explain", TinyModels.WriteLinear(folder), folder.Write("rows.csv", "a,b,c\n1,2,3\n"), "--shard", "1/2", "--every-layer", "--layer-out", folder.File("layers.csv"), "--picture", folder.File("layers.png"), "--quiet");
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Single(File.ReadAllLines(folder.File("layers.csv")));
        using var picture = SKBitmap.Decode(folder.File("layers.png"));
        Assert.NotNull(picture);
        Assert.Equal(0, CliRun.Of("explain", folder.File("linear.onnx"), folder.File("rows.csv"), "--shard", "1/2", "--every-layer", "--layer-out", folder.File("layers.json"), "--quiet").Code);
        Assert.Equal("[]", File.ReadAllText(folder.File("layers.json")));
    }

    [Fact]
    public void A_run_that_goes_on_has_the_layers_of_the_rows_that_it_took_over()
    {
        using var folder = new TemporaryFolder();
        var model = TinyModels.WriteLinear(folder);
        CliRun Explain(string last, string name) => CliRun.Of("explain", model, folder.Write("rows.csv", $"a,b,c\n1,2,3\n4,5,6\n{last}\n"), "--batch", "1", "--every-layer", "--layer-rows", "1,2", "--layer-out", folder.File($"{name}.layers.csv"), "--out", folder.File($"{name}.csv"), "--resume", "--quiet");
        Assert.Equal(0, Explain("7,8,9", "whole").Code);
        Assert.Equal(1, Explain("7,x,9", "out").Code);
        Assert.False(File.Exists(folder.File("out.layers.csv")));
        var run = Explain("7,8,9", "out");
        Assert.Equal((0, ""), (run.Code, run.Error));
        Assert.Contains("resumed", run.Out, StringComparison.Ordinal);
        Assert.Equal(File.ReadAllText(folder.File("whole.layers.csv")), File.ReadAllText(folder.File("out.layers.csv")));
        Assert.Equal(["1", "2"], RowsOf(folder.File("out.layers.csv")));
    }

    private static IEnumerable<string> RowsOf(string csv) => File.ReadLines(csv).Skip(1).Select(l => l.Split(',')[0]).Distinct();

    [Theory]
    [InlineData("--layer-out is the table of --every-layer, which is not given.", "--layer-out", "layers.csv")]
    [InlineData("--layer-out 'layers.txt': the extension '.txt' names no format. Name a file with .csv or .json.", "--every-layer", "--layer-out", "layers.txt")]
    [InlineData("--layer-rows names row 99,", "--every-layer", "--layer-rows", "0,99")]
    [InlineData("--layer-rows 'a': expected numbers of rows", "--every-layer", "--layer-rows", "a")]
    [InlineData("--layer-rows says which rows --every-layer shows.", "--layer-rows", "1")]
    [InlineData("--from names '/1/Rleu_output_0', which the model does not have. Its inputs are [pixels]; any inner tensor may be named as well. Nearest: '/1/Relu_output_0'", "--from", "/1/Rleu_output_0")]
    public void Wrong_use_is_one_message(string message, params string[] options)
    {
        var run = CliRun.Of([.. Digits, "--rows", "5", "--quiet", .. options]);
        Assert.Equal((1, ""), (run.Code, run.Out));
        Assert.StartsWith(message, run.Error, StringComparison.Ordinal);
    }
}
