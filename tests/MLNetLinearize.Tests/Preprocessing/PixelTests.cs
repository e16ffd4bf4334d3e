using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using MLNetLinearize.Tests.Transforms;
using MLNetLinearize.Transforms;

namespace MLNetLinearize.Tests.Preprocessing;

/// <summary>Back from extracted pixels to the image's own, 0 to 255.</summary>
public sealed class PixelTests : IDisposable
{
    private const int Height = 5, Width = 4;

    private readonly MLContext ml = new(seed: 1);
    private readonly IDataView pictures;
    private readonly string folder = Directory.CreateTempSubdirectory("pixel-tests").FullName;

    public PixelTests()
    {
        var random = new Random(4);
        pictures = ml.Data.LoadFromEnumerable(Enumerable.Range(0, 8).Select(_ =>
        {
            var bytes = new byte[4 * Height * Width];
            random.NextBytes(bytes);
            for (var i = 3; i < bytes.Length; i += 4) bytes[i] = 255;
            return bytes;
        }).ToList().Select(bytes => new Picture { Image = MLImage.CreateFromPixels(Width, Height, MLPixelFormat.Rgba32, bytes) }));
    }

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData(0f, 1f, false, "R[0,0]", "R[0,1]")]
    [InlineData(117f, 0.017f, false, "R[0,0]", "R[0,1]")]
    [InlineData(127.5f, 1 / 127.5f, true, "R[0,0]", "G[0,0]")]
    [InlineData(0f, 1 / 255f, false, "B[0,0]", "B[0,1]")]
    public void PixelsExplain(float offset, float scale, bool interleaved, string first, string second)
    {
        var order = first[0] == 'B' ? ImagePixelExtractingEstimator.ColorsOrder.ABGR : ImagePixelExtractingEstimator.ColorsOrder.ARGB;
        IEstimator<ITransformer> Extract(string output, float offset, float scale) => ml.Transforms.ExtractPixels(output, "Image", orderOfExtraction: order, interleavePixelColors: interleaved, offsetImage: offset, scaleImage: scale);
        var preprocessing = Extract("extracted", offset, scale).Append(ml.Transforms.NormalizeMinMax("features", "extracted", fixZero: false)).Fit(pictures);
        var prepared = Extract("own", 0, 1).Fit(pictures).Transform(preprocessing.Transform(pictures));
        object[] shape = interleaved ? ["N", Height, Width, 3] : ["N", 3, Height, Width];
        var model = SmallNets.Make(3 * Height * Width, isLinear: false, shape);
        using var stream = new MemoryStream(model);
        using var explained = ml.Transforms.Linearize(stream, new() { Preprocessing = new(preprocessing, pictures.Schema) }).Fit(prepared);
        var result = explained.Transform(prepared);
        var rows = ml.Data.CreateEnumerable<Explained>(result, reuseRowObject: false).ToList();
        var (own, scores) = (prepared.GetColumn<float[]>("own").ToList(), SmallNets.Scores(ml, model, prepared, "features"));

        Assert.Equal([first, second], SmallNets.SlotNames(result.Schema["Attribution"]).Take(2));
        Assert.Equal(shape.Skip(1).Cast<int>(), ((VectorDataViewType)result.Schema["Attribution"].Type).Dimensions);
        for (var i = 0; i < rows.Count; i++)
        {
            Rows.Close([scores[i].Max()], rows[i].ExplainedScore, 1e-5f);
            Rows.Close([.. rows[i].Weights.Zip(own[i], (w, p) => w * p)], rows[i].Attribution, 1e-6f);
            Assert.InRange(rows[i].LinearizationError[0], 0, 1e-5f);
        }

        var file = Path.Combine(folder, "model.zip");
        ml.Model.Save(explained, prepared.Schema, file);
        using var restored = (LinearizingTransformer)ml.Model.RestoreLinearization(ml.Model.Load(file, out var schema), schema);
        Assert.Equal(SmallNets.SlotNames(result.Schema["Attribution"]), SmallNets.SlotNames(restored.Transform(prepared).Schema["Attribution"]));
        foreach (var (left, right) in rows.Zip(restored.Transform(prepared).GetColumn<float[]>("Attribution"))) Rows.Close(left.Attribution, right, 1e-5f);
    }

    [Fact]
    public void AlphaIsRefused()
    {
        string Refused(IEstimator<ITransformer> stages, IDataView view)
        {
            using var stream = new MemoryStream(SmallNets.Make(3 * Height * Width, isLinear: false));
            return Assert.Throws<ArgumentException>(() => ml.Transforms.Linearize(stream, new() { Preprocessing = new(stages.Fit(view), view.Schema) }).Fit(view)).Message;
        }

        Assert.Contains("ImagePixelExtractingTransformer (['Image'] → 'features'), is not affine", Refused(ml.Transforms.ExtractPixels("features", "Image", colorsToExtract: ImagePixelExtractingEstimator.ColorBits.All), pictures), StringComparison.Ordinal);
    }

    [Fact]
    public void StagesInFrontOfTheExtractionAreLeftAlone()
    {
        var stages = ml.Transforms.ResizeImages("small", Width, Height, "Image").Append(ml.Transforms.ExtractPixels("features", "small")).Fit(pictures);
        using var stream = new MemoryStream(SmallNets.Make(3 * Height * Width, isLinear: false));
        using var explained = ml.Transforms.Linearize(stream, new() { Preprocessing = new(stages, pictures.Schema) }).Fit(stages.Transform(pictures));

        Assert.Equal("R[4,3]", SmallNets.SlotNames(explained.GetOutputSchema(stages.Transform(pictures).Schema)["Attribution"])[Height * Width - 1]);
    }

    private sealed class Picture
    {
        [ImageType(Height, Width)]
        public MLImage? Image { get; set; }
    }

    private sealed class Explained
    {
        public float[] Attribution { get; set; } = [];
        public float[] Weights { get; set; } = [];
        public float[] ExplainedScore { get; set; } = [];
        public float[] LinearizationError { get; set; } = [];
    }
}
