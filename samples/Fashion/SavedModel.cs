using System.Diagnostics;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace Fashion;

/// <summary>A model on its way through a file into another process.</summary>
internal static class SavedModel
{
    private static readonly string[] Columns = ["Attribution", "Bias"];

    /// <summary>Saves the model, has another process explain the same photographs with it, and compares.</summary>
    /// <returns>The largest difference of any contribution or bias.</returns>
    public static float Difference(MLContext ml, ITransformer model, IDataView photographs, string images, string file)
    {
        ml.Model.Save(model, photographs.Schema, file);
        var result = Path.ChangeExtension(file, ".idv");
        try
        {
            using var other = Process.Start("dotnet", [typeof(SavedModel).Assembly.Location, "explain-saved", file, images, result]);
            other.WaitForExit();
            if (other.ExitCode != 0) throw new InvalidOperationException($"The other process ended with {other.ExitCode}.");
            var (here, there) = (model.Transform(photographs), ml.Data.LoadFromBinary(result));
            return Columns.Max(c => Values(here, c).Zip(Values(there, c), (a, b) => a.Zip(b, (x, y) => Math.Abs(x - y)).Max()).Max());
        }
        finally
        {
            File.Delete(result);
        }
    }

    /// <summary>The other process: loads the model, gives it its batches back, and writes what it explains.</summary>
    public static void Explain(string file, string images, string result)
    {
        var ml = new MLContext();
        var model = ml.Model.RestoreLinearization(ml.Model.Load(file, out var schema), schema);
        var explained = model.Transform(Explanation.Table(ml, Gallery.Files(images)));
        using var stream = File.Create(result);
        ml.Data.SaveAsBinary(ml.Transforms.SelectColumns(Columns).Fit(explained).Transform(explained), stream);
    }

    private static IEnumerable<float[]> Values(IDataView view, string column) => view.GetColumn<float[]>(column);
}
