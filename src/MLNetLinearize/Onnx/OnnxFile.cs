using Google.Protobuf;

namespace MLNetLinearize.Onnx;

/// <summary>
/// Bytes to model and back. Weights stored beside the model ("external data") are read into it, so the rest of the
/// library sees one self-contained model. A path that leaves the model's folder is refused: a model file must not be
/// able to read arbitrary files of the machine that explains it.
/// </summary>
internal static class OnnxFile
{
    public static ModelProto Read(string modelFile)
    {
        ArgumentException.ThrowIfNullOrEmpty(modelFile);
        if (Directory.Exists(modelFile)) throw new FileNotFoundException($"ONNX model '{modelFile}' is a folder. Name the file in it, such as '{Path.Combine(modelFile, "model.onnx")}'.", modelFile);
        if (!File.Exists(modelFile))
            throw new FileNotFoundException($"ONNX model '{modelFile}' does not exist. Check the path; it is resolved against '{Environment.CurrentDirectory}'.", modelFile);
        using var file = File.OpenRead(modelFile);
        if (file.Length > int.MaxValue)
            throw new InvalidModelException($"ONNX model '{modelFile}' has {file.Length:N0} bytes; the format's limit for one file is {int.MaxValue:N0}. Save its weights as external data beside it.");
        var model = Parse(file, modelFile);
        LoadExternalData(model, Path.GetDirectoryName(Path.GetFullPath(modelFile))!, modelFile);
        return model;
    }

    /// <summary>The files beside a model that hold its weights, as full paths; none for a model that is one file.</summary>
    public static IReadOnlyList<string> ExternalFiles(string path)
    {
        if (!File.Exists(path)) return [];
        using var file = File.OpenRead(path);
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var locations = AllTensors(Parse(file, path).Graph).Where(IsExternal).SelectMany(t => t.ExternalData.Where(e => e.Key == "location").Select(e => e.Value));
        return [.. locations.Distinct().Select(l => Path.GetFullPath(Path.Combine(folder, l)))];
    }

    public static ModelProto Read(Stream model)
    {
        ArgumentNullException.ThrowIfNull(model);
        var read = Parse(model, "stream");
        if (AllTensors(read.Graph).FirstOrDefault(IsExternal) is { } tensor)
            throw new InvalidModelException($"Tensor '{tensor.Name}' keeps its values in a file beside the model, and a stream has no folder. Pass the model's file name instead.");
        return read;
    }

    /// <summary>Writes a model to a file.</summary>
    /// <inheritdoc cref="CompleteFile.Write"/>
    public static void Write(ModelProto model, string path) => CompleteFile.Write(path, model.WriteTo);

    private static ModelProto Parse(Stream stream, string name)
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

    private static void LoadExternalData(ModelProto model, string folder, string modelPath)
    {
        foreach (var tensor in AllTensors(model.Graph).Where(IsExternal))
        {
            var entries = tensor.ExternalData.ToDictionary(e => e.Key, e => e.Value);
            if (!entries.TryGetValue("location", out var location))
                throw new InvalidModelException($"Tensor '{tensor.Name}' of '{modelPath}' is marked external but names no file.");
            var file = Path.GetFullPath(Path.Combine(folder, location));
            if (Path.IsPathRooted(location) || !file.StartsWith(folder.TrimEnd(Path.DirectorySeparatorChar) + Path.DirectorySeparatorChar, StringComparison.Ordinal) || LeavesFolderByLink(file, folder))
                throw new InvalidModelException($"Tensor '{tensor.Name}' of '{modelPath}' keeps its values in '{location}', outside the model's folder '{folder}'. Such a path is refused; move the file beside the model.");
            if (!File.Exists(file))
                throw new InvalidModelException($"Tensor '{tensor.Name}' of '{modelPath}' keeps its values in '{location}', which is missing beside the model. Copy it to '{folder}'.");
            tensor.RawData = ReadRange(file, entries, tensor);
            tensor.DataLocation = TensorProto.Types.DataLocation.Default;
            tensor.ExternalData.Clear();
        }
    }

    private static ByteString ReadRange(string file, Dictionary<string, string> entries, TensorProto tensor)
    {
        using var stream = File.OpenRead(file);
        if (!long.TryParse(entries.GetValueOrDefault("offset", "0"), out var offset) || offset < 0 || offset > stream.Length)
            throw new InvalidModelException($"External data of tensor '{tensor.Name}': offset '{entries["offset"]}' is not inside '{file}' of {stream.Length:N0} bytes.");
        if (!long.TryParse(entries.GetValueOrDefault("length", (stream.Length - offset).ToString(System.Globalization.CultureInfo.InvariantCulture)), out var length) || length < 0 || offset + length > stream.Length || length > int.MaxValue)
            throw new InvalidModelException($"External data of tensor '{tensor.Name}': '{file}' has {stream.Length:N0} bytes, which does not hold {entries.GetValueOrDefault("length", "?")} bytes from offset {offset:N0}. The file may be cut short.");
        var bytes = new byte[length];
        stream.Position = offset;
        stream.ReadExactly(bytes);
        return UnsafeByteOperations.UnsafeWrap(bytes);
    }

    private static bool LeavesFolderByLink(string file, string folder)
    {
        for (var path = file; path.Length > folder.Length; path = Path.GetDirectoryName(path)!)
            if (new FileInfo(path).LinkTarget is not null) return true;
        return false;
    }

    private static bool IsExternal(TensorProto tensor) => tensor.DataLocation == TensorProto.Types.DataLocation.External;

    /// <summary>Every tensor a graph stores: initializers, attributes, and those of nested graphs.</summary>
    private static IEnumerable<TensorProto> AllTensors(GraphProto graph)
    {
        foreach (var tensor in graph.Initializer) yield return tensor;
        foreach (var attribute in graph.Node.SelectMany(n => n.Attribute))
        {
            if (attribute.T is not null) yield return attribute.T;
            foreach (var tensor in attribute.Tensors) yield return tensor;
            foreach (var nested in attribute.Graphs.Concat(attribute.G is null ? [] : [attribute.G]).SelectMany(AllTensors)) yield return nested;
        }
    }
}
