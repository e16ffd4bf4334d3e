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
        return new LinearizingEstimator(model, options ?? new());
    }
}
