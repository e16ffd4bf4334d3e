using System.IO.Compression;
using System.IO.Hashing;
using Microsoft.ML;
using Microsoft.ML.OnnxRuntime;
using MLNetLinearize.Linearization;

namespace MLNetLinearize.Transforms;

/// <summary>
/// Whether a file of <c>mlContext.Model.Save</c> is as it was written. Neither ML.NET nor .NET's zip reader holds the entries of the
/// archive to their CRC-32, so that a flipped bit would load, and run.
/// </summary>
internal static class ModelFile
{
    /// <summary>Checks a file, loads it, and gives it its batches back.</summary>
    /// <inheritdoc cref="Check"/>
    public static ITransformer Load(ModelOperationsCatalog catalog, string path, LoadedModel restorer, out DataViewSchema schema)
    {
        Check(path);
        ITransformer loaded;
        try
        {
            loaded = catalog.Load(path, out schema);
        }
        catch (Exception e) when (e is FormatException or InvalidOperationException or ArgumentException or InvalidDataException
            or EndOfStreamException or KeyNotFoundException or OnnxRuntimeException)
        {
            // What no checksum is of, such as the names of the entries; or a stage of an assembly that is not there, which ML.NET's words tell.
            throw new InvalidModelException($"ML.NET cannot load the model '{path}': {e.Message} Copy the file anew, or save the model again; an assembly " +
                "that is asked for must be referenced and registered.", e);
        }
        try
        {
            if (schema is null)
                throw new InvalidModelException($"The model '{path}' holds no schema of its input, by which its stages are bound to columns. " +
                    "Save it with the schema of the data, mlContext.Model.Save(model, data.Schema, path); if it was, the file is damaged: copy it anew.");
            return restorer.Restore(loaded, schema);
        }
        catch
        {
            (loaded as IDisposable)?.Dispose();
            throw;
        }
    }

    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="InvalidModelException">It is no such file, or an entry of it is damaged; the message names it.</exception>
    public static void Check(string path)
    {
        if (!File.Exists(path))
            throw new FileNotFoundException($"The model '{path}' does not exist. It is looked for in '{Environment.CurrentDirectory}'.", path);
        try
        {
            using var zip = ZipFile.OpenRead(path);
            foreach (var entry in zip.Entries)
            {
                CheckBytes(entry, path);
                if (LoadedModel.IsGraph(entry)) CheckGraph(entry, path);
            }
        }
        catch (InvalidDataException e)
        {
            throw new InvalidModelException($"The model '{path}' is no file that mlContext.Model.Save wrote, or is damaged: {e.Message} Copy it anew, or " +
                "save the model again.", e);
        }
    }

    private static void CheckBytes(ZipArchiveEntry entry, string path)
    {
        var crc = new Crc32();
        try
        {
            using var stream = entry.Open();
            crc.Append(stream);
        }
        catch (InvalidDataException e)
        {
            throw new InvalidModelException($"The entry '{entry.FullName}' of the model '{path}' is damaged: {e.Message} Copy the file anew, or save the " +
                "model again.", e);
        }
        if (crc.GetCurrentHashAsUInt32() != entry.Crc32)
            throw new InvalidModelException($"The entry '{entry.FullName}' of the model '{path}' is damaged: its CRC-32 is " +
                $"{crc.GetCurrentHashAsUInt32():x8}, and was {entry.Crc32:x8} when it was written. Copy the file anew, or save the model again.");
    }

    private static void CheckGraph(ZipArchiveEntry entry, string path) =>
        SavedGraph.FactsOf(LoadedModel.Graph(entry), $"the entry '{entry.FullName}' of the model '{path}'");
}
