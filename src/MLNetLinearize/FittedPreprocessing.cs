using Microsoft.ML;

namespace MLNetLinearize;

/// <summary>
/// Fitted stages that make the model's input, to explain the score by the columns that go into them. Every stage on the way
/// must be affine, <c>y = A·x + c</c>, by its making: normalizers that shift and scale, PCA projection, whitening, Concatenate,
/// CopyColumns, selections of columns and slots, conversions of numbers, replaced missing values, and ExtractPixels with its
/// offset and scale. An Expression or CustomMapping is refused, since no probe tells what it does at every value. Fit
/// compares what is made of the first rows with the stages' own output.
/// </summary>
/// <param name="Transformer">
/// The stages, such as a fitted chain. The columns that they read and do not make are the raw columns, and must be numbers.
/// Of an image, its pixels are: whole numbers from 0 to 255, read back from the column that ExtractPixels makes.
/// </param>
/// <param name="InputSchema">The schema of the data that the stages take, as for <c>mlContext.Model.Save</c>.</param>
public sealed record FittedPreprocessing(ITransformer Transformer, DataViewSchema InputSchema);
