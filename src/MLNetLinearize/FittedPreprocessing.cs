using Microsoft.ML;

namespace MLNetLinearize;

/// <summary>
/// Fitted stages that make the model's input, to explain the score by the columns that go into them. Every stage on the way
/// must be affine, <c>y = A·x + c</c>: normalizers that shift and scale, PCA projection, Concatenate, CopyColumns, selections
/// of columns and slots, conversions of numbers, replaced missing values, and ExtractPixels with its offset and scale.
/// </summary>
/// <param name="Transformer">
/// The stages, such as a fitted chain. The columns that they read and do not make are the raw columns, and must be numbers.
/// Of an image, its pixels are: whole numbers from 0 to 255, read back from the column that ExtractPixels makes.
/// </param>
/// <param name="InputSchema">The schema of the data that the stages take, as for <c>mlContext.Model.Save</c>.</param>
public sealed record FittedPreprocessing(ITransformer Transformer, DataViewSchema InputSchema);
