using Microsoft.ML;
using MLNetLinearize.Linearization;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Transforms;

/// <summary>
/// Saving through ML.NET's own ONNX stage. That stage reads its model again from the file while it saves, so a temporary
/// file lives until it is done, and no longer.
/// </summary>
internal static class StockStage
{
    public static void Save(ModelSaveContext ctx, ColumnBinding binding)
    {
        var model = Build(binding);
        var file = Path.Combine(Path.GetTempPath(), $"mlnetlinearize-{Guid.NewGuid():N}.onnx");
        try
        {
            Write(model, file);
            var inputs = model.Graph.Input.Select(i => i.Name).ToArray();
            var outputs = model.Graph.Output.Select(o => o.Name).ToArray();
            ITransformer stage = new MLContext().Transforms.ApplyOnnxModel(outputs, inputs, file).Fit(new EmptyView(binding.InputSchema));
            try
            {
                stage.Save(ctx);
            }
            finally
            {
                (stage as IDisposable)?.Dispose();
            }
        }
        finally
        {
            File.Delete(file);
        }
    }

    /// <summary>The saved form of the graph, under the names of the columns.</summary>
    public static ModelProto Build(ColumnBinding binding) => SavedFinish.Build(
        binding.Graph,
        [.. binding.Inputs.Select(i => new SavedInput(i.Input, i.Column.Name))],
        [.. binding.Outputs.Select(o => new SavedOutput(o.Name, o.Output, o.Shape, o.Slots?.Values, o.Top, o.PerTarget, o.Groups?.OfSlot))],
        binding.Label?.Saved());

    /// <exception cref="IOException">The file cannot be written; nothing of it is left.</exception>
    public static void Write(ModelProto model, string file)
    {
        try
        {
            OnnxFile.Write(model, file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new IOException($"The model cannot be saved: ML.NET's ONNX stage reads the graph ({model.CalculateSize():N0} bytes) from a temporary file, and '{file}' cannot be written: {e.Message} " +
                "Free space there, or name another folder in the environment variable TMPDIR (TEMP on Windows).", e);
        }
    }
}
