using Microsoft.ML;
using Microsoft.ML.Data;
using MLNetLinearize.Reporting;

namespace MLNetLinearize.Transforms;

/// <summary>
/// Appends a column of pictures, as <see cref="AttributionImageEstimator"/> describes it. Inside are stages of ML.NET, which
/// draw here just as they do where a saved model is loaded. Dispose it to release them.
/// </summary>
public sealed class AttributionImageTransformer : ITransformer, IDisposable
{
    private readonly DataViewSchema schema;
    private readonly PicturePlan plan;
    private readonly TransformerChain<ITransformer> stages;

    internal AttributionImageTransformer(DataViewSchema schema, PicturePlan plan)
    {
        (this.schema, this.plan) = (schema, plan);
        stages = WithStages(made => made);
    }

    /// <summary>True: each row is drawn by itself.</summary>
    public bool IsRowToRowMapper => true;

    /// <summary>The schema of <see cref="Transform"/>'s result.</summary>
    /// <exception cref="ArgumentException">A column is missing, has another type or size, or the output column's name is taken.</exception>
    public DataViewSchema GetOutputSchema(DataViewSchema inputSchema)
    {
        Check(inputSchema);
        return stages.GetOutputSchema(inputSchema);
    }

    /// <summary>The data with the pictures appended, drawn as they are read.</summary>
    /// <exception cref="ArgumentException">A column is missing, has another type or size, or the output column's name is taken.</exception>
    public IDataView Transform(IDataView input)
    {
        ArgumentNullException.ThrowIfNull(input);
        Check(input.Schema);
        return stages.Transform(input);
    }

    /// <summary>Draws single rows, as <see cref="PredictionEngine{TSrc, TDst}"/> does.</summary>
    /// <exception cref="ArgumentException">A column is missing, has another type or size, or the output column's name is taken.</exception>
    public IRowToRowMapper GetRowToRowMapper(DataViewSchema inputSchema)
    {
        Check(inputSchema);
        return ((ITransformer)stages).GetRowToRowMapper(inputSchema);
    }

    /// <summary>Releases the stages.</summary>
    public void Dispose() => stages.Dispose();

    /// <exception cref="IOException">The temporary file that ML.NET's ONNX stage reads cannot be written.</exception>
    void ICanSaveModel.Save(ModelSaveContext ctx)
    {
        ArgumentNullException.ThrowIfNull(ctx);
        WithStages(made =>
        {
            using (made) ((ICanSaveModel)made).Save(ctx);
            return made;
        });
    }

    private void Check(DataViewSchema inputSchema)
    {
        ArgumentNullException.ThrowIfNull(inputSchema);
        var other = PictureColumns.Bind(inputSchema, plan.Output, plan.Attribution, plan.Options);
        if (other != plan)
            throw new ArgumentException($"Column '{plan.Attribution}' is another image than the one this transformer was fitted to: {other.Targets} of [{other.Shape}], not {plan.Targets} of [{plan.Shape}]. Fit it to this data.", nameof(inputSchema));
    }

    /// <summary>Makes the stages and uses them while their file is there: ML.NET's ONNX stage reads it when it is made, and again when it is saved.</summary>
    private TransformerChain<ITransformer> WithStages(Func<TransformerChain<ITransformer>, TransformerChain<ITransformer>> use)
    {
        var file = Path.Combine(Path.GetTempPath(), $"mlnetlinearize-{Guid.NewGuid():N}.onnx");
        try
        {
            var model = PictureGraph.Build(plan);
            StockStage.Write(model, file);
            var catalog = new MLContext().Transforms;
            var (height, width) = (plan.Shape.Height, plan.Shape.Width);
            var isExtracted = plan.Photograph is { } photo && photo.Column != plan.Options.ImageColumn;
            var made = new EstimatorChain<ITransformer>();
            if (isExtracted) made = made.Append((IEstimator<ITransformer>)catalog.ExtractPixels(plan.Photograph!.Value.Column, plan.Options.ImageColumn));
            made = made.Append((IEstimator<ITransformer>)catalog.ApplyOnnxModel([plan.Output], [.. model.Graph.Input.Select(i => i.Name)], file))
                .Append((IEstimator<ITransformer>)catalog.ConvertToImage(height, width, plan.Output, plan.Output));
            if (isExtracted) made = made.Append((IEstimator<ITransformer>)catalog.DropColumns(plan.Photograph!.Value.Column));
            return use(made.Fit(new EmptyView(schema)));
        }
        finally
        {
            File.Delete(file);
        }
    }
}
