using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;
using MLNetLinearize.Reporting;

namespace MLNetLinearize.Transforms;

/// <summary>Draws contributions of an image's pixels as an image: red spoke for the explained output, blue against it.</summary>
/// <remarks>
/// <format type="text/markdown"><![CDATA[
///
/// ### Estimator Characteristics
/// |  |  |
/// | -- | -- |
/// | Does this estimator need to look at the data to train its parameters? | No |
/// | Input column data type | Known-sized vector of <xref:System.Single>: [H, W], [C, H, W] or [H, W, C] with 1 or 3 channels, before them the targets where there are several |
/// | Output column data type | <xref:Microsoft.ML.Data.MLImage>, H × W |
/// | Required NuGet in addition to Microsoft.ML | MLNetLinearize |
/// | Exportable to ONNX | No |
///
/// White is 0, equal sizes for and against are equally light and strong, equal steps of the contribution equal steps of
/// perceived colour, and blue and red stay apart for the colour-blind. The scale is symmetric. NaN is grey.
///
/// The fitted transformer is saved with the model as ML.NET's own stages (an ONNX graph of the colours, and ConvertToImage), so
/// that a program without this library loads it and draws the same pictures.
/// ]]></format>
/// </remarks>
public sealed class AttributionImageEstimator : IEstimator<AttributionImageTransformer>
{
    private readonly string output, attribution;
    private readonly AttributionImageOptions options;

    internal AttributionImageEstimator(string output, string attribution, AttributionImageOptions options)
    {
        void Require(bool holds, string option, object? value, string expected)
        {
            if (!holds) throw new ArgumentException(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"AttributionImageOptions.{option} is {value}; expected {expected}."));
        }
        ArgumentException.ThrowIfNullOrWhiteSpace(output);
        ArgumentException.ThrowIfNullOrWhiteSpace(attribution);
        ArgumentNullException.ThrowIfNull(options);
        Require(options.Target >= 0, nameof(options.Target), options.Target, "0 or more");
        Require(options.Scale is null or (> 0 and < float.PositiveInfinity), nameof(options.Scale), options.Scale, "a finite number above 0, or null for each row's own");
        Require(options.Coverage is > 0 and <= 1, nameof(options.Coverage), options.Coverage, "a number above 0, up to 1");
        Require(options.Smoothing >= 0 && double.IsFinite(options.Smoothing), nameof(options.Smoothing), options.Smoothing, "a finite number of pixels, 0 or more");
        Require(options.Opacity is >= 0 and <= 1, nameof(options.Opacity), options.Opacity, "a number from 0 to 1");
        (this.output, this.attribution, this.options) = (output, attribution, options);
    }

    /// <summary>Checks the columns and returns the transformer. No row is read.</summary>
    /// <param name="input">Data whose schema has the columns.</param>
    /// <exception cref="ArgumentException">A column is missing, is no image, or has another size, or the output column's name is taken.</exception>
    public AttributionImageTransformer Fit(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        return new(input.Schema, PictureColumns.Bind(input.Schema, output, attribution, options));
    }

    /// <summary>The column that <see cref="Fit"/>'s transformer will give for this shape of schema.</summary>
    /// <exception cref="ArgumentException">A column is missing, or the output column's name is taken.</exception>
    public SchemaShape GetOutputSchema(SchemaShape inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        var names = inputSchema.Select(c => c.Name).ToList();
        foreach (var name in new[] { attribution, options.ImageColumn }.OfType<string>())
            if (!names.Contains(name)) throw PictureColumns.Missing(name, name == attribution, names);
        PictureColumns.CheckOutput(output, names.Contains(output));
        var schema = new DataViewSchema.Builder();
        schema.AddColumn(output, new ImageDataViewType());
        return new SchemaShape(inputSchema.Concat(SchemaPromise.ShapeOf(schema.ToSchema())));
    }
}
