using LoadWithoutLibrary;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using MLNetLinearize.Reporting;
using MLNetLinearize.Transforms;
using SkiaSharp;

namespace MLNetLinearize.Tests.Transforms;

/// <summary>Pictures of contributions: the colours, in a pipeline, one at a time, saved and loaded.</summary>
public sealed class AttributionImageTests : IDisposable
{
    private const int H = 5, W = 7;

    private readonly MLContext ml = new(seed: 1);
    private readonly string folder = Directory.CreateTempSubdirectory("picture-tests").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    private sealed class Input
    {
        public float[] Attribution { get; set; } = [];
        public float[] Photo { get; set; } = [];
    }

    private sealed class Picture
    {
        [ImageType(H, W)]
        public MLImage Image { get; set; } = null!;
    }

    private static float[] Draw(int seed, int count, float zeros = 0.2f)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.NextSingle() < zeros ? 0 : random.NextSingle() * 2 - 1)];
    }

    private IDataView View(IEnumerable<Input> rows, int[] dims, params int[] photo)
    {
        var schema = SchemaDefinition.Create(typeof(Input));
        schema[nameof(Input.Attribution)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, dims);
        schema[nameof(Input.Photo)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, photo.Length == 0 ? [1] : photo);
        return ml.Data.LoadFromEnumerable(rows.ToList(), schema);
    }

    private IDataView One(float[] values, params int[] dims) => View([new Input { Attribution = values, Photo = [0] }], dims);

    private static List<SKColor[]> Images(IDataView view, string column = "Image")
    {
        var images = new List<SKColor[]>();
        using var cursor = view.GetRowCursor(view.Schema.Where(c => c.Name == column));
        var getter = cursor.GetGetter<MLImage>(view.Schema[column]);
        while (cursor.MoveNext())
        {
            MLImage image = null!;
            getter(ref image);
            images.Add(Colors(image));
        }
        return images;
    }

    private static SKColor[] Colors(MLImage image)
    {
        var bytes = image.Pixels;
        var isRgba = image.PixelFormat == MLPixelFormat.Rgba32;
        var colors = new SKColor[image.Width * image.Height];
        for (var i = 0; i < colors.Length; i++) colors[i] = isRgba ? new(bytes[4 * i], bytes[4 * i + 1], bytes[4 * i + 2], bytes[4 * i + 3]) : new(bytes[4 * i + 2], bytes[4 * i + 1], bytes[4 * i], bytes[4 * i + 3]);
        return colors;
    }

    private SKColor[] Drawn(IDataView view, AttributionImageOptions? options = null)
    {
        using var transformer = ml.Transforms.AttributionImage("Image", options: options).Fit(view);
        return Images(transformer.Transform(view)).Single();
    }

    private static SKColor[] Expected(float[] pixels, ImageShape shape, float? scale = null)
    {
        using var bitmap = HeatMap.Draw(pixels, shape, scale ?? HeatMap.Scale(pixels));
        return bitmap.Pixels;
    }

    /// <summary>A step of the colour scale is at most two levels; a value between two steps may fall to either.</summary>
    private static void Close(SKColor[] expected, SKColor[] actual, int most = 2)
    {
        Assert.Equal(expected.Length, actual.Length);
        foreach (var (e, a) in expected.Zip(actual))
        {
            Assert.Equal(255, a.Alpha);
            Assert.True(Math.Abs(e.Red - a.Red) <= most && Math.Abs(e.Green - a.Green) <= most && Math.Abs(e.Blue - a.Blue) <= most, $"expected {e}, got {a}");
        }
        // Rounding is the exception.
        Assert.True(expected.Zip(actual).Count(p => p.First != p.Second) <= expected.Length / 10);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(3, false)]
    [InlineData(3, true)]
    public void ColoursAreThoseOfTheHeatMap(int channels, bool last)
    {
        var shape = new ImageShape(H, W, channels, last);
        var values = Draw(1, shape.Length);
        int[] dims = channels == 1 ? [H, W] : last ? [H, W, 3] : [3, H, W];

        Close(Expected(shape.SumChannels(values), shape), Drawn(One(values, dims)));
        Close(Expected(shape.SumChannels(values), shape), Drawn(One(values, shape.Length), new() { Shape = dims }));
        if (channels == 3)
            Close(Expected([.. Enumerable.Range(0, H * W).Select(i => values[shape.Index(i / W, i % W, 2)])], shape), Drawn(One(values, dims), new() { Channel = 2 }));
    }

    [Fact]
    public void ScalesSignsAndSmoothing()
    {
        var (shape, values) = (new ImageShape(H, W), Draw(2, H * W));
        var view = One(values, H, W);

        Close(Expected(values, shape, 0.3f), Drawn(view, new() { Scale = 0.3f }));
        Close(Expected(values, shape, values.Max(Math.Abs)), Drawn(view, new() { Coverage = 1 }));
        Close(Expected([.. values.Select(Math.Abs)], shape), Drawn(view, new() { IsAbsolute = true }));
        var smooth = Regions.Of(values, shape);
        Close(Expected(smooth, shape), Drawn(view, new() { Smoothing = Regions.Sigma(shape) }));
        // Half of the values that are not 0 lie within the scale.
        var sizes = values.Select(Math.Abs).Where(v => v > 0).Order().ToArray();
        Close(Expected(values, shape, sizes[(int)Math.Ceiling(0.5 * sizes.Length) - 1]), Drawn(view, new() { Coverage = 0.5 }));
    }

    [Fact]
    public void TheTargetIsChosen()
    {
        var (shape, values) = (new ImageShape(H, W), Draw(3, 4 * H * W));
        for (var k = 0; k < 4; k++)
            Close(Expected(values[(k * H * W)..((k + 1) * H * W)], shape), Drawn(One(values, 4, H, W), new() { Target = k }));
        // Three planes are channels unless the shape is given.
        var three = values[..(3 * H * W)];
        Close(Expected(three[(H * W)..(2 * H * W)], shape), Drawn(One(three, 3, H, W), new() { Shape = [H, W], Target = 1 }));
    }

    [Fact]
    public void NothingIsWhiteAndNaNIsGrey()
    {
        Assert.All(Drawn(One(new float[H * W], H, W)), c => Assert.Equal(SKColors.White, c));
        Assert.All(Drawn(One([.. Enumerable.Repeat(float.NaN, H * W)], H, W)), c => Assert.Equal(new SKColor(0xC8, 0xC8, 0xC8), c));
        var one = Draw(4, H * W, zeros: 0);
        one[8] = float.NaN;
        var drawn = Drawn(One(one, H, W), new() { Scale = 1 });
        Assert.Equal(new SKColor(0xC8, 0xC8, 0xC8), drawn[8]);
        Close([DivergingColors.Of(one[9])], [drawn[9]]);
    }

    [Fact]
    public void OverAGreyPictureOfPixels()
    {
        var (values, photo) = (Draw(5, H * W), Draw(6, H * W));
        var view = View([new Input { Attribution = values, Photo = photo }], [H, W], H, W);

        Close(Over(values, photo, 0.6), Drawn(view, new() { ImageColumn = "Photo", Scale = 1, Opacity = 0.6 }), most: 1);
        // Without colour the picture is left, a medium grey where darkest and white where lightest.
        var below = Drawn(view, new() { ImageColumn = "Photo", Opacity = 0 });
        Assert.Equal(new SKColor(112, 112, 112), below[Array.IndexOf(photo, photo.Min())]);
        Assert.Equal(SKColors.White, below[Array.IndexOf(photo, photo.Max())]);
    }

    [Fact]
    public void OverAnImageColumn()
    {
        var random = new Random(7);
        var bytes = new byte[4 * H * W];
        random.NextBytes(bytes);
        for (var i = 3; i < bytes.Length; i += 4) bytes[i] = 255;
        var values = Draw(8, H * W);
        var file = Path.Combine(folder, "photo.png");
        using (var image = MLImage.CreateFromPixels(W, H, MLPixelFormat.Rgba32, bytes)) image.Save(file);
        var grey = Enumerable.Range(0, H * W).Select(i => 0.299f * bytes[4 * i] + 0.587f * bytes[4 * i + 1] + 0.114f * bytes[4 * i + 2]).ToArray();
        var rows = One(values, H, W);
        var data = ml.Transforms.CustomMapping<Input, Named>((i, n) => n.File = "photo.png", null).Append(ml.Transforms.LoadImages("Loaded", folder, "File")).Append(ml.Transforms.ResizeImages("Photograph", W, H, "Loaded")).Fit(rows).Transform(rows);
        using var transformer = ml.Transforms.AttributionImage("Image", options: new() { ImageColumn = "Photograph", Scale = 1 }).Fit(data);
        var drawn = transformer.Transform(data);

        Close(Over(values, grey, 0.9), Images(drawn).Single(), most: 1);
        Assert.DoesNotContain(drawn.Schema, c => c.Name.EndsWith(".pixels", StringComparison.Ordinal) && !c.IsHidden);
        Contains("any size", () => ml.Transforms.AttributionImage("Image", options: new() { ImageColumn = "Loaded" }).Fit(data));
    }

    private sealed class Named
    {
        public string File { get; set; } = "";
    }

    /// <summary>The end colours over the grey picture, each as strong as its share of the scale.</summary>
    private static SKColor[] Over(float[] values, float[] grey, double opacity)
    {
        var (low, high) = (grey.Min(), grey.Max());
        return [.. values.Select((v, i) =>
        {
            var (below, full, cover) = (112 + 143.0 * (grey[i] - low) / (high - low), DivergingColors.Of(Math.Sign(v)), opacity * Math.Abs(v));
            byte Mix(byte color) => (byte)Math.Round(below + cover * (color - below));
            return new SKColor(Mix(full.Red), Mix(full.Green), Mix(full.Blue));
        })];
    }

    [Fact]
    public void OneRowAtATime()
    {
        var (shape, values) = (new ImageShape(H, W), Draw(9, H * W));
        var view = One(values, H, W);
        using var transformer = ml.Transforms.AttributionImage("Image").Fit(view);
        var definition = SchemaDefinition.Create(typeof(Input));
        definition[nameof(Input.Attribution)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, H, W);
        definition[nameof(Input.Photo)].ColumnType = new VectorDataViewType(NumberDataViewType.Single, 1);
        using var engine = ml.Model.CreatePredictionEngine<Input, Picture>(transformer, inputSchemaDefinition: definition);

        foreach (var seed in new[] { 9, 10 })
        {
            values = Draw(seed, H * W);
            Close(Expected(values, shape), Colors(engine.Predict(new() { Attribution = values, Photo = [0] }).Image));
        }
    }

    [Fact]
    public void APipelineIsSavedAndDrawsTheSameWithoutTheLibrary()
    {
        var net = new HandMadeGraph(3, new() { InputColumn = "Photo", Targets = Targets.Top(2) }, ("pixels", [H, W]));
        var rows = Enumerable.Range(0, 3).Select(i => new Input { Attribution = [0], Photo = Draw(20 + i, H * W) });
        var data = ml.Transforms.DropColumns("Attribution").Fit(View(rows, [1], H, W)).Transform(View(rows, [1], H, W));
        using var model = new LinearizingEstimator(net.Graph)
            .Append(ml.Transforms.AttributionImage("Plain", options: new() { Target = 1 }))
            .Append(ml.Transforms.AttributionImage("Overlay", options: new() { ImageColumn = "Photo", Scale = 0.5f })).Fit(data);
        string[] columns = ["Plain", "Overlay", "Attribution"];
        List<string> before = [.. ViewText.Of(model.Transform(data), columns)];
        var file = Path.Combine(folder, "model.zip");
        ml.Model.Save(model, data.Schema, file);
        var binary = Path.Combine(folder, "data.idv");
        using (var stream = File.Create(binary)) ml.Data.SaveAsBinary(data, stream);

        Assert.Equal(3 + 3 * 3, before.Count);
        SaveTests.Same(before, [.. ViewText.Of(ml.Model.Load(file, out _).Transform(data), columns)]);
        SaveTests.Same(before, [.. SaveTests.Start("LoadWithoutLibrary", [binary, string.Join(',', columns), file]).Skip(1)]);
        var restored = ml.Model.RestoreLinearization(ml.Model.Load(file, out var schema), schema);
        SaveTests.Same(before, [.. ViewText.Of(restored.Transform(data), columns)]);
        var shape = new ImageShape(H, W);
        var drawn = Images(model.Transform(data), "Plain");
        var attributions = model.Transform(data).GetColumn<float[]>("Attribution").ToList();
        for (var r = 0; r < 3; r++) Close(Expected(attributions[r][(H * W)..], shape), drawn[r]);
    }

    [Fact]
    public void ShapesArePromisedAndKept()
    {
        var view = One(Draw(1, H * W), H, W);
        var estimator = ml.Transforms.AttributionImage("Image");
        using var transformer = estimator.Fit(view);

        var promised = estimator.GetOutputSchema(Rows.ShapeOf(view.Schema)).Single(c => c.Name == "Image");
        Assert.IsType<ImageDataViewType>(promised.ItemType);
        var image = Assert.IsType<ImageDataViewType>(transformer.Transform(view).Schema["Image"].Type);
        Assert.Equal((H, W), (image.Height, image.Width));
        Assert.Equal(transformer.GetOutputSchema(view.Schema).Select(c => c.Name), transformer.Transform(view).Schema.Select(c => c.Name));
        Contains("another image", () => transformer.Transform(One(Draw(1, 36), 6, 6)));
    }

    [Fact]
    public void WrongColumnsAndOptionsAreToldAtFit()
    {
        var line = One(Draw(1, 12), 12);
        var image = One(Draw(1, H * W), H, W);
        void Refused(string expected, IDataView view, AttributionImageOptions? options = null, string column = "Attribution", string output = "Image") =>
            Contains(expected, () => ml.Transforms.AttributionImage(output, column, options).Fit(view));

        Refused("Column 'Absent' is missing", image, column: "Absent");
        Refused("which is no image", line);
        Refused("does not fit column 'Attribution'", line, new() { Shape = [5, 5] });
        Refused("holds 1 target of [5x7]", image, new() { Target = 1 });
        Refused("has 1 channel", image, new() { Channel = 1 });
        Refused("already has a column 'Photo'", image, output: "Photo");
        Refused("would lose its ending '.output'", image, output: "map.output");
        Refused("must be an image of 5x7, or a vector of 35 or 105", image, new() { ImageColumn = "Photo" });
        Refused("'None' is missing. It is to hold the picture to draw over", image, new() { ImageColumn = "None" });
        Refused("Scale is 0", image, new() { Scale = 0 });
        Refused("Coverage is 2; expected a number above 0, up to 1", image, new() { Coverage = 2 });
        Refused("Smoothing is -1", image, new() { Smoothing = -1 });
        Refused("Opacity is 1.5", image, new() { Opacity = 1.5 });
        Contains("Column 'Absent' is missing", () => ml.Transforms.AttributionImage("Image", "Absent").GetOutputSchema(Rows.ShapeOf(image.Schema)));
    }

    private static void Contains(string expected, Func<object> action) => Assert.Contains(expected, Assert.Throws<ArgumentException>(action).Message, StringComparison.Ordinal);
}
