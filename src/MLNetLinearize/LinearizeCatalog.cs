using MLNetLinearize;
using MLNetLinearize.Transforms;

namespace Microsoft.ML;

/// <summary>Adds exact local affine maps of ONNX networks to <see cref="MLContext.Transforms"/>.</summary>
public static class LinearizeCatalog
{
    /// <summary>
    /// Creates a <see cref="LinearizingEstimator"/>, which explains every row by the exact local affine map of the network,
    /// <c>F(x) = W·x + b</c>, and appends attribution, bias and weights as columns.
    /// </summary>
    /// <param name="catalog">The transforms catalog.</param>
    /// <param name="modelFile">The ONNX model. It is read here; weights stored beside it are read too.</param>
    /// <param name="options">What to explain, and the column names. Default: the predicted class, by every float input.</param>
    /// <remarks>
    /// The columns are described at <see cref="LinearizingEstimator"/>. The model's inputs come from the columns of the same
    /// names unless <see cref="LinearizeOptions.InputColumn"/> or <see cref="LinearizeOptions.InputColumns"/> say otherwise.
    /// A row that holds NaN gets what arithmetic makes of it, and changes no other row: where the NaN reaches the score, its
    /// ExplainedScore and LinearizationError are NaN.
    /// </remarks>
    /// <example>
    /// <code>
    /// var pipeline = mlContext.Transforms.ApplyOnnxModel("logits", "pixels", "digits-cnn.onnx")
    ///     .Append(mlContext.Transforms.Linearize("digits-cnn.onnx", new() { InputColumn = "pixels" }));
    /// using var model = pipeline.Fit(data);
    /// foreach (var contributions in model.Transform(data).GetColumn&lt;float[]&gt;("Attribution")) { … }
    /// </code>
    /// </example>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="InvalidModelException">The file is not an ONNX model.</exception>
    public static LinearizingEstimator Linearize(this TransformsCatalog catalog, string modelFile, LinearizeOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentException.ThrowIfNullOrEmpty(modelFile);
        return new LinearizingEstimator(modelFile, options ?? new());
    }

    /// <summary>
    /// Creates a <see cref="LinearizingEstimator"/> from a model in a stream, which is read to its end here and left open.
    /// </summary>
    /// <param name="catalog">The transforms catalog.</param>
    /// <param name="model">The ONNX model, with its weights inside.</param>
    /// <param name="options">What to explain, and the column names. Default: the predicted class, by every float input.</param>
    /// <exception cref="InvalidModelException">The stream is not an ONNX model, or its weights are stored outside it.</exception>
    public static LinearizingEstimator Linearize(this TransformsCatalog catalog, Stream model, LinearizeOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(model);
        return new LinearizingEstimator(model, options ?? new());
    }

    /// <summary>
    /// Creates an <see cref="AttributionImageEstimator"/>, which draws the contributions of an image's pixels as an image, by
    /// themselves or over the image that was explained.
    /// </summary>
    /// <param name="catalog">The transforms catalog.</param>
    /// <param name="outputColumnName">Column of the pictures, of <see cref="Data.MLImage"/>.</param>
    /// <param name="attributionColumnName">Column of the contributions, as <see cref="Linearize(TransformsCatalog, string, LinearizeOptions?)"/> appends it.</param>
    /// <param name="options">Shape, target, scale, colours and the image below. Default: red for and blue against, each row by its own scale.</param>
    /// <example>
    /// <code>
    /// var pipeline = mlContext.Transforms.Linearize("fashion-cnn.onnx")
    ///     .Append(mlContext.Transforms.AttributionImage("Why", options: new() { ImageColumn = "pixels" }));
    /// </code>
    /// </example>
    /// <exception cref="ArgumentException">A name is empty, or an option is out of range.</exception>
    public static AttributionImageEstimator AttributionImage(this TransformsCatalog catalog, string outputColumnName, string attributionColumnName = "Attribution", AttributionImageOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        return new AttributionImageEstimator(outputColumnName, attributionColumnName, options ?? new());
    }

    /// <summary>
    /// Gives a loaded model its batches back. A model with a <see cref="LinearizingTransformer"/> loads anywhere as ML.NET's
    /// own ONNX stage, which runs one row at a time; this puts the <see cref="LinearizingTransformer"/> in the stage's place
    /// again, out of what the file holds. Same columns, same values.
    /// </summary>
    /// <param name="catalog">The model operations.</param>
    /// <param name="model">
    /// What <c>mlContext.Model.Load</c> returned. Use the result in its place: the result owns its stages, and those that are replaced are disposed.
    /// </param>
    /// <param name="inputSchema">The schema that <c>mlContext.Model.Load</c> gave beside it.</param>
    /// <param name="batchSize">Rows of a batch, which the threads share. Default: chosen by the library.</param>
    /// <param name="gpuDeviceId">CUDA device to run on. Default: the CPU.</param>
    /// <param name="fallbackToCpu">Whether to run on the CPU when the GPU cannot be used; otherwise that is an error.</param>
    /// <param name="threads">Threads that explain: a batch is shared by its rows, a single row by its targets or operators where it is much work. Default: one per processor.</param>
    /// <example>
    /// <code>
    /// using var model = mlContext.Model.RestoreLinearization(mlContext.Model.Load("model.zip", out var schema), schema) as IDisposable;
    /// </code>
    /// </example>
    /// <exception cref="ArgumentOutOfRangeException">A number is below 1, or a device below 0.</exception>
    /// <exception cref="ArgumentException">No stage of the model was saved by this library, or the schema is not the model's.</exception>
    /// <exception cref="InvalidModelException">The saved graph is not as it was saved, which its hash shows, or of another version of this library.</exception>
    public static ITransformer RestoreLinearization(this ModelOperationsCatalog catalog, ITransformer model, DataViewSchema inputSchema, int? batchSize = null, int? gpuDeviceId = null, bool fallbackToCpu = false, int? threads = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(model);
        ArgumentNullException.ThrowIfNull(inputSchema);
        return Restorer(catalog, batchSize, gpuDeviceId, fallbackToCpu, threads).Restore(model, inputSchema);
    }

    /// <summary>
    /// Loads a model file whole or not at all: checks that every entry of the file is as it was written, by its CRC-32 and the graphs of
    /// this library by their SHA-256 as well, before any of it is run; then loads it as <c>mlContext.Model.Load</c> does, which checks
    /// nothing, and gives it its batches back as <see cref="RestoreLinearization"/> does.
    /// </summary>
    /// <param name="catalog">The model operations.</param>
    /// <param name="filePath">The file that <c>mlContext.Model.Save</c> wrote.</param>
    /// <param name="inputSchema">The schema of the data that the model was fitted to.</param>
    /// <param name="batchSize">Rows of a batch, which the threads share. Default: chosen by the library.</param>
    /// <param name="gpuDeviceId">CUDA device to run on. Default: the CPU.</param>
    /// <param name="fallbackToCpu">Whether to run on the CPU when the GPU cannot be used; otherwise that is an error.</param>
    /// <param name="threads">Threads that explain. Default: one per processor.</param>
    /// <example>
    /// <code>
    /// using var model = mlContext.Model.LoadLinearized("model.zip", out var schema) as IDisposable;
    /// </code>
    /// </example>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A number is below 1, or a device below 0.</exception>
    /// <exception cref="ArgumentException">No stage of the model was saved by this library.</exception>
    /// <exception cref="InvalidModelException">
    /// The file is damaged, or a graph in it is of another version of this library; the message names the entry.
    /// </exception>
    public static ITransformer LoadLinearized(
        this ModelOperationsCatalog catalog, string filePath, out DataViewSchema inputSchema,
        int? batchSize = null, int? gpuDeviceId = null, bool fallbackToCpu = false, int? threads = null)
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentException.ThrowIfNullOrEmpty(filePath);
        return ModelFile.Load(catalog, filePath, Restorer(catalog, batchSize, gpuDeviceId, fallbackToCpu, threads), out inputSchema);
    }

    private static LoadedModel Restorer(ModelOperationsCatalog catalog, int? batchSize, int? gpuDeviceId, bool fallbackToCpu, int? threads)
    {
        if (batchSize < 1) throw new ArgumentOutOfRangeException(nameof(batchSize), batchSize, "It must be 1 or more, or null to leave the choice to the library.");
        if (threads < 1) throw new ArgumentOutOfRangeException(nameof(threads), threads, "It must be 1 or more, or null for one per processor.");
        if (gpuDeviceId < 0) throw new ArgumentOutOfRangeException(nameof(gpuDeviceId), gpuDeviceId, "It must be the number of a CUDA device, from 0, or null for the CPU.");
        return new LoadedModel(catalog, facts => facts.Options(batchSize, gpuDeviceId, fallbackToCpu, threads));
    }
}
