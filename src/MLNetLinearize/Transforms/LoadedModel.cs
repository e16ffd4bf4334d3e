using System.IO.Compression;
using Microsoft.ML;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Onnx;
using MLNetLinearize.Linearization;
using MLNetLinearize.Onnx;

namespace MLNetLinearize.Transforms;

/// <summary>
/// Finds this library's stages in a loaded model. ML.NET's ONNX stage keeps its graph to itself but writes it when it is
/// saved, so each such stage is saved to memory, and the graph is read from there.
/// </summary>
internal sealed class LoadedModel(ModelOperationsCatalog catalog, Func<SavedFacts, LinearizeOptions> options)
{
    // ML.NET's own name of the entry.
    private const string Entry = "OnnxModel";

    private readonly List<IDisposable> replaced = [];
    private readonly List<IDisposable> made = [];
    private readonly List<string> seen = [];

    /// <summary>The model with our stages in the place of ML.NET's, which are disposed once all went well.</summary>
    public ITransformer Restore(ITransformer model, DataViewSchema schema)
    {
        try
        {
            var restored = Stage(model, schema);
            if (made.Count == 0)
                throw new ArgumentException($"The model has no stage that MLNetLinearize saved. Expected an ONNX stage whose graph has the metadata '{SavedFinish.MetadataKey}'; the stages are {InputColumn.Short(seen)}. " +
                    "Load the file that was saved from a pipeline with mlContext.Transforms.Linearize.", nameof(model));
            foreach (var stage in replaced) stage.Dispose();
            return restored;
        }
        catch
        {
            foreach (var stage in made) stage.Dispose();
            throw;
        }
    }

    /// <summary>Whether an entry is the graph of an ONNX stage.</summary>
    public static bool IsGraph(ZipArchiveEntry entry) => entry.FullName.Split('/', '\\')[^1] == Entry;

    /// <summary>The model in the entry of an ONNX stage, unchecked.</summary>
    public static ModelProto Graph(ZipArchiveEntry entry)
    {
        using var stream = entry.Open();
        // ML.NET stores the length in front of the bytes.
        if (stream.ReadAtLeast(stackalloc byte[sizeof(int)], sizeof(int), throwOnEndOfStream: false) < sizeof(int))
            throw new InvalidDataException($"The entry '{entry.FullName}' is cut short.");
        return OnnxFile.Parse(stream, entry.FullName);
    }

    private ITransformer Stage(ITransformer stage, DataViewSchema schema)
    {
        if (stage is IEnumerable<ITransformer> chain)
        {
            var stages = new List<ITransformer>();
            foreach (var inner in chain)
            {
                // The old stage says what comes behind it, also where the new one has no columns to add.
                stages.Add(Stage(inner, schema));
                schema = inner.GetOutputSchema(schema);
            }
            return new TransformerChain<ITransformer>([.. stages]);
        }
        seen.Add(stage.GetType().Name);
        if (stage is not OnnxTransformer onnx) return stage;
        var model = ModelOf(onnx);
        if (SavedGraph.FactsOf(model, $"the entry '{Entry}' of stage {seen.Count} of the model") is not { } facts) return stage;
        var ours = new LinearizingTransformer(SavedGraph.Restore(model, facts, options(facts)), schema);
        made.Add(ours);
        replaced.Add(onnx);
        return ours;
    }

    private ModelProto ModelOf(OnnxTransformer stage)
    {
        using var saved = new MemoryStream();
        catalog.Save(stage, null, saved);
        saved.Position = 0;
        using var zip = new ZipArchive(saved, ZipArchiveMode.Read);
        return Graph(zip.Entries.Single(IsGraph));
    }
}
