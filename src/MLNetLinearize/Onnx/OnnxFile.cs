using Google.Protobuf;

namespace MLNetLinearize.Onnx;

/// <summary>
/// Bytes to model and back. Weights stored beside the model (<see cref="ExternalData"/>) are read into it, and every tensor is
/// held to its shape (<see cref="StoredData"/>), so the rest of the library sees one self-contained model of sound tensors.
/// </summary>
internal static class OnnxFile
{
    public static ModelProto Read(string modelFile)
    {
        ArgumentException.ThrowIfNullOrEmpty(modelFile);
        if (Directory.Exists(modelFile))
        {
            var within = Path.Combine(modelFile, "model.onnx");
            throw new FileNotFoundException($"ONNX model '{modelFile}' is a folder. Name the file in it, such as '{within}'.", modelFile);
        }
        if (!File.Exists(modelFile))
            throw new FileNotFoundException($"ONNX model '{modelFile}' does not exist. Check the path; it is resolved against " +
                $"'{Environment.CurrentDirectory}'.", modelFile);
        using var file = File.OpenRead(modelFile);
        if (file.Length > int.MaxValue)
            throw new InvalidModelException($"ONNX model '{modelFile}' has {file.Length:N0} bytes; the format's limit for one file is {int.MaxValue:N0}. " +
                "Save its weights as external data beside it.");
        var model = Parse(file, modelFile);
        var tensors = StoredTensors.Of(model);
        Check(tensors, modelFile);
        new ExternalData(Folder(modelFile), modelFile).Load(tensors);
        return model;
    }

    /// <summary>The files beside a model that hold its weights, as full paths; none for a model that is one file.</summary>
    /// <exception cref="InvalidModelException">The file is no model, or names a file that it may not.</exception>
    public static IReadOnlyList<string> ExternalFiles(string path)
    {
        if (!File.Exists(path)) return [];
        using var file = File.OpenRead(path);
        var beside = new ExternalData(Folder(path), path);
        return [.. StoredTensors.Of(Parse(file, path)).Where(t => ExternalData.Is(t.Tensor)).Select(t => beside.PathOf(t)).Distinct()];
    }

    public static ModelProto Read(Stream model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return Sound(Parse(model, "stream"), "stream");
    }

    /// <summary>A model that is not beside any file, checked as one that is read.</summary>
    /// <exception cref="InvalidModelException">A tensor's data does not fit its shape, or lies outside the model.</exception>
    public static ModelProto Sound(ModelProto model, string name)
    {
        var tensors = StoredTensors.Of(model);
        foreach (var tensor in tensors.Where(t => ExternalData.Is(t.Tensor)))
            throw new InvalidModelException($"{tensor.Describe()} keeps its values in a file beside the model, and a stream has no folder. Pass the model's " +
                "file name instead.");
        Check(tensors, name);
        return model;
    }

    /// <summary>Writes a model to a file.</summary>
    /// <inheritdoc cref="CompleteFile.Write"/>
    public static void Write(ModelProto model, string path) => CompleteFile.Write(path, model.WriteTo);

    /// <summary>Bytes to a model, unchecked but for what every model has.</summary>
    /// <exception cref="InvalidModelException">They are none.</exception>
    public static ModelProto Parse(Stream stream, string name)
    {
        try
        {
            var model = ModelProto.Parser.ParseFrom(stream);
            if (model.Graph is null || model.Graph.Output.Count == 0)
                throw new InvalidModelException($"'{name}' is not an ONNX model: it holds no graph with outputs.");
            return model;
        }
        catch (InvalidProtocolBufferException e)
        {
            throw new InvalidModelException($"'{name}' is not an ONNX model, or is cut short: {e.Message} Check that the download or export is complete.", e);
        }
    }

    private static void Check(IReadOnlyList<StoredTensor> tensors, string model)
    {
        foreach (var tensor in tensors.Where(t => !ExternalData.Is(t.Tensor))) StoredData.Check(tensor, model);
    }

    private static string Folder(string modelFile) => Path.GetDirectoryName(Path.GetFullPath(modelFile))!;
}
