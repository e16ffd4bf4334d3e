using System.Runtime.InteropServices;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using Microsoft.ML.Transforms.Onnx;
using MLNetLinearize;
using MLNetLinearize.Reporting;
using SkiaSharp;

namespace Fashion;

/// <summary>
/// One photograph, what the network said of it, and why: score = Σ contributions + bias. The score is of one class, or, asked
/// for a contrast, of one class less that of another.
/// </summary>
internal sealed record Explanation(string File, int Class, float[] Pixels, float Score, float[] Contributions, float Bias, float Error, SKBitmap Photograph, SKBitmap Map, SKBitmap Overlay) : IDisposable
{
    public string Name => Path.GetFileNameWithoutExtension(File);

    public void Dispose()
    {
        Photograph.Dispose();
        Map.Dispose();
        Overlay.Dispose();
    }

    /// <summary>The pipeline, from the names of files in the column File to pictures of the reasons.</summary>
    public static IEstimator<ITransformer> Pipeline(MLContext ml, Network network, Targets targets, double smoothing = 0) =>
        ml.Transforms.LoadImages("Loaded", imageFolder: null, inputColumnName: "File")
            .Append(ml.Transforms.ResizeImages("Photograph", network.Width, network.Height, "Loaded"))
            .Append(Extract(ml, network))
            .Append(ml.Transforms.ApplyOnnxModel(new OnnxOptions { ModelFile = network.File, InputColumns = [network.Input], OutputColumns = [network.Output], ShapeDictionary = new Dictionary<string, int[]> { [network.Input] = network.Shape } }))
            .Append(ml.Transforms.Linearize(network.File, new() { Targets = targets, InputShapes = new Dictionary<string, IReadOnlyList<int>> { [network.Input] = network.Shape } }))
            .Append(ml.Transforms.AttributionImage("Map", options: new() { Smoothing = smoothing }))
            .Append(ml.Transforms.AttributionImage("Overlay", options: new() { ImageColumn = "Photograph", Smoothing = smoothing }));

    /// <summary>The network's input from the photograph: each channel with its own mean and scale, one after the other; or, where the network wants them interleaved, in one go.</summary>
    private static IEstimator<ITransformer> Extract(MLContext ml, Network network)
    {
        var (mean, scale, isBgr) = network.Preparation;
        if (network.IsChannelsLast && network.Channels == 3)
        {
            var order = isBgr ? ImagePixelExtractingEstimator.ColorsOrder.ABGR : ImagePixelExtractingEstimator.ColorsOrder.ARGB;
            return ml.Transforms.ExtractPixels(network.Input, "Photograph", orderOfExtraction: order, interleavePixelColors: true, offsetImage: mean[0], scaleImage: scale[0]);
        }
        ImagePixelExtractingEstimator.ColorBits[] colors = [ImagePixelExtractingEstimator.ColorBits.Red, ImagePixelExtractingEstimator.ColorBits.Green, ImagePixelExtractingEstimator.ColorBits.Blue];
        if (network.Channels == 1)
            return ml.Transforms.ConvertToGrayscale("Grey", "Photograph").Append(ml.Transforms.ExtractPixels(network.Input, "Grey", colors[0], offsetImage: mean[0], scaleImage: scale[0]));
        var channels = new EstimatorChain<ITransformer>();
        foreach (var (color, i) in (isBgr ? colors.Reverse() : colors).Select((c, i) => (c, i)))
            channels = channels.Append((IEstimator<ITransformer>)ml.Transforms.ExtractPixels($"{color}", "Photograph", color, offsetImage: mean[i], scaleImage: scale[i]));
        return channels.Append(ml.Transforms.Concatenate(network.Input, [.. (isBgr ? colors.Reverse() : colors).Select(c => $"{c}")]));
    }

    /// <summary>A table of one column, File.</summary>
    public static IDataView Table(MLContext ml, IEnumerable<string> files) =>
        ml.Data.LoadFromEnumerable(files.Select(f => new Photo { File = Whole(Path.GetFullPath(f)) }));

    /// <summary>
    /// A file that was looked through: ML.NET takes one that was cut short for a photograph with a black rest, and does not name one
    /// that it cannot read.
    /// </summary>
    /// <exception cref="InvalidDataException">It is no image, cut short, or too large.</exception>
    private static string Whole(string file)
    {
        using var image = ImageFile.Open(file);
        using var bitmap = image.Decode();
        return file;
    }

    /// <summary>Explains photographs, one after the other as they are read: memory does not grow with their number.</summary>
    public static IEnumerable<Explanation> Of(MLContext ml, Network network, IReadOnlyList<string> files, Targets? targets = null, double smoothing = 0)
    {
        var table = Table(ml, files);
        using var model = (IDisposable)Pipeline(ml, network, targets ?? Targets.Predicted, smoothing).Fit(table);
        foreach (var explanation in Read(network, ((ITransformer)model).Transform(table))) yield return explanation;
    }

    /// <summary>The rows of a table that the pipeline has explained.</summary>
    public static IEnumerable<Explanation> Read(Network network, IDataView explained)
    {
        // A cursor and not CreateEnumerable, which asks for classes that state the sizes of their images.
        using var row = explained.GetRowCursor(explained.Schema);
        while (row.MoveNext())
        {
            var scores = Vector(row, network.Output);
            network.CheckNames(scores.Length);
            yield return new Explanation(Value<ReadOnlyMemory<char>>(row, "File").ToString(), Array.IndexOf(scores, scores.Max()), Vector(row, network.Input),
                Vector(row, "ExplainedScore")[0], Vector(row, "Attribution"), Vector(row, "Bias")[0], Vector(row, "LinearizationError")[0],
                Bitmap(row, "Photograph"), Bitmap(row, "Map"), Bitmap(row, "Overlay"));
        }
    }

    private static T Value<T>(DataViewRow row, string column)
    {
        T value = default!;
        row.GetGetter<T>(row.Schema[column])(ref value);
        return value;
    }

    private static float[] Vector(DataViewRow row, string column) => [.. Value<VBuffer<float>>(row, column).DenseValues()];

    private static SKBitmap Bitmap(DataViewRow row, string column)
    {
        using var image = Value<MLImage>(row, column);
        var colors = image.PixelFormat == MLPixelFormat.Rgba32 ? SKColorType.Rgba8888 : SKColorType.Bgra8888;
        var bitmap = new SKBitmap(new SKImageInfo(image.Width, image.Height, colors, SKAlphaType.Opaque));
        Marshal.Copy(image.Pixels.ToArray(), 0, bitmap.GetPixels(), image.Pixels.Length);
        return bitmap;
    }

    private sealed class Photo
    {
        public string File { get; set; } = "";
    }
}
